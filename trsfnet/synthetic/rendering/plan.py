"""One-dimensional quantities of many faces, computed together before any map is painted."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from trsfnet.synthetic.rendering.arithmetic import Params
from trsfnet.synthetic.rendering.colours import IRIS, LIP, hair_colour, named_colour, palette, skin_colour
from trsfnet.synthetic.rendering.features import relief_factors, tint_factors
from trsfnet.synthetic.rendering.grid import make_grid
from trsfnet.synthetic.rendering.light import lights
from trsfnet.synthetic.rendering.outline import (
    HEAD_POWER,
    body_profiles,
    dome_profiles,
    hairline,
    inverse_powers,
    profiles,
)


@dataclass(frozen=True)
class Plan:
    """The parameters and curves of `N` faces, computed before any map is painted.

    Attributes:
        names: names of the parameters.
        table: the parameters, `[len(names), N, 1, 1]`.
        curves: profiles, factors, directions and colours by name, each `[N, ...]`.
    """

    names: tuple[str, ...]
    table: torch.Tensor
    curves: dict[str, torch.Tensor]

    def part(self, start: int, stop: int) -> Plan:
        """The plan of faces `start` to `stop - 1` only."""
        curves = {name: curve[start:stop] for name, curve in self.curves.items()}
        return Plan(self.names, self.table[:, start:stop], curves)

    def params(self) -> Params:
        """The parameters by name, each `[N, 1, 1]`."""
        return dict(zip(self.names, self.table.unbind(0), strict=True))


def make_plan(params: Params, size: int) -> Plan:
    """Prepare `N` faces for images of `size` pixels.

    Args:
        params: every parameter that `trsfnet.synthetic` draws or derives; each is float32 `[N]`.
        size: image side in pixels.

    Returns:
        The plan, which can be painted as a whole or in parts.
    """
    grid = make_grid(size, params["yaw"].device)
    curves = {
        "head": inverse_powers(*profiles(params, grid.y), HEAD_POWER),
        "body": inverse_powers(*body_profiles(params, grid.y), 2),
        "dome": inverse_powers(*dome_profiles(params, grid.y), 2),
        "hairline": hairline(params, grid),
        "skin": skin_colour(params),
        "hair": hair_colour(params),
        "iris": palette(IRIS, params["eye_colour"] * (1 - 0.85 * params["skin_tone"])),
        "rim": named_colour(params, "rim"),
        "cloth": named_colour(params, "cloth"),
        "cap": named_colour(params, "cap"),
        "occluder": named_colour(params, "occluder"),
    }
    curves["lip"] = curves["skin"] * torch.lerp(
        torch.ones_like(curves["skin"]), torch.tensor(LIP, device=grid.y.device), params["lip_red"][:, None]
    )
    curves["relief_along"], curves["relief_across"] = relief_factors(params, grid)
    curves["tint_along"], curves["tint_across"] = tint_factors(params, grid, curves["skin"])
    curves.update(lights(params, grid))
    return Plan(tuple(params), torch.stack(list(params.values()))[:, :, None, None], curves)
