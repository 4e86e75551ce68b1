"""Projects the surface into the image by intersecting each pixel's ray with it."""

from __future__ import annotations

import math

import torch

from trsfnet.synthetic.rendering.arithmetic import Params, enlarge, step
from trsfnet.synthetic.rendering.grid import place_on_map, sample
from trsfnet.synthetic.rendering.plan import Plan
from trsfnet.synthetic.rendering.surface import Surface

# Half the frame's height in head units, and the frame's centre, which put the eyes at 42 % from the top.
_FRAME_HALF = 1.36
_FRAME_CENTRE_Y = -0.20
# The frame follows the face when the head turns, as a detector's crop does (share of the frontal depth).
_FRAME_FOLLOWS = 0.45
# Depths at which a ray is tested for its first hit, from in front of the tip of the nose to the axis.
_DEPTHS = (1.3, 1.18, 1.08, 1.0, 0.93, 0.86, 0.78, 0.68, 0.55, 0.4, 0.22, 0.0)

# The test is done every `_COARSE_STEP` pixels; the rays in between start from interpolated hits. All rays are
# then corrected by the remaining distance, or a little more, because they meet the surface at an angle.
_COARSE_STEP = 3
_CORRECTIONS = 1
_CORRECTION_GAIN = 1.05
# Outward corrections are limited more: next to a steep edge, such as that of hanging hair, a long step would
# leave the surface again.
_CORRECTION_RANGE = (-0.03, 0.15)


def project(surface: Surface, faces: Plan, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Project the surface into the image.

    Args:
        surface: the result of `paint_surface`.
        faces: the plan it was painted from; `yaw`, `pitch` and `roll` are in degrees, `shift_x` and
            `shift_y` in frames, `scale` is relative.
        size: image side in pixels.

    Returns:
        Linear RGB `[N, 3, size, size]` and the head's coverage of each pixel, 0 to 1, `[N, size, size]`.
    """
    p = faces.params()
    yaw, pitch = torch.deg2rad(p["yaw"]), torch.deg2rad(p["pitch"])
    sin, cos, tan = torch.sin(yaw), torch.cos(yaw), torch.tan(pitch)
    radius = surface.radius[:, None]

    def locate(u: torch.Tensor, height: torch.Tensor, z: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        """Write the map positions of the rays' points at depth `z`; return their distance from the axis."""
        # In the frame with only the pitch undone, a ray keeps u, and its y is v / cos(pitch) + z tan(pitch).
        rho = (u * u).addcmul_(z, z).sqrt_()
        place_on_map(
            place,
            (u * cos).addcmul_(z, sin, value=-1),
            (u * sin).addcmul_(z, cos),
            rho,
            torch.addcmul(height, z, tan),
        )
        return rho

    # The first hit on every third ray, by linear interpolation between the depths, ...
    few = math.ceil(size / _COARSE_STEP)
    u, height = _rays(p, few)
    count, number = len(_DEPTHS), len(u)
    depths = torch.tensor(_DEPTHS, device=u.device)
    stacked = depths[:, None, None].expand(number, count, few, few).reshape(number, -1, few)
    place = u.new_empty(*stacked.shape, 2)
    rho = locate(u.repeat(1, count, 1), height.repeat(1, count, 1), stacked, place)
    outside = rho.sub_(sample(radius, place)[:, 0]).view(number, count, few, few)
    before, after = outside[:, :-1], outside[:, 1:]
    share = (after / (after - before).clamp_max_(-1e-4)).clamp_(0, 1)
    hit = share.mul_((depths[:-1] - depths[1:])[:, None, None]).add_(depths[1:, None, None])
    hit = hit.masked_fill_(after >= 0, 0.0).amax(1)
    z, nearest = (enlarge(field, size, size) for field in (hit, outside.amin(1)))

    # ... then corrections on every ray.
    u, height = _rays(p, size)
    place = u.new_empty(*u.shape, 2)
    for _ in range(_CORRECTIONS):
        outside = locate(u, height, z, place).sub_(sample(radius, place)[:, 0])
        z = torch.sub(z, outside.mul_(_CORRECTION_GAIN).clamp_(*_CORRECTION_RANGE)).clamp_min_(0)
    locate(u, height, z, place)
    image = sample(surface.colour, place)
    return image, step(-nearest - 1.25 * _FRAME_HALF / size, 2.5 * _FRAME_HALF / size)


def _rays(p: Params, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The ray of each pixel: its offset u from the axis and its height there, both `[N, size, size]`."""
    roll, yaw, pitch = (torch.deg2rad(p[name]) for name in ("roll", "yaw", "pitch"))
    pixel = (torch.arange(size, device=roll.device) + 0.5) * (2 / size) - 1
    half = _FRAME_HALF / p["scale"]
    across = (pixel - 2 * p["shift_x"]) * half
    up = (2 * p["shift_y"] - pixel[:, None]) * half
    u = across * torch.cos(roll) - (up * torch.sin(roll) - _FRAME_FOLLOWS * torch.sin(yaw))
    v = up * torch.cos(roll) + across * torch.sin(roll)
    v = v + (_FRAME_CENTRE_Y - _FRAME_FOLLOWS * torch.sin(pitch))
    return u, v / torch.cos(pitch)
