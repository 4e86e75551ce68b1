"""Colour palettes in linear light, and painting with them."""

from __future__ import annotations

import torch

from trsfnet.synthetic.rendering.arithmetic import Params

Rgb = tuple[float, float, float]


def rgb(red: float, green: float, blue: float) -> Rgb:
    """A display colour (0 to 255) in the renderer's linear light, where display = sqrt(linear)."""
    return (red / 255) ** 2, (green / 255) ** 2, (blue / 255) ** 2


_SKIN = [
    rgb(238, 198, 172),
    rgb(230, 184, 152),
    rgb(210, 158, 120),
    rgb(178, 124, 86),
    rgb(142, 92, 62),
    rgb(106, 68, 48),
]
_HAIR = [rgb(22, 18, 18), rgb(50, 34, 26), rgb(92, 62, 40), rgb(146, 104, 62), rgb(206, 168, 108)]
IRIS = [rgb(46, 28, 18), rgb(98, 62, 32), rgb(104, 104, 56), rgb(84, 120, 120), rgb(120, 160, 196)]
_HAIR_RED, _HAIR_GREY = rgb(150, 66, 34), rgb(176, 174, 172)
SCLERA, CARUNCLE, LASH = rgb(206, 196, 188), rgb(186, 108, 98), rgb(26, 18, 16)
MOUTH, TEETH = rgb(66, 24, 24), rgb(220, 212, 200)
# Factors on the skin's RGB.
_WARMTH: Rgb = (0.10, 0.0, -0.16)
LIP: Rgb = (0.98, 0.50, 0.55)
# Relative changes of the skin's RGB.
REDDER: Rgb = (0.06, -0.24, -0.22)
DARKER: Rgb = (-0.50, -0.56, -0.54)
BLUISH: Rgb = (-0.40, -0.42, -0.34)
HOLLOW: Rgb = (-0.85, -0.90, -0.90)


def palette(colours: list[Rgb], position: torch.Tensor) -> torch.Tensor:
    """Piecewise linear colour `[N, 3]` at `position` `[N]` in 0 (first colour) to 1 (last)."""
    knots = torch.arange(len(colours), device=position.device, dtype=torch.float32)
    weight = (1 - (position[:, None] * (len(colours) - 1) - knots).abs()).clamp_min(0)
    return (weight[:, :, None] * torch.tensor(colours, device=position.device)).sum(1)


def named_colour(params: Params, name: str) -> torch.Tensor:
    """The colour `[N, 3]` whose channels are separate parameters, such as `cap_red`."""
    return torch.stack([params[f"{name}_{channel}"] for channel in ("red", "green", "blue")], 1)


def paint(target: torch.Tensor, colour: torch.Tensor | Rgb, mask: torch.Tensor) -> None:
    """Blend `colour` (one colour, `[N, 3]` or `[N, 3, h, w]`) over `target` `[N, 3, h, w]` in place."""
    for channel in range(3):
        if isinstance(colour, tuple):
            over = torch.full((1, 1, 1), colour[channel], device=target.device)
        else:
            over = colour[:, channel, None, None] if colour.dim() == 2 else colour[:, channel]
        plane = target[:, channel]
        plane.lerp_(over.expand_as(plane), mask)


def skin_colour(params: Params) -> torch.Tensor:
    """Skin colour of each identity, linear RGB `[N, 3]`."""
    warmth = torch.tensor(_WARMTH, device=params["skin_tone"].device)
    return palette(_SKIN, params["skin_tone"]) * (1 + params["skin_warmth"][:, None] * warmth)


def hair_colour(params: Params) -> torch.Tensor:
    """Hair colour of each identity, linear RGB `[N, 3]`."""
    # People with dark skin seldom have light hair (or eyes); without this, the draws would be independent.
    colour = palette(_HAIR, params["hair_tone"] * (1 - 0.8 * params["skin_tone"]))
    for name, other, share in (("hair_red", _HAIR_RED, 0.8), ("hair_grey", _HAIR_GREY, 0.4)):
        amount = params[name] * (1 - share * params["skin_tone"])
        colour = torch.lerp(colour, torch.tensor(other, device=colour.device), amount[:, None])
    return colour
