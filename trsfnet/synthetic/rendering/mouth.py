"""Lips, teeth and the folds next to the mouth, painted in the mouth's window of the map."""

from __future__ import annotations

import torch

from trsfnet.synthetic.rendering.arithmetic import Params, gauss, step
from trsfnet.synthetic.rendering.colours import MOUTH, TEETH, paint
from trsfnet.synthetic.rendering.grid import Grid


def paint_mouth(
    p: Params, curves: dict[str, torch.Tensor], grid: Grid, radius: torch.Tensor, colour: torch.Tensor
) -> None:
    """Paint lips, teeth and the folds next to the mouth in place, within the mouth's window."""
    rows, cols = grid.mouth
    x, y = grid.x[cols], grid.y[rows][:, None]
    half = p["mouth_width"] * (1 + 0.25 * p["smile"] - 0.12 * p["mouth_open"])
    along = (x - p["mouth_skew"]) / half
    arc = (1 - along * along).clamp_min(0)
    inside = step(1.02 - along.abs(), 0.12)
    # `up` is measured from the line between the lips, whose corners rise with the smile.
    up = y - p["mouth_y"] - (0.015 + 0.07 * p["smile"]) * (along * along).clamp_max(1.3)
    gap = (0.012 * p["smile"] + 0.085 * p["mouth_open"]) * arc
    bow = 1 - 0.35 * p["cupid"] * gauss(along / 0.13) + 0.12 * p["cupid"] * gauss((along.abs() - 0.22) / 0.12)
    top = 0.5 * gap + p["upper_lip"] * (1 - 0.25 * p["smile"]) * arc.sqrt() * bow
    bottom = -1.5 * gap - p["lower_lip"] * (1 - 0.2 * p["smile"]) * arc.pow(0.7)
    lips = step(top - up, 0.018) * step(up - bottom, 0.018) * inside
    mouth = step(0.5 * gap - up, 0.018) * step(up + 1.5 * gap, 0.018) * (inside * (gap > 0.004))
    seam = gauss(up / 0.011) * inside * (1 - mouth)
    teeth = mouth * step(up + 0.5 * gap, 0.02) * step(0.75 - along.abs(), 0.3)
    # Folds from the wings of the nose past the corners of the mouth, deeper with age and a smile.
    drop = p["nose_tip_y"] - y
    fold = gauss((x.abs() - p["nose_width"] - 0.05 - 0.62 * drop.clamp_min(0)) / 0.045)
    fold = fold * (step(drop - 0.04, 0.2) * step(y - p["mouth_y"] + 0.12, 0.2))
    fold = fold * (0.15 + 0.5 * p["age"] + 0.5 * p["smile"])

    roll = gauss((up - 0.55 * top) / (0.45 * p["upper_lip"])) + 1.25 * gauss(
        (up - 0.55 * bottom) / (0.5 * p["lower_lip"])
    )
    roll = 0.028 * roll * arc.sqrt() * (1 - mouth)
    radius[:, rows, cols] += roll - 0.03 * seam - 0.05 * mouth - 0.016 * fold

    patch = colour[:, :, rows, cols]
    patch.mul_((1 - 0.18 * fold)[:, None])
    paint(patch, curves["lip"], 0.9 * lips)
    patch.mul_((1 - 0.6 * seam)[:, None])
    paint(patch, MOUTH, mouth)
    paint(patch, TEETH, 0.9 * teeth)
