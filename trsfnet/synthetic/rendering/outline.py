"""The head's outline: profiles of skull, body and hair, and the superellipses between them."""

from __future__ import annotations

import torch

from trsfnet.synthetic.rendering.arithmetic import Params, blend, gauss, smooth
from trsfnet.synthetic.rendering.grid import BODY_TOP, Grid

# Cross-sections are superellipses; the head's is a little flatter in front than an ellipse.
HEAD_POWER = 2.25


def inverse_powers(width: torch.Tensor, depth: torch.Tensor, power: float) -> torch.Tensor:
    """The factor along y, `[N, rows, 2]`, of superellipses with these half-axes `[N, rows]`."""
    return torch.stack([width.clamp_min(0.002).pow(-power), depth.clamp_min(0.002).pow(-power)], 2)


def superellipse(inverse: torch.Tensor, grid: Grid, power: float) -> torch.Tensor:
    """Radius `[N, rows, columns]` of the cross-sections described by `inverse_powers`."""
    sides = torch.stack([grid.sin.abs().pow(power), grid.cos.abs().pow(power)])
    summed = torch.bmm(inverse, sides.expand(len(inverse), -1, -1))
    return summed.rsqrt_() if power == 2 else summed.log_().mul_(-1 / power).exp_()


def profiles(params: Params, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Half-width and frontal depth `[N, rows]` of the head at `y`, `[rows]` or `[N, rows]`."""
    p = {name: value[:, None] for name, value in params.items()}
    up = ((y - 0.1) / (p["skull_height"] - 0.1)).clamp(0, 1)
    down = ((0.1 - y) / (p["chin_drop"] + 0.06 * p["mouth_open"] + 0.1)).clamp(0, 1)
    width = p["head_width"] * torch.sqrt(1 - up.pow(2.4)) * torch.sqrt(1 - down.pow(p["jaw_power"]))
    temple = p["temple_width"] * gauss((y - 0.45) / 0.25)
    jaw = p["jaw_width"] * gauss((y + 0.62) / 0.25)
    depth = p["head_depth"] * torch.sqrt(1 - up.pow(2.8)) * torch.sqrt(1 - down.pow(12))
    lips = -0.06 * gauss((y + 0.75) / 0.2)
    forehead = p["forehead"] * gauss((y - 0.55) / 0.25)
    return width * (1 + temple + jaw), depth * (1 + lips + forehead)


def body_profiles(params: Params, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Half-width and depth of neck and shoulders; 0 above the jaw."""
    neck = params["neck"][:, None] * smooth((BODY_TOP - y) / 0.2)
    slope = smooth((-1.02 - y) / 0.8)
    return neck + 1.5 * slope * slope, 0.82 * neck + 0.35 * slope


def dome_profiles(params: Params, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Half-width and depth of the hair, or of the cap, which flattens the hair."""
    flat = torch.full_like(params["cap"], 0.07)
    top = torch.lerp(params["hair_top"], flat, params["cap"])[:, None]
    side = torch.lerp(params["hair_side"], flat, params["cap"])[:, None]
    # The profile of the skull, stretched upwards by the height of the hair.
    above = params["skull_height"][:, None] - 0.1
    stretched = torch.where(y > 0.1, 0.1 + (y - 0.1) * (above / (above + top)), y)
    width, depth = profiles(params, stretched)
    width = width * (1 + 1.4 * side * smooth((y + 0.5) / 0.6))
    # Below the ears, where the underlying surface is the neck, long hair keeps the head's width or flares.
    hangs = smooth((0.3 - y) / 0.35) * (params["hair_end"] < -0.3)[:, None]
    flare = 0.05 * params["hair_flare"][:, None] * (-0.3 - y).clamp(0, 1.5)
    hanging = params["head_width"][:, None] * (1 + 1.4 * side) + flare
    depth = torch.lerp(depth, params["head_depth"][:, None], hangs)
    return torch.lerp(width, hanging, hangs), depth * (1 + side)


def hairline(params: Params, grid: Grid) -> torch.Tensor:
    """Height of the hair's lower edge per column, `[N, columns]`."""
    temple, end = params["hairline_temple"], params["hair_end"]
    long = end < -0.3
    front = params["hairline"] - params["fringe"] + params["bald"]
    sideburn = torch.where(long, 0.35 * end, torch.full_like(end, 0.02))
    below_ear = torch.where(long, end, sideburn)
    back = end.clamp_max(-0.5)
    curve = blend(
        [
            front,
            front - 0.02,
            0.5 * (front + temple + params["bald"]),
            temple,
            torch.minimum(temple - 0.15, sideburn),
            below_ear,
            back,
            back,
        ],
        [0, 20, 38, 54, 70, 84, 104, 125],
        7.0,
        grid.degrees.abs(),
    )
    lean = torch.sin(torch.deg2rad(1.6 * grid.degrees)) * gauss(grid.degrees / 40)
    return curve + 0.12 * params["parting"][:, None] * lean
