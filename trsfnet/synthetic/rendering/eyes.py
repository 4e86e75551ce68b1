"""Eyes, lids, lashes, brows and glasses, painted in the eyes' window of the map."""

from __future__ import annotations

import torch

from trsfnet.synthetic.rendering.arithmetic import Params, gauss, smooth, step
from trsfnet.synthetic.rendering.colours import CARUNCLE, LASH, SCLERA, paint
from trsfnet.synthetic.rendering.grid import Grid


def paint_eyes(
    p: Params,
    curves: dict[str, torch.Tensor],
    grid: Grid,
    radius: torch.Tensor,
    colour: torch.Tensor,
) -> None:
    """Paint eyes, lids, lashes, brows and glasses in place, within the eyes' window."""
    rows, cols = grid.eye
    x, y = grid.x[cols], grid.y[rows][:, None]
    side = torch.sign(x)
    # Both eyes at once: `out` goes from -1 at the inner corner to 1 at the outer one; `up` points upwards.
    out = (x.abs() - p["eye_spacing"]) / p["eye_size"]
    up = (y - p["eye_y"]) / p["eye_size"] - p["eye_tilt"] * out
    within = out.abs()
    # The lids are arcs that meet at the corners; the upper one peaks towards the nose.
    arc = 1 - out * out
    upper = p["eye_open"] * p["eye_aspect"] * arc * (1 - 0.15 * out)
    lower = -0.30 * (1 - 0.3 * p["smile"]) * arc.clamp_min(-1) * (1 + 0.1 * out)
    above = up - upper
    opening = step(-above, 0.12) * step(up - lower, 0.12) * (within < 1)
    lid = step(-0.22 - above + 0.44, 0.2) * step(above, 0.1) * step(1.1 - within, 0.3)
    lash = gauss((up - upper.clamp_min(-0.2) - 0.03) / 0.075) * step(1.1 - within, 0.2)
    crease = gauss((up - upper.clamp_min(0) - 0.26) / 0.07) * (step(1.15 - within, 0.4) * p["lid_fold"])
    under = gauss((up - lower.clamp_max(0) + 0.05) / 0.06) * step(1.0 - within, 0.2)
    relief = 0.016 * lid - 0.012 * crease - 0.014 * opening

    patch = colour[:, :, rows, cols]
    patch.mul_((1 - 0.45 * crease - 0.3 * under)[:, None])
    paint(patch, _eyeball(p, curves["iris"], side, out, up, above), opening)
    paint(patch, LASH, (0.9 * lash).clamp_(0, 1))
    paint(patch, CARUNCLE, 0.6 * gauss((out + 0.97) / 0.1) * gauss((up + 0.02) / 0.1))

    # Brows: an arched band that thins outwards.
    along = (x.abs() - p["eye_spacing"]) / 0.2
    ridge = (
        p["brow_y"] + 0.05 * p["brow_raise"] + p["brow_tilt"] * along - p["brow_arch"] * (along - 0.35) ** 2
    )
    ridge = ridge - 0.05 * p["frown"] * (0.3 - along).clamp_min(0)
    thick = p["brow_thick"] * (1 - 0.35 * (along + 0.2).clamp(-1, 1.5))
    ends = step(1.15 - along, 0.5) * step(along + p["brow_gap"], 0.35) * p["brow_density"]
    brow = gauss((y - ridge) / thick) * ends
    paint(patch, 0.6 * curves["hair"], brow)
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
    """Colour of the white, iris, pupil and glint: linear RGB `[N, 3, h, w]`."""
    dx, dy = out - side * p["gaze_x"] + 0.05, up - p["gaze_y"] - 0.05
    distance = torch.sqrt(dx * dx + dy * dy + 1e-6) / p["iris_size"]
    # The upper lid shades the eyeball, which also curves away from the viewer at the corners.
    shade = 1 - 0.45 * gauss(above / 0.14) - 0.25 * smooth(out.abs() * 1.6 - 0.6)
    ring = (1.15 - 0.75 * smooth((distance - 0.62) / 0.38)) * (0.55 + 0.45 * shade)
    disc = step(1 - distance, 0.35)
    pupil = 1 - 0.97 * step(0.42 - distance, 0.3)
    glint = gauss((dx - 0.14 * side * p["glint_x"]) / 0.075) * gauss((dy - 0.16) / 0.075)
    planes = [
        torch.lerp(white * shade, iris[:, channel, None, None] * ring, disc) * pupil + 0.9 * glint
        for channel, white in enumerate(SCLERA)
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
    """Paint rims, bridge, arms and (dark) lenses over the eyes, in place."""
    across = ((x.abs() - p["eye_spacing"] - 0.01) / p["lens_width"]).square()
    down = ((y - p["eye_y"] + 0.02) / p["lens_height"]).square()
    shape = torch.sqrt(torch.sqrt(across.square() + down.square()) + 1e-6)
    rim = step(p["rim"] - (shape - 1).abs() * p["lens_height"], 0.02)
    bar = step(p["rim"] - (y - p["eye_y"] - 0.06).abs(), 0.02)
    outward = (x.abs() - p["eye_spacing"]) / p["lens_width"]
    rim = torch.maximum(rim, bar * ((outward < -0.7) | (outward > 1.0)))
    rim = rim * p["glasses"]
    lens = step(1 - shape, 0.1) * (p["glasses"] * (0.06 + 0.88 * p["dark_lens"]))
    paint(patch, 0.15 * frame, lens)
    paint(patch, frame, rim)
    window += 0.035 * torch.maximum(rim, lens * p["dark_lens"])
