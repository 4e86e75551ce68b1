"""Relief, albedo and shading of heads on their maps."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from trsfnet.synthetic.rendering.arithmetic import Params, gauss, smooth, step
from trsfnet.synthetic.rendering.colours import paint
from trsfnet.synthetic.rendering.eyes import paint_eyes
from trsfnet.synthetic.rendering.grid import Grid, make_grid
from trsfnet.synthetic.rendering.light import shade
from trsfnet.synthetic.rendering.mouth import paint_mouth
from trsfnet.synthetic.rendering.outline import HEAD_POWER, superellipse
from trsfnet.synthetic.rendering.plan import Plan


@dataclass(frozen=True)
class Surface:
    """The result of `paint_surface`.

    Attributes:
        radius: distance from the axis, `[N, rows, columns]`.
        colour: shaded linear RGB, `[N, 3, rows, columns]`.
    """

    radius: torch.Tensor
    colour: torch.Tensor


def paint_surface(faces: Plan, size: int, mottle: torch.Tensor, strands: torch.Tensor) -> Surface:
    """Compute relief, albedo and shading of the `N` heads of a plan.

    Args:
        faces: the plan.
        size: image side in pixels; the map is somewhat finer than the image.
        mottle: noise of about unit variance for the skin; each head has the shape `map_shape`.
        strands: noise of about unit variance for the hair, stretched along the rows, of the same shape.

    Returns:
        The shaded surface.
    """
    curves, p = faces.curves, faces.params()
    grid = make_grid(size, mottle.device)
    # Near the outline, strands are finer than pixels and would only cause aliasing.
    strands = strands * (grid.cos + 0.3).clamp(0.1, 1)
    head = superellipse(curves["head"], grid, HEAD_POWER)
    radius = head.baddbmm_(curves["relief_along"], curves["relief_across"])
    # Neck, shoulders and clothes, in the lower rows only.
    low = grid.low
    body = superellipse(curves["body"][:, low], grid, 2)
    cloth = step(p["collar"] - grid.y[low, None] + 0.12 * grid.cos, 0.06).mul_(body > radius[:, low])
    torch.maximum(radius[:, low], body, out=radius[:, low]).add_(cloth, alpha=0.03)

    colour = torch.bmm(curves["tint_along"], curves["tint_across"]).view(-1, 3, grid.rows, grid.columns)
    paint(colour[:, :, low], curves["cloth"], cloth)
    paint_eyes(p, curves, grid, radius, colour)
    paint_mouth(p, curves, grid, radius, colour)

    above_rim = grid.y[:, None] - p["cap_y"] + 0.25 * (1 - grid.cos)
    cap = step(above_rim, 0.05).mul_(p["cap"])
    radius, hair = _hair(p, curves, grid, radius, strands, cap)
    rows, cols = grid.brim
    brim = gauss((above_rim[:, rows, cols] - 0.06) / 0.03)
    radius[:, rows, cols] += brim * (p["cap"] * 0.25 * smooth(grid.cos[cols] * 1.6 - 0.6))
    paint(colour, curves["hair"], hair)
    paint(colour, curves["cap"], cap)
    hair.mul_(1 - cap)

    # Freckles on the skin, light and dark strands in the hair; caps and clothes have no texture.
    bare = cloth.neg_().add_(1)
    grain = (p["freckles"] + 0.025) * mottle
    grain[:, low].mul_(bare)
    gain = torch.lerp(grain, 0.26 * strands - 0.06, hair).add_(1).clamp_(0.3, 2)
    gloss = (hair * gain).mul_(0.7).add_(1).mul_(p["oil"]).mul_(1 - cap)
    gloss[:, low].mul_(bare)
    shade(curves, grid, radius, colour, gain, gloss)
    return Surface(radius, colour)


def _hair(
    p: Params,
    curves: dict[str, torch.Tensor],
    grid: Grid,
    radius: torch.Tensor,
    strands: torch.Tensor,
    cap: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """`radius` with the volume of hair or cap, and the mask of the hair, both `[N, rows, columns]`."""
    y = grid.y[:, None]
    long = (p["hair_end"] < -0.3).to(y.dtype)
    edge = torch.add(y - curves["hairline"][:, None, :], strands, alpha=0.035)
    # At the back, long hair ends at a lower edge; in front, it ends at the hairline.
    end = step(y - p["hair_end"].clamp_max(-0.5), 0.3)
    end = torch.addcmul(torch.ones_like(end), end - 1, smooth((grid.degrees.abs() - 48) / 24))
    volume_mask = smooth(edge * (1 / 0.11) + 0.5).mul_(end)
    # The colour extends beyond the volume, more so where hair hangs: the step would otherwise show skin.
    edge.add_(0.03 + 0.10 * long * smooth((grid.degrees.abs() - 35) / 20))
    mask = step(edge.add_(0.6 * long * smooth((-0.55 - y) / 0.3)), 0.06).mul_(end)
    dome = superellipse(curves["dome"], grid, 2)
    dome.mul_(((0.004 + 0.010 * p["hair_curl"]) * (1 - p["cap"]) * strands).add_(1))
    volume = torch.maximum(dome, 1.02 * radius, out=dome)
    return torch.lerp(radius, volume, torch.maximum(volume_mask, cap)), mask
