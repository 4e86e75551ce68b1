"""Shaded relief of a head: from named face parameters to an image, vectorised over the batch.

The head is one surface in cylindrical coordinates: the distance ``r(theta, y)`` from a vertical axis through
the ears. In its own frame ``x`` points to the image's right, ``y`` up and ``z`` to the viewer; the eyes lie
near ``y = 0``, the top of the skull near ``y = 1`` and the chin near ``y = -1``. Four steps make a picture:

1. *Plan* (:func:`plan`): everything of one dimension, for many faces at once: profiles of the head, the
   factors of the features' separable bumps, the hairline, the lights' directions.
2. *Surface* (:func:`paint_surface`): relief and albedo on a map of ``rows`` (y) by ``columns`` (theta). One
   batched matrix product evaluates all bumps; lids, lips and brows are curves painted in small windows. Then
   normals from finite differences, Lambert, ambient occlusion, a cast shadow and a highlight. The view is
   orthographic, so every term can be computed on the map, before the view is known.
3. *View* (:func:`project`): each pixel's ray is intersected with the surface, whose colour is sampled there.
4. *Photograph* (:func:`photograph`): background, occlusion, focus, tone and noise.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

Params = dict[str, torch.Tensor]
"""Face parameters by name."""

Rgb = tuple[float, float, float]

# The map's extent: rows from above the hair to the shoulders, columns past the silhouette of a turned head.
_Y_TOP, _Y_BOTTOM = 1.4, -2.0
_COLUMN_LIMIT = 0.66
# Columns are x / (k (rho + z) + |x|): no arctangent per pixel, and more columns in front than at the sides.
_COLUMN_DENSITY = 1.2
# Above this height there is only the head.
_BODY_TOP = -0.2
# Features are laid out on x = FRONT_RADIUS sin(theta), close to the true x of a point in front.
_FRONT_RADIUS = 0.85
# Half the frame's height in head units, and the frame's centre, which put the eyes at 42 % from the top.
_FRAME_HALF = 1.36
_FRAME_CENTRE_Y = -0.20
# The frame follows the face when the head turns, as a detector's crop does (share of the depth in front).
_FRAME_FOLLOWS = 0.45
# The shadows' map is so many times coarser; the distances are those at which something is looked for that
# stands between a point and the light.
_SHADOW_STEP = 4
_SHADOW_REACH = (0.08, 0.18, 0.38)
# Depths at which a ray is tested for its first hit, from before the nose's tip to the axis.
_DEPTHS = (1.3, 1.18, 1.08, 1.0, 0.93, 0.86, 0.78, 0.68, 0.55, 0.4, 0.22, 0.0)

# Every how many pixels that is done; the rays between start between their neighbours' hits. All are then
# corrected by the distance left, or a little more, since the surface is met at a slant.
_COARSE_STEP = 3
_CORRECTIONS = 1
_CORRECTION_GAIN = 1.05
# Outwards less: beside a cliff, such as the edge of hanging hair, a long step would leave the surface again.
_CORRECTION_RANGE = (-0.03, 0.15)


def _rgb(red: float, green: float, blue: float) -> Rgb:
    """A display colour (0 to 255) in the renderer's linear light, where display = sqrt(linear)."""
    return (red / 255) ** 2, (green / 255) ** 2, (blue / 255) ** 2


_SKIN = [
    _rgb(240, 204, 182),
    _rgb(230, 184, 152),
    _rgb(210, 158, 120),
    _rgb(178, 124, 86),
    _rgb(142, 92, 62),
    _rgb(106, 68, 48),
]
_HAIR = [_rgb(22, 18, 18), _rgb(50, 34, 26), _rgb(92, 62, 40), _rgb(146, 104, 62), _rgb(206, 168, 108)]
_IRIS = [_rgb(46, 28, 18), _rgb(98, 62, 32), _rgb(104, 104, 56), _rgb(84, 120, 120), _rgb(120, 160, 196)]
_HAIR_RED, _HAIR_GREY = _rgb(150, 66, 34), _rgb(176, 174, 172)
_SCLERA, _CARUNCLE, _LASH = _rgb(206, 196, 188), _rgb(186, 108, 98), _rgb(26, 18, 16)
_MOUTH, _TEETH = _rgb(66, 24, 24), _rgb(220, 212, 200)
# Factors on the skin's RGB.
_WARMTH: Rgb = (0.10, 0.0, -0.16)
_LIP: Rgb = (0.98, 0.50, 0.55)
# Relative changes of the skin's RGB.
_REDDER: Rgb = (0.06, -0.24, -0.22)
_DARKER: Rgb = (-0.50, -0.56, -0.54)
_BLUISH: Rgb = (-0.40, -0.42, -0.34)
_HOLLOW: Rgb = (-0.85, -0.90, -0.90)


# --- the map -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Grid:
    """The map's coordinates for one image size, on one device."""

    rows: int
    columns: int
    y: torch.Tensor
    x: torch.Tensor
    sin: torch.Tensor
    cos: torch.Tensor
    degrees: torch.Tensor
    turn_scale: torch.Tensor
    row_step: float
    eye: tuple[slice, slice]
    mouth: tuple[slice, slice]
    low: slice


@functools.lru_cache(maxsize=8)
def _grid(size: int, device: torch.device) -> _Grid:
    # Multiples of 16 keep every image of a batch equally aligned, so that its position cannot change a bit.
    rows = columns = 16 * math.ceil(size * 1.14 / 16)
    y = torch.linspace(_Y_TOP, _Y_BOTTOM, rows, dtype=torch.float64)
    column = torch.linspace(-_COLUMN_LIMIT, _COLUMN_LIMIT, columns, dtype=torch.float64)
    theta = 2 * torch.atan(_COLUMN_DENSITY * column / (1 - column.abs()))
    # Behind the ears no feature may appear: their x is put far away.
    x = torch.where(theta.abs() < math.pi / 2, _FRONT_RADIUS * torch.sin(theta), 9.0 * theta.sign())

    def window(low: float, high: float, half_width: float) -> tuple[slice, slice]:
        row = torch.nonzero((y > low) & (y < high))
        col = torch.nonzero(x.abs() < half_width)
        return slice(int(row[0]), int(row[-1]) + 1), slice(int(col[0]), int(col[-1]) + 1)

    def ship(values: torch.Tensor) -> torch.Tensor:
        return values.to(torch.float32).to(device)

    return _Grid(
        rows=rows,
        columns=columns,
        y=ship(y),
        x=ship(x),
        sin=ship(torch.sin(theta)),
        cos=ship(torch.cos(theta)),
        degrees=ship(torch.rad2deg(theta)),
        turn_scale=ship(1 / (theta[2:] - theta[:-2])),
        row_step=(_Y_TOP - _Y_BOTTOM) / (rows - 1),
        eye=window(-0.3, 0.52, 0.72),
        mouth=window(-1.0, -0.4, 0.5),
        low=slice(int((y > _BODY_TOP).sum()), rows),
    )


