"""Relief of the facial features and tints of the skin: Gaussian bumps, evaluated as one matrix product."""

from __future__ import annotations

import torch

from trsfnet.synthetic.rendering.arithmetic import Params, gauss, smooth
from trsfnet.synthetic.rendering.colours import BLUISH, DARKER, HOLLOW, REDDER
from trsfnet.synthetic.rendering.grid import Grid


def _bumps(p: Params) -> list[tuple]:
    """Bumps of the features' relief: height, centre x, width x, centre y, width y, True if mirrored."""
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
        # Tip of the nose, its wings, the furrow next to them.
        (p["nose_ball"], p["nose_skew"], 0.55 * p["nose_width"], nose, 0.07, False),
        (0.35 * p["nose_height"], 0.86 * p["nose_width"], 0.045, nose - 0.035, 0.05, True),
        (-0.02, 1.4 * p["nose_width"], 0.055, nose - 0.02, 0.08, True),
        # Mound of the mouth, philtrum, furrow below the lips, corners of the mouth.
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
    """Changes of the skin's colour: strength, position as in `_bumps`, relative change of RGB."""
    nose, mouth, eye = p["nose_tip_y"], p["mouth_y"], p["eye_y"]
    return [
        (p["blush"], 0.42, 0.14, eye - 0.28, 0.13, True, REDDER),
        (0.8 * p["blush"], 0.0, 0.09, nose, 0.10, False, REDDER),
        # Bags and sockets.
        (0.20 + 0.35 * p["age"], p["eye_spacing"] - 0.02, 0.13, eye - 0.12, 0.04, True, BLUISH),
        (0.35, p["eye_spacing"] - 0.04, 0.15, eye + 0.07, 0.05, True, DARKER),
        # Nostrils and the shade around the nose's base.
        (0.9, 0.5 * p["nose_width"], 0.032, nose - 0.085, 0.02, True, HOLLOW),
        (0.35, 0.0, 0.8 * p["nose_width"], nose - 0.11, 0.035, False, DARKER),
        (0.3, 1.25 * p["nose_width"], 0.03, nose - 0.03, 0.06, True, DARKER),
        # Below the lower lip; beard; below the jaw.
        (0.3, 0.0, 0.13, mouth - 0.155, 0.03, False, DARKER),
        (p["beard"], 0.0, 0.36, mouth - 0.2, 0.15, False, DARKER),
        (0.8 * p["beard"], 0.5, 0.13, mouth, 0.18, True, DARKER),
        (0.8 * p["beard"], 0.0, 0.16, 0.5 * (mouth + nose), 0.06, False, DARKER),
        (0.9, 0.0, 0.5, -p["chin_drop"] - 0.16, 0.14, False, DARKER),
    ]


def _separable(table: list[tuple], grid: Grid, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Factors of `K` Gaussians: `[N, K, rows]`, multiplied by the strengths, and `[N, K, columns]`."""

    def column(index: int) -> torch.Tensor:
        values = [torch.as_tensor(entry[index], dtype=like.dtype, device=like.device) for entry in table]
        return torch.stack([value.expand_as(like) for value in values], 1)[:, :, None]

    height, cx, wx, cy, wy = (column(index) for index in range(5))
    mirrored = torch.tensor([float(entry[5]) for entry in table], device=like.device)[None, :, None]
    across = gauss((grid.x - cx) / wx) + mirrored * gauss((grid.x + cx) / wx)
    return height * gauss((grid.y - cy) / wy), across


def relief_factors(params: Params, grid: Grid) -> tuple[torch.Tensor, torch.Tensor]:
    """Factors `[N, rows, K]` and `[N, K, columns]` whose product is the features' relief."""
    along, across = _separable(_bumps(params), grid, params["eye_y"])
    p = {name: value[:, None] for name, value in params.items()}

    # The ridge of the nose rises from the root between the eyes to the tip, then drops to the lip.
    root, tip = p["eye_y"] + 0.13, p["nose_tip_y"]
    way = ((root - grid.y) / (root - tip)).clamp(0, 1.4)
    ridge = (0.12 + 0.88 * way.clamp_max(1)) * smooth(way * 4) * smooth((grid.y - tip + 0.11) / 0.13)
    ridge = p["nose_height"] * ridge + p["nose_hump"] * gauss((way - 0.5) / 0.2)
    line = (grid.x - p["nose_skew"]) / p["nose_bridge"]

    # Forehead lines deepen with age and with raised brows.
    lines = torch.cos((grid.y - p["brow_y"]) * 58) * gauss((grid.y - p["brow_y"] - 0.24) / 0.09)
    lines = 0.006 * p["age"] * (0.6 + 0.6 * p["brow_raise"].clamp_min(0)) * lines

    # Ears stand out from the sides; long hair presses them flat. From the front, they belong to the outline.
    pressed = torch.where(p["hair_end"] < -0.3, 0.3, 1.0)
    ear = pressed * p["ear_out"] * gauss((grid.y - p["eye_y"] + 0.12) / p["ear_size"])

    along = torch.cat([along, torch.stack([0.65 * ridge, 0.35 * ridge, lines, ear], 1)], 1)
    more = [
        gauss(line),
        gauss(line / 1.9),
        gauss(grid.x / 0.3).expand_as(line),
        gauss((grid.degrees.abs() - 93) / 9).expand_as(line),
    ]
    return along.transpose(1, 2).contiguous(), torch.cat([across, torch.stack(more, 1)], 1)


def tint_factors(params: Params, grid: Grid, skin: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Factors `[N, 3 rows, K]` and `[N, K, columns]` whose product is the skin's colour."""
    tints = _tints(params)
    along, across = _separable(tints, grid, params["eye_y"])
    change = torch.tensor([tint[6] for tint in tints], device=along.device)
    along = torch.cat([along[:, None] * change.T[:, :, None], along.new_ones(len(along), 3, 1, grid.rows)], 2)
    along = (along * skin[:, :, None, None]).transpose(2, 3).reshape(len(along), 3 * grid.rows, -1)
    return along, torch.cat([across, across.new_ones(len(across), 1, grid.columns)], 1)