def map_shape(size: int) -> tuple[int, int]:
    """Rows and columns of the surface's map for images of ``size`` pixels."""
    grid = _grid(size, torch.device("cpu"))
    return grid.rows, grid.columns


def _place(out: torch.Tensor, x: torch.Tensor, z: torch.Tensor, rho: torch.Tensor, y: torch.Tensor) -> None:
    """Writes into ``out`` ``[..., 2]`` where on the map a point lies, as ``grid_sample`` wants it."""
    scale = (rho + z).mul_(_COLUMN_DENSITY * _COLUMN_LIMIT).add_(x.abs(), alpha=_COLUMN_LIMIT).add_(1e-4)
    torch.div(x, scale, out=out[..., 0])
    middle, half = 0.5 * (_Y_TOP + _Y_BOTTOM), 0.5 * (_Y_TOP - _Y_BOTTOM)
    out[..., 1] = (middle - y).mul_(1 / half)


def _sample(field: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    return F.grid_sample(field, place, align_corners=True, padding_mode="border")


@functools.lru_cache(maxsize=32)
def _enlarging(count: int, wanted: int, device: torch.device) -> torch.Tensor:
    """Matrix ``[wanted, count]`` of linear interpolation between the centres of ``count`` equal parts."""
    at = (torch.arange(wanted, dtype=torch.float64)[:, None] + 0.5) * (count / wanted) - 0.5
    weight = (1 - (at.clamp(0, count - 1) - torch.arange(count)).abs()).clamp_min(0)
    return weight.to(torch.float32).to(device)


def _enlarge(field: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """``field`` ``[N, h, w]`` interpolated to ``[N, rows, columns]``, as products: faster than resampling."""
    down = _enlarging(field.shape[1], rows, field.device).expand(len(field), -1, -1)
    across = _enlarging(field.shape[2], columns, field.device).T.expand(len(field), -1, -1)
    return torch.bmm(torch.bmm(down, field), across)


# --- small mathematics -------------------------------------------------------------------------------------


def _gauss(distance: torch.Tensor) -> torch.Tensor:
    # The tails end at 2e-9, since the denormal numbers that would follow are slow.
    return (distance * distance).mul_(-0.5).clamp_min_(-20).exp_()


def _step(signed: torch.Tensor, width: float) -> torch.Tensor:
    """0 to 1 across ``width`` around zero, linear: cheaper than a sigmoid and as smooth once sampled."""
    return (signed * (1 / width)).add_(0.5).clamp_(0, 1)


def _smooth(position: torch.Tensor) -> torch.Tensor:
    clamped = position.clamp(0, 1)
    return clamped.square().mul_(3 - 2 * clamped)


def _blend(values: list[torch.Tensor], knots: list[float], width: float, at: torch.Tensor) -> torch.Tensor:
    """Smooth curve near ``values`` (each ``[N]``) at the ``knots``, read at ``at`` ``[M]``: ``[N, M]``."""
    weight = _gauss((at - torch.tensor(knots, device=at.device)[:, None]) / width) + 1e-12
    return torch.stack(values, 1) @ (weight / weight.sum(0, keepdim=True))


def _palette(colours: list[Rgb], position: torch.Tensor) -> torch.Tensor:
    """Piecewise linear colour ``[N, 3]`` at ``position`` ``[N]`` in 0 (first colour) to 1 (last)."""
    knots = torch.arange(len(colours), device=position.device, dtype=torch.float32)
    weight = (1 - (position[:, None] * (len(colours) - 1) - knots).abs()).clamp_min(0)
    return (weight[:, :, None] * torch.tensor(colours, device=position.device)).sum(1)


def _named_colour(params: Params, name: str) -> torch.Tensor:
    return torch.stack([params[f"{name}_{channel}"] for channel in ("red", "green", "blue")], 1)


def _paint(target: torch.Tensor, colour: torch.Tensor | Rgb, mask: torch.Tensor) -> None:
    """Blends ``colour`` (one, ``[N, 3]`` or ``[N, 3, h, w]``) over ``target`` ``[N, 3, h, w]`` in place."""
    for channel in range(3):
        if isinstance(colour, tuple):
            over = torch.full((1, 1, 1), colour[channel], device=target.device)
        else:
            over = colour[:, channel, None, None] if colour.dim() == 2 else colour[:, channel]
        plane = target[:, channel]
        plane.lerp_(over.expand_as(plane), mask)


# --- plan: everything of one dimension ---------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """What is known of ``N`` faces before any map is painted.

    Attributes:
        names: of the parameters.
        table: the parameters, ``[len(names), N, 1, 1]``.
        curves: profiles, factors, directions and colours by name, each ``[N, ...]``.
    """

    names: tuple[str, ...]
    table: torch.Tensor
    curves: dict[str, torch.Tensor]

    def part(self, start: int, stop: int) -> Plan:
        """The plan of the faces ``start`` to ``stop - 1`` alone."""
        curves = {name: curve[start:stop] for name, curve in self.curves.items()}
        return Plan(self.names, self.table[:, start:stop], curves)

    def params(self) -> Params:
        """The parameters by name, each ``[N, 1, 1]``."""
        return dict(zip(self.names, self.table.unbind(0), strict=True))


def plan(params: Params, size: int) -> Plan:
    """Prepares ``N`` faces for images of ``size`` pixels.

    Args:
        params: every parameter that :mod:`trsfnet.data.synthetic` draws or derives, float32 ``[N]`` each.
        size: image side in pixels.

    Returns:
        The plan, to be painted whole or in parts.
    """
    grid = _grid(size, params["yaw"].device)
    curves = {
        "head": _inverse_powers(*_profiles(params, grid.y), _HEAD_POWER),
        "body": _inverse_powers(*_body_profiles(params, grid.y), 2),
        "dome": _inverse_powers(*_dome_profiles(params, grid.y), 2),
        "hairline": _hairline(params, grid),
        "skin": _skin_colour(params),
        "hair": _hair_colour(params),
        "iris": _palette(_IRIS, params["eye_colour"] * (1 - 0.85 * params["skin_tone"])),
        "rim": _named_colour(params, "rim"),
        "cloth": _named_colour(params, "cloth"),
        "cap": _named_colour(params, "cap"),
        "occluder": _named_colour(params, "occluder"),
    }
    curves["lip"] = curves["skin"] * torch.lerp(
        torch.ones_like(curves["skin"]), torch.tensor(_LIP, device=grid.y.device), params["lip_red"][:, None]
    )
    curves["relief_along"], curves["relief_across"] = _relief_factors(params, grid)
    curves["tint_along"], curves["tint_across"] = _tint_factors(params, grid, curves["skin"])
    curves.update(_lights(params, grid))
    return Plan(tuple(params), torch.stack(list(params.values()))[:, :, None, None], curves)


# Cross-sections are superellipses, the head's a little flatter in front than an ellipse.
_HEAD_POWER = 2.25


def _inverse_powers(width: torch.Tensor, depth: torch.Tensor, power: float) -> torch.Tensor:
    """The factor along y, ``[N, rows, 2]``, of a superellipse with these half-axes ``[N, rows]``."""
    return torch.stack([width.clamp_min(0.002).pow(-power), depth.clamp_min(0.002).pow(-power)], 2)


def _superellipse(inverse: torch.Tensor, grid: _Grid, power: float) -> torch.Tensor:
    """Radius ``[N, rows, columns]`` of the cross-sections of :func:`_inverse_powers`."""
    sides = torch.stack([grid.sin.abs().pow(power), grid.cos.abs().pow(power)])
    summed = torch.bmm(inverse, sides.expand(len(inverse), -1, -1))
    return summed.rsqrt_() if power == 2 else summed.log_().mul_(-1 / power).exp_()


def _profiles(params: Params, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Half-width and frontal depth ``[N, rows]`` of the head at ``y``, ``[rows]`` or ``[N, rows]``."""
    p = {name: value[:, None] for name, value in params.items()}
    up = ((y - 0.1) / (p["skull_height"] - 0.1)).clamp(0, 1)
    down = ((0.1 - y) / (p["chin_drop"] + 0.06 * p["mouth_open"] + 0.1)).clamp(0, 1)
    width = p["head_width"] * torch.sqrt(1 - up.pow(2.4)) * torch.sqrt(1 - down.pow(p["jaw_power"]))
    temple = p["temple_width"] * _gauss((y - 0.45) / 0.25)
    jaw = p["jaw_width"] * _gauss((y + 0.62) / 0.25)
    depth = p["head_depth"] * torch.sqrt(1 - up.pow(2.8)) * torch.sqrt(1 - down.pow(12))
    lips = -0.06 * _gauss((y + 0.75) / 0.2)
    forehead = p["forehead"] * _gauss((y - 0.55) / 0.25)
    return width * (1 + temple + jaw), depth * (1 + lips + forehead)


def _body_profiles(params: Params, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Half-width and depth of neck and shoulders, nothing above the jaw."""
    neck = params["neck"][:, None] * _smooth((_BODY_TOP - y) / 0.2)
    slope = _smooth((-1.18 - y) / 0.75)
    return neck + 1.5 * slope * slope, 0.82 * neck + 0.35 * slope


def _dome_profiles(params: Params, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Half-width and depth of the hair, or of the cap that flattens it."""
    flat = torch.full_like(params["cap"], 0.07)
    top = torch.lerp(params["hair_top"], flat, params["cap"])[:, None]
    side = torch.lerp(params["hair_side"], flat, params["cap"])[:, None]
    # The skull's own profile, stretched upwards by the hair's height.
    above = params["skull_height"][:, None] - 0.1
    stretched = torch.where(y > 0.1, 0.1 + (y - 0.1) * (above / (above + top)), y)
    width, depth = _profiles(params, stretched)
    return width * (1 + 1.4 * side * _smooth((y + 0.5) / 0.6)), depth * (1 + side)


def _bumps(p: Params) -> list[tuple]:
    """The features' relief: height, centre x, width x, centre y, width y, and whether it is mirrored."""
    nose, mouth, eye, smile = p["nose_tip_y"], p["mouth_y"], p["eye_y"], p["smile"]
    chin = 0.12 - p["chin_drop"]
    return [
        # Brow ridge, socket, its inner corner, eyeball, bag.
        (p["brow_ridge"], 0.28, 0.20, eye + 0.17, 0.07, True),
        (-p["eye_depth"], p["eye_spacing"], 0.15, eye + 0.01, 0.095, True),
        (-0.5 * p["eye_depth"], 0.15, 0.06, eye + 0.03, 0.09, True),
        (0.045, p["eye_spacing"], 0.10, eye, 0.075, True),
        (-0.012 - 0.02 * p["age"], p["eye_spacing"] - 0.02, 0.11, eye - 0.15, 0.022, True),
        # Cheekbone and cheek.
        (p["cheekbone"] + 0.03 * smile, 0.42, 0.14, eye - 0.24, 0.11, True),
        (-p["cheek_hollow"], 0.46, 0.12, mouth + 0.12, 0.14, True),
        # The nose's ball, its wings, the furrow beside them.
        (p["nose_ball"], p["nose_skew"], 0.55 * p["nose_width"], nose, 0.07, False),
        (0.35 * p["nose_height"], 0.86 * p["nose_width"], 0.045, nose - 0.035, 0.05, True),
        (-0.03, 1.35 * p["nose_width"], 0.04, nose - 0.02, 0.08, True),
        # The mouth's mound, philtrum, furrow below the lips, and the corners.
        (0.05, 0.0, 0.26, mouth + 0.02, 0.17, False),
        (-0.012, 0.0, 0.022, 0.5 * (nose + mouth) - 0.03, 0.06, False),
        (-0.035, 0.0, 0.20, mouth - 0.17, 0.035, False),
        (
            -0.02 - 0.02 * smile,
            p["mouth_width"] + 0.05 + 0.04 * smile,
            0.035,
            mouth + 0.03 * smile,
            0.05,
            True,
        ),
        # Chin and its cleft.
        (p["chin_size"], 0.0, p["chin_spread"], chin, 0.10, False),
        (-0.8 * p["chin_cleft"], 0.0, 0.025, chin, 0.06, False),
    ]


def _tints(p: Params) -> list[tuple]:
    """Changes of the skin's colour: strength, then as for :func:`_bumps`, then the relative change of RGB."""
    nose, mouth, eye = p["nose_tip_y"], p["mouth_y"], p["eye_y"]
    return [
        (p["blush"], 0.42, 0.14, eye - 0.28, 0.13, True, _REDDER),
        (0.8 * p["blush"], 0.0, 0.09, nose, 0.10, False, _REDDER),
        # Bags and sockets.
        (0.20 + 0.35 * p["age"], p["eye_spacing"] - 0.02, 0.13, eye - 0.12, 0.04, True, _BLUISH),
        (0.35, p["eye_spacing"] - 0.04, 0.15, eye + 0.07, 0.05, True, _DARKER),
        # Nostrils and the shade around the nose's base.
        (0.9, 0.5 * p["nose_width"], 0.032, nose - 0.085, 0.02, True, _HOLLOW),
        (0.35, 0.0, 0.8 * p["nose_width"], nose - 0.11, 0.035, False, _DARKER),
        (0.3, 1.25 * p["nose_width"], 0.03, nose - 0.03, 0.06, True, _DARKER),
        # Below the lower lip; beard; below the jaw.
        (0.3, 0.0, 0.13, mouth - 0.155, 0.03, False, _DARKER),
        (p["beard"], 0.0, 0.36, mouth - 0.2, 0.15, False, _DARKER),
        (0.8 * p["beard"], 0.5, 0.13, mouth, 0.18, True, _DARKER),
        (0.8 * p["beard"], 0.0, 0.16, 0.5 * (mouth + nose), 0.06, False, _DARKER),
        (0.9, 0.0, 0.5, -p["chin_drop"] - 0.16, 0.14, False, _DARKER),
    ]


def _separable(table: list[tuple], grid: _Grid, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Factors ``[N, K, rows]`` (with the strengths) and ``[N, K, columns]`` of a table of ``K`` Gaussians."""

    def column(index: int) -> torch.Tensor:
        values = [torch.as_tensor(entry[index], dtype=like.dtype, device=like.device) for entry in table]
        return torch.stack([value.expand_as(like) for value in values], 1)[:, :, None]

    height, cx, wx, cy, wy = (column(index) for index in range(5))
    mirrored = torch.tensor([float(entry[5]) for entry in table], device=like.device)[None, :, None]
    across = _gauss((grid.x - cx) / wx) + mirrored * _gauss((grid.x + cx) / wx)
    return height * _gauss((grid.y - cy) / wy), across


def _relief_factors(params: Params, grid: _Grid) -> tuple[torch.Tensor, torch.Tensor]:
    """Factors ``[N, rows, K]`` and ``[N, K, columns]`` whose product is the features' relief."""
    along, across = _separable(_bumps(params), grid, params["eye_y"])
    p = {name: value[:, None] for name, value in params.items()}

    # The nose's ridge rises from the root between the eyes to the tip, then drops to the lip.
    root, tip = p["eye_y"] + 0.13, p["nose_tip_y"]
    way = ((root - grid.y) / (root - tip)).clamp(0, 1.4)
    ridge = (0.12 + 0.88 * way.clamp_max(1)) * _smooth(way * 4) * _smooth((grid.y - tip + 0.11) / 0.13)
    ridge = p["nose_height"] * ridge + p["nose_hump"] * _gauss((way - 0.5) / 0.2)
    line = (grid.x - p["nose_skew"]) / p["nose_bridge"]

    # Forehead lines deepen with age and with raised brows.
    lines = torch.cos((grid.y - p["brow_y"]) * 58) * _gauss((grid.y - p["brow_y"] - 0.24) / 0.09)
    lines = 0.006 * p["age"] * (0.6 + 0.6 * p["brow_raise"].clamp_min(0)) * lines

    # Ears stand out of the sides; from the front they are part of the outline.
    ear = p["ear_out"] * _gauss((grid.y - p["eye_y"] + 0.12) / p["ear_size"])

    along = torch.cat([along, torch.stack([0.65 * ridge, 0.35 * ridge, lines, ear], 1)], 1)
    more = [
        _gauss(line),
        _gauss(line / 1.9),
        _gauss(grid.x / 0.3).expand_as(line),
        _gauss((grid.degrees.abs() - 93) / 9).expand_as(line),
    ]
    return along.transpose(1, 2).contiguous(), torch.cat([across, torch.stack(more, 1)], 1)


def _tint_factors(params: Params, grid: _Grid, skin: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Factors ``[N, 3 rows, K]`` and ``[N, K, columns]`` whose product is the skin's colour."""
    tints = _tints(params)
    along, across = _separable(tints, grid, params["eye_y"])
    change = torch.tensor([tint[6] for tint in tints], device=along.device)
    along = torch.cat([along[:, None] * change.T[:, :, None], along.new_ones(len(along), 3, 1, grid.rows)], 2)
    along = (along * skin[:, :, None, None]).transpose(2, 3).reshape(len(along), 3 * grid.rows, -1)
    return along, torch.cat([across, across.new_ones(len(across), 1, grid.columns)], 1)


def _skin_colour(params: Params) -> torch.Tensor:
    warmth = torch.tensor(_WARMTH, device=params["skin_tone"].device)
    return _palette(_SKIN, params["skin_tone"]) * (1 + params["skin_warmth"][:, None] * warmth)


def _hair_colour(params: Params) -> torch.Tensor:
    # Dark skin seldom comes with light hair (or eyes); without this they would be independent.
    colour = _palette(_HAIR, params["hair_tone"] * (1 - 0.8 * params["skin_tone"]))
    for name, other, share in (("hair_red", _HAIR_RED, 0.8), ("hair_grey", _HAIR_GREY, 0.4)):
        amount = params[name] * (1 - share * params["skin_tone"])
        colour = torch.lerp(colour, torch.tensor(other, device=colour.device), amount[:, None])
    return colour


def _hairline(params: Params, grid: _Grid) -> torch.Tensor:
    """Height of the hair's lower edge per column, ``[N, columns]``."""
    temple, end = params["hairline_temple"], params["hair_end"]
    long = end < -0.3
    front = params["hairline"] - params["fringe"] + params["bald"]
    sideburn = torch.where(long, 0.35 * end, torch.full_like(end, 0.02))
    below_ear = torch.where(long, end, sideburn)
    back = end.clamp_max(-0.5)
    curve = _blend(
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
    lean = torch.sin(torch.deg2rad(1.6 * grid.degrees)) * _gauss(grid.degrees / 40)
    return curve + 0.12 * params["parting"][:, None] * lean


def _direction(params: Params, azimuth: torch.Tensor, elevation: torch.Tensor) -> torch.Tensor:
    """Unit vector ``[N, 3]`` in the head's frame of a direction fixed to the camera (angles in degrees)."""
    az, el = torch.deg2rad(azimuth), torch.deg2rad(elevation)
    x, y, z = torch.sin(az) * torch.cos(el), torch.sin(el), torch.cos(az) * torch.cos(el)
    roll, pitch, yaw = (torch.deg2rad(params[name]) for name in ("roll", "pitch", "yaw"))
    x, y = x * torch.cos(roll) - y * torch.sin(roll), y * torch.cos(roll) + x * torch.sin(roll)
    y, z = y * torch.cos(pitch) + z * torch.sin(pitch), z * torch.cos(pitch) - y * torch.sin(pitch)
    return torch.stack(
        [x * torch.cos(yaw) - z * torch.sin(yaw), y, x * torch.sin(yaw) + z * torch.cos(yaw)], 1
    )


def _lights(params: Params, grid: _Grid) -> dict[str, torch.Tensor]:
    """Directions, their components per column (outward, tangential, up: ``[N, 1, columns]``), and colours."""
    zero = torch.zeros_like(params["yaw"])
    key = _direction(params, params["light_azimuth"], params["light_elevation"])
    directions = {
        "key": key,
        "fill": _direction(params, -0.6 * params["light_azimuth"], zero + 10),
        "shine": F.normalize(key + _direction(params, zero, zero), dim=1),
    }
    curves = {"key_direction": key}
    for name, direction in directions.items():
        x, y, z = (direction[:, axis, None, None] for axis in range(3))
        curves[f"{name}_out"] = x * grid.sin + z * grid.cos
        curves[f"{name}_turn"] = z * grid.sin - x * grid.cos
        curves[f"{name}_up"] = -y
    curves["key_light"] = params["key"][:, None] * _named_colour(params, "key")
    curves["sky_light"] = params["ambient"][:, None] * _named_colour(params, "sky")
    return curves


# --- surface: relief, albedo, light ------------------------------------------------------------------------


@dataclass(frozen=True)
class Surface:
    """What :func:`paint_surface` makes.

    Attributes:
        radius: distance from the axis, ``[N, rows, columns]``.
        colour: shaded linear RGB, ``[N, 3, rows, columns]``.
    """

    radius: torch.Tensor
    colour: torch.Tensor


def paint_surface(faces: Plan, size: int, mottle: torch.Tensor, strands: torch.Tensor) -> Surface:
    """Relief, albedo and light of the ``N`` heads of a plan.

    Args:
        faces: the plan.
        size: image side in pixels; the map is somewhat finer than the image.
        mottle: noise of about unit variance for the skin, :func:`map_shape` per head.
        strands: noise of about unit variance for the hair, stretched along the rows, likewise.

    Returns:
        The shaded surface.
    """
    curves, p = faces.curves, faces.params()
    grid = _grid(size, mottle.device)
    head = _superellipse(curves["head"], grid, _HEAD_POWER)
    radius = head.baddbmm_(curves["relief_along"], curves["relief_across"])
    # Neck, shoulders and clothes: in the lower rows only.
    low = grid.low
    body = _superellipse(curves["body"][:, low], grid, 2)
    cloth = _step(p["collar"] - grid.y[low, None] + 0.12 * grid.cos, 0.06).mul_(body > radius[:, low])
    torch.maximum(radius[:, low], body, out=radius[:, low]).add_(cloth, alpha=0.03)

    colour = torch.bmm(curves["tint_along"], curves["tint_across"]).view(-1, 3, grid.rows, grid.columns)
    _paint(colour[:, :, low], curves["cloth"], cloth)
    _paint_eyes(p, curves, grid, radius, colour, strands)
    _paint_mouth(p, curves, grid, radius, colour)

    cap = _step(grid.y[:, None] - p["cap_y"] + 0.25 * (1 - grid.cos), 0.05).mul_(p["cap"])
    radius, hair = _hair(p, curves, grid, radius, strands, cap)
    _paint(colour, curves["hair"], hair)
    _paint(colour, curves["cap"], cap)
    hair.mul_(1 - cap)

    # Freckles on the skin, light and dark strands in the hair; a cap and clothes are plain.
    bare = cloth.neg_().add_(1)
    grain = (p["freckles"] + 0.025) * mottle
    grain[:, low].mul_(bare)
    gain = torch.lerp(grain, 0.42 * strands - 0.1, hair).add_(1).clamp_(0.3, 2)
    gloss = (hair * gain).mul_(1.5).add_(1).mul_(p["oil"]).mul_(1 - cap)
    gloss[:, low].mul_(bare)
    _shade(curves, grid, radius, colour, gain, gloss)
    return Surface(radius, colour)


def _hair(
    p: Params,
    curves: dict[str, torch.Tensor],
    grid: _Grid,
    radius: torch.Tensor,
    strands: torch.Tensor,
    cap: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """``radius`` with the hair's (or cap's) volume, and the hair's mask: both ``[N, rows, columns]``."""
    y = grid.y[:, None]
    long = p["hair_end"] < -0.3
    edge = torch.add(y - curves["hairline"][:, None, :], strands, alpha=0.035)
    end = torch.where(grid.degrees.abs() > 60, _step(y - p["hair_end"].clamp_max(-0.5), 0.3), 1.0)
    volume_mask = _smooth(edge * (1 / 0.11) + 0.5).mul_(end)
    # The colour begins before the volume, the more so where hair hangs: the step to it would show skin.
    mask = _step(edge.add_(0.02 + 0.7 * long * _smooth((-0.55 - y) / 0.3)), 0.06).mul_(end)
    dome = _superellipse(curves["dome"], grid, 2)
    dome.mul_(((0.008 + 0.02 * p["hair_curl"]) * (1 - p["cap"]) * strands).add_(1))
    # Hanging hair keeps the head's width below the ears, where the surface beneath is the neck.
    hanging = p["head_width"] + 0.9 * p["hair_side"] - 0.05 * (y + 0.3).clamp(-1.5, 0) * p["hair_flare"]
    hanging = hanging * _smooth((0.2 - y) / 0.3) * long
    volume = torch.maximum(dome, hanging, out=dome)
    volume = torch.maximum(volume, 1.02 * radius, out=volume)
    return torch.lerp(radius, volume, torch.maximum(volume_mask, cap)), mask


def _paint_eyes(
    p: Params,
    curves: dict[str, torch.Tensor],
    grid: _Grid,
    radius: torch.Tensor,
    colour: torch.Tensor,
    strands: torch.Tensor,
) -> None:
    """Eyes, lids, lashes, brows and glasses, in place within the eyes' window."""
    rows, cols = grid.eye
    x, y = grid.x[cols], grid.y[rows][:, None]
    side = torch.sign(x)
    # Both eyes at once: `out` runs from -1 in the inner corner to 1 in the outer one, `up` likewise upwards.
    out = (x.abs() - p["eye_spacing"]) / p["eye_size"]
    up = (y - p["eye_y"]) / p["eye_size"] - p["eye_tilt"] * out
    within = out.abs()
    # The lids are arcs that meet in the corners; the upper one peaks towards the nose.
    arc = 1 - out * out
    upper = p["eye_open"] * p["eye_aspect"] * arc * (1 - 0.15 * out)
    lower = -0.30 * (1 - 0.3 * p["smile"]) * arc.clamp_min(-1) * (1 + 0.1 * out)
    above = up - upper
    opening = _step(-above, 0.12) * _step(up - lower, 0.12) * (within < 1)
    lid = _step(-0.22 - above + 0.44, 0.2) * _step(above, 0.1) * _step(1.1 - within, 0.3)
    lash = _gauss((up - upper.clamp_min(-0.2) - 0.03) / 0.075) * _step(1.1 - within, 0.2)
    crease = _gauss((up - upper.clamp_min(0) - 0.26) / 0.07) * (_step(1.15 - within, 0.4) * p["lid_fold"])
    under = _gauss((up - lower.clamp_max(0) + 0.05) / 0.06) * _step(1.0 - within, 0.2)
    relief = 0.016 * lid - 0.012 * crease - 0.014 * opening

    patch = colour[:, :, rows, cols]
    patch.mul_((1 - 0.45 * crease - 0.3 * under)[:, None])
    _paint(patch, _eyeball(p, curves["iris"], side, out, up, above), opening)
    _paint(patch, _LASH, (0.9 * lash).clamp_(0, 1))
    _paint(patch, _CARUNCLE, 0.6 * _gauss((out + 0.97) / 0.1) * _gauss((up + 0.02) / 0.1))

    # Brows: an arched band that thins outwards.
    along = (x.abs() - p["eye_spacing"]) / 0.2
    ridge = (
        p["brow_y"] + 0.05 * p["brow_raise"] + p["brow_tilt"] * along - p["brow_arch"] * (along - 0.35) ** 2
    )
    ridge = ridge - 0.05 * p["frown"] * (0.3 - along).clamp_min(0)
    thick = p["brow_thick"] * (1 - 0.35 * (along + 0.2).clamp(-1, 1.5))
    ends = _step(1.15 - along, 0.5) * _step(along + p["brow_gap"], 0.35) * p["brow_density"]
    brow = (_gauss((y - ridge) / thick) * ends * (1 + 0.15 * strands[:, rows, cols])).clamp_(0, 1)
    _paint(patch, 0.6 * curves["hair"], brow)
    relief += 0.012 * brow
    radius[:, rows, cols] += relief
    _paint_glasses(p, curves["rim"], radius[:, rows, cols], patch, x, y)


def _eyeball(
    p: Params,
    iris: torch.Tensor,
    side: torch.Tensor,
    out: torch.Tensor,
    up: torch.Tensor,
    above: torch.Tensor,
) -> torch.Tensor:
    """White, iris, pupil and glint: linear RGB ``[N, 3, h, w]``."""
    dx, dy = out - side * p["gaze_x"] + 0.05, up - p["gaze_y"] - 0.05
    distance = torch.sqrt(dx * dx + dy * dy + 1e-6) / p["iris_size"]
    # The upper lid shades the ball, which also turns away in the corners.
    shade = 1 - 0.45 * _gauss(above / 0.14) - 0.25 * _smooth(out.abs() * 1.6 - 0.6)
    ring = (1.15 - 0.75 * _smooth((distance - 0.62) / 0.38)) * (0.55 + 0.45 * shade)
    disc = _step(1 - distance, 0.35)
    pupil = 1 - 0.97 * _step(0.42 - distance, 0.3)
    glint = _gauss((dx - 0.14 * side * p["glint_x"]) / 0.075) * _gauss((dy - 0.16) / 0.075)
    planes = [
        torch.lerp(white * shade, iris[:, channel, None, None] * ring, disc) * pupil + 0.9 * glint
        for channel, white in enumerate(_SCLERA)
    ]
    return torch.stack(planes, 1)


def _paint_glasses(
    p: Params,
    frame: torch.Tensor,
    window: torch.Tensor,
    patch: torch.Tensor,
    x: torch.Tensor,
    y: torch.Tensor,
) -> None:
    """Rims, bridge, arms and (dark) lenses over the eyes, in place."""
    across = ((x.abs() - p["eye_spacing"] - 0.01) / p["lens_width"]).square()
    down = ((y - p["eye_y"] + 0.02) / p["lens_height"]).square()
    shape = torch.sqrt(torch.sqrt(across.square() + down.square()) + 1e-6)
    rim = _step(p["rim"] - (shape - 1).abs() * p["lens_height"], 0.02)
    bar = _step(p["rim"] - (y - p["eye_y"] - 0.06).abs(), 0.02)
    beside = (x.abs() - p["eye_spacing"]) / p["lens_width"]
    rim = torch.maximum(rim, bar * ((beside < -0.7) | (beside > 1.0)))
    rim = rim * p["glasses"]
    lens = _step(1 - shape, 0.1) * (p["glasses"] * (0.06 + 0.88 * p["dark_lens"]))
    _paint(patch, 0.15 * frame, lens)
    _paint(patch, frame, rim)
    window += 0.035 * torch.maximum(rim, lens * p["dark_lens"])


def _paint_mouth(
    p: Params, curves: dict[str, torch.Tensor], grid: _Grid, radius: torch.Tensor, colour: torch.Tensor
) -> None:
    """Lips, teeth and the folds beside the mouth, in place within the mouth's window."""
    rows, cols = grid.mouth
    x, y = grid.x[cols], grid.y[rows][:, None]
    half = p["mouth_width"] * (1 + 0.25 * p["smile"] - 0.12 * p["mouth_open"])
    along = (x - p["mouth_skew"]) / half
    arc = (1 - along * along).clamp_min(0)
    inside = _step(1.02 - along.abs(), 0.12)
    # `up` is measured from the line between the lips, whose corners rise with the smile.
    up = y - p["mouth_y"] - (0.015 + 0.07 * p["smile"]) * (along * along).clamp_max(1.3)
    gap = (0.012 * p["smile"] + 0.085 * p["mouth_open"]) * arc
    bow = (
        1 - 0.35 * p["cupid"] * _gauss(along / 0.13) + 0.12 * p["cupid"] * _gauss((along.abs() - 0.22) / 0.12)
    )
    top = 0.5 * gap + p["upper_lip"] * (1 - 0.25 * p["smile"]) * arc.sqrt() * bow
    bottom = -1.5 * gap - p["lower_lip"] * (1 - 0.2 * p["smile"]) * arc.pow(0.7)
    lips = _step(top - up, 0.018) * _step(up - bottom, 0.018) * inside
    mouth = _step(0.5 * gap - up, 0.018) * _step(up + 1.5 * gap, 0.018) * (inside * (gap > 0.004))
    seam = _gauss(up / 0.011) * inside * (1 - mouth)
    teeth = mouth * _step(up + 0.5 * gap, 0.02) * _step(0.75 - along.abs(), 0.3)
    # The folds from the nose's wings past the mouth's corners, deeper with age and a smile.
    drop = p["nose_tip_y"] - y
    fold = _gauss((x.abs() - p["nose_width"] - 0.05 - 0.62 * drop.clamp_min(0)) / 0.028)
    fold = fold * (_step(drop + 0.02, 0.1) * _step(y - p["mouth_y"] + 0.12, 0.2))
    fold = fold * (0.15 + 0.5 * p["age"] + 0.5 * p["smile"])

    roll = _gauss((up - 0.55 * top) / (0.45 * p["upper_lip"])) + 1.25 * _gauss(
        (up - 0.55 * bottom) / (0.5 * p["lower_lip"])
    )
    radius[:, rows, cols] += 0.028 * roll * inside * (1 - mouth) - 0.03 * seam - 0.05 * mouth - 0.022 * fold

    patch = colour[:, :, rows, cols]
    patch.mul_((1 - 0.3 * fold)[:, None])
    _paint(patch, curves["lip"], 0.9 * lips)
    patch.mul_((1 - 0.6 * seam)[:, None])
    _paint(patch, _MOUTH, mouth)
    _paint(patch, _TEETH, 0.9 * teeth)


def _shade(
    curves: dict[str, torch.Tensor],
    grid: _Grid,
    radius: torch.Tensor,
    albedo: torch.Tensor,
    gain: torch.Tensor,
    gloss: torch.Tensor,
) -> None:
    """Lights ``albedo`` ``[N, 3, rows, columns]`` in place; ``gain`` scales it, ``gloss`` the highlight."""
    # The normal is (1, -turn, -slope) / length along (outward, tangent, up).
    turn, slope = torch.empty_like(radius), torch.empty_like(radius)
    torch.sub(radius[:, :, 2:], radius[:, :, :-2], out=turn[:, :, 1:-1])
    turn[:, :, 1:-1].mul_(grid.turn_scale).div_(radius[:, :, 1:-1])
    turn[:, :, 0], turn[:, :, -1] = turn[:, :, 1], turn[:, :, -2]
    torch.sub(radius[:, :-2], radius[:, 2:], out=slope[:, 1:-1])
    slope[:, 0], slope[:, -1] = slope[:, 1], slope[:, -2]
    slope.mul_(0.5 / grid.row_step)
    inverse = (turn * turn).addcmul_(slope, slope).add_(1).rsqrt_()

    def facing(name: str) -> torch.Tensor:
        cosine = torch.addcmul(curves[f"{name}_out"], turn, curves[f"{name}_turn"])
        return cosine.addcmul_(slope, curves[f"{name}_up"]).mul_(inverse).clamp_min_(0)

    # Hollows, relative to the surroundings' mean, get less light from everywhere.
    around = _enlarge(F.avg_pool2d(radius[:, None], 8)[:, 0], grid.rows, grid.columns)
    gain.mul_(torch.sub(radius, around, out=around).mul_(5).add_(0.97).clamp_(0.35, 1.12))
    lit = _shadow(radius, curves["key_direction"], grid)
    direct = facing("key").mul_(lit).mul_(gain)
    soft = facing("fill").mul_(0.5).add_(0.75).sub_(slope.mul_(inverse), alpha=0.25).mul_(gain)
    shine = facing("shine").square_().square_().square_().square_().mul_(gloss).mul_(lit)
    for channel in range(3):
        key, sky = (curves[name][:, channel, None, None] for name in ("key_light", "sky_light"))
        plane = albedo[:, channel]
        plane.mul_((soft * sky).addcmul_(direct, key)).addcmul_(shine, key)


def _shadow(radius: torch.Tensor, light: torch.Tensor, grid: _Grid) -> torch.Tensor:
    """Share of the key light that reaches each point: a march towards the light, on a coarse map."""
    coarse = F.avg_pool2d(radius[:, None], _SHADOW_STEP)
    rows, cols = coarse.shape[2:]
    y, sin, cos = (
        F.avg_pool1d(line[None, None], _SHADOW_STEP)[0, 0] for line in (grid.y, grid.sin, grid.cos)
    )
    y, base = y[:, None], coarse[:, 0]
    x, z = base * sin, base * cos
    lx, ly, lz = (light[:, axis, None, None] for axis in range(3))
    # All distances at once, one below the other.
    reach = torch.tensor(_SHADOW_REACH, device=radius.device).repeat_interleave(rows)[:, None]
    px = x.repeat(1, len(_SHADOW_REACH), 1).add_(reach * lx)
    pz = z.repeat(1, len(_SHADOW_REACH), 1).add_(reach * lz)
    rho = (px * px).addcmul_(pz, pz).sqrt_()
    place = base.new_empty(*rho.shape, 2)
    _place(place, px, pz, rho, y.repeat(len(_SHADOW_REACH), 1) + reach * ly)
    blocked = _sample(coarse, place)[:, 0].sub_(rho).sub_(0.015).mul_(1 / (0.25 * reach + 0.01))
    lit = blocked.view(len(radius), -1, rows, cols).amax(1).clamp_(0, 1).neg_().add_(1)
    return _enlarge(lit, grid.rows, grid.columns)


# --- view --------------------------------------------------------------------------------------------------


def project(surface: Surface, faces: Plan, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The surface as the camera sees it.

    Args:
        surface: what :func:`paint_surface` returned.
        faces: the plan it was painted from; ``yaw``, ``pitch`` and ``roll`` are in degrees, ``shift_x`` and
            ``shift_y`` in frames, ``scale`` is relative.
        size: image side in pixels.

    Returns:
        Linear RGB ``[N, 3, size, size]`` and the head's coverage of each pixel, 0 to 1, ``[N, size, size]``.
    """
    p = faces.params()
    yaw, pitch = torch.deg2rad(p["yaw"]), torch.deg2rad(p["pitch"])
    sin, cos, tan = torch.sin(yaw), torch.cos(yaw), torch.tan(pitch)
    radius = surface.radius[:, None]

    def locate(u: torch.Tensor, height: torch.Tensor, z: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        """Writes where the rays' points at depth ``z`` lie on the map; returns their distance to the axis."""
        # In the frame turned back by the pitch alone, a ray keeps u; its y is v / cos(pitch) + z tan(pitch).
        rho = (u * u).addcmul_(z, z).sqrt_()
        _place(
            place,
            (u * cos).addcmul_(z, sin, value=-1),
            (u * sin).addcmul_(z, cos),
            rho,
            torch.addcmul(height, z, tan),
        )
        return rho

    # The first hit on every third ray, linear between the depths, ...
    few = math.ceil(size / _COARSE_STEP)
    u, height = _rays(p, few)
    count, number = len(_DEPTHS), len(u)
    depths = torch.tensor(_DEPTHS, device=u.device)
    stacked = depths[:, None, None].expand(number, count, few, few).reshape(number, -1, few)
    place = u.new_empty(*stacked.shape, 2)
    rho = locate(u.repeat(1, count, 1), height.repeat(1, count, 1), stacked, place)
    outside = rho.sub_(_sample(radius, place)[:, 0]).view(number, count, few, few)
    before, after = outside[:, :-1], outside[:, 1:]
    share = (after / (after - before).clamp_max_(-1e-4)).clamp_(0, 1)
    hit = share.mul_((depths[:-1] - depths[1:])[:, None, None]).add_(depths[1:, None, None])
    hit = hit.masked_fill_(after >= 0, 0.0).amax(1)
    z, nearest = (_enlarge(field, size, size) for field in (hit, outside.amin(1)))

    # ... and corrections on every ray.
    u, height = _rays(p, size)
    place = u.new_empty(*u.shape, 2)
    for _ in range(_CORRECTIONS):
        outside = locate(u, height, z, place).sub_(_sample(radius, place)[:, 0])
        z = torch.sub(z, outside.mul_(_CORRECTION_GAIN).clamp_(*_CORRECTION_RANGE)).clamp_min_(0)
    locate(u, height, z, place)
    image = _sample(surface.colour, place)
    return image, _step(-nearest - 1.25 * _FRAME_HALF / size, 2.5 * _FRAME_HALF / size)


def _rays(p: Params, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Each pixel's ray: its offset u from the axis, and its height there, both ``[N, size, size]``."""
    roll, yaw, pitch = (torch.deg2rad(p[name]) for name in ("roll", "yaw", "pitch"))
    pixel = (torch.arange(size, device=roll.device) + 0.5) * (2 / size) - 1
    half = _FRAME_HALF / p["scale"]
    across = (pixel - 2 * p["shift_x"]) * half
    up = (2 * p["shift_y"] - pixel[:, None]) * half
    u = across * torch.cos(roll) - (up * torch.sin(roll) - _FRAME_FOLLOWS * torch.sin(yaw))
    v = up * torch.cos(roll) + across * torch.sin(roll)
    v = v + (_FRAME_CENTRE_Y - _FRAME_FOLLOWS * torch.sin(pitch))
    return u, v / torch.cos(pitch)


# --- photograph --------------------------------------------------------------------------------------------


def scenery(waves: torch.Tensor, tints: torch.Tensor, size: int) -> torch.Tensor:
    """A blurred background: a sum of separable colour waves.

    Args:
        waves: frequency (periods per frame) and phase (periods) along x, then along y, ``[N, K, 4]``.
        tints: linear RGB amplitude of each, after the mean, ``[N, K + 1, 3]``.
        size: image side in pixels.

    Returns:
        Linear RGB, ``[N, 3, size, size]``.
    """
    number, count = waves.shape[:2]
    pixel = (torch.arange(size, device=waves.device) + 0.5) / size
    across = torch.cos(2 * math.pi * (waves[:, :, 0:1] * pixel + waves[:, :, 1:2]))
    along = torch.cos(2 * math.pi * (waves[:, :, 2:3] * pixel + waves[:, :, 3:4]))
    rows = tints[:, 1:].transpose(1, 2)[:, :, None, :] * along.transpose(1, 2)[:, None]
    picture = torch.bmm(rows.reshape(number, 3 * size, count), across).view(number, 3, size, size)
    return picture.add_(tints[:, 0, :, None, None]).clamp_min_(0.004)


def photograph(
    image: torch.Tensor, coverage: torch.Tensor, behind: torch.Tensor, faces: Plan, noise: torch.Tensor
) -> torch.Tensor:
    """Background, something in front, the lens, the sensor: from light to display values.

    Args:
        image: linear RGB of the head, ``[N, 3, size, size]``.
        coverage: its coverage, ``[N, size, size]``.
        behind: linear RGB of the background, of the same shape as ``image``; overwritten.
        faces: the plan; ``blur`` in pixels, ``noise`` in display units.
        noise: unit variance, ``[N, size, 3, size]``.

    Returns:
        uint8 RGB, ``[N, size, size, 3]``.
    """
    p = faces.params()
    number, size = len(image), image.shape[-1]
    picture = behind.lerp_(image, coverage[:, None].expand_as(image))
    _occlude(picture, p, faces.curves["occluder"])

    place = torch.arange(size, device=image.device, dtype=torch.float32)
    kernel = _gauss((place[:, None] - place) / p["blur"].clamp_min(0.05))
    kernel.div_(kernel.sum(2, keepdim=True))
    picture = torch.bmm(picture.view(number, 3 * size, size), kernel.transpose(1, 2))
    picture = picture.view(number, 3, size, size).transpose(1, 2).reshape(number, size, 3 * size)
    picture = torch.bmm(kernel.mul_(p["exposure"]), picture)

    # Highlights roll off instead of clipping; then display = sqrt(linear).
    picture.clamp_min_(1e-6).mul_(1.2).div_(0.2 * picture + 1).sqrt_()
    picture = picture.view(number, size, 3, size)
    grey = picture.mean(2, keepdim=True)
    picture = torch.lerp(grey.expand_as(picture), picture, p["saturation"][..., None])
    level = 0.45 * (1 - p["contrast"]) + p["haze"]
    picture.mul_(p["contrast"][..., None]).add_(level[..., None]).addcmul_(noise, p["noise"][..., None])
    picture = picture.mul_(255).round_().clamp_(0, 255).transpose(2, 3).contiguous()
    # By way of int32, for which the conversions are vectorised.
    return picture.to(torch.int32).to(torch.uint8)


def _occlude(picture: torch.Tensor, p: Params, colour: torch.Tensor) -> None:
    """Something out of focus that enters the frame from one side, in place."""
    size = picture.shape[-1]
    pixel = (torch.arange(size, device=picture.device) + 0.5) * (2 / size) - 1
    reach = pixel * torch.cos(p["occluder_angle"]) + pixel[:, None] * torch.sin(p["occluder_angle"])
    _paint(picture, colour, _step(reach - p["occluder_edge"], 0.12).mul_(p["occluder"]))
