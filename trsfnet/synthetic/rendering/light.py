"""Shading on the map: Lambertian reflection, ambient occlusion, a cast shadow and a highlight."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from trsfnet.synthetic.rendering.arithmetic import Params, enlarge
from trsfnet.synthetic.rendering.colours import named_colour
from trsfnet.synthetic.rendering.grid import Grid, place_on_map, sample

# The map for shadows is coarser by this factor. The march towards the light checks for obstacles at these
# distances.
_SHADOW_STEP = 4
_SHADOW_REACH = (0.08, 0.18, 0.38)


def _direction(params: Params, azimuth: torch.Tensor, elevation: torch.Tensor) -> torch.Tensor:
    """Unit vector `[N, 3]`, in the head's frame, of a direction fixed to the camera (angles in degrees)."""
    az, el = torch.deg2rad(azimuth), torch.deg2rad(elevation)
    x, y, z = torch.sin(az) * torch.cos(el), torch.sin(el), torch.cos(az) * torch.cos(el)
    roll, pitch, yaw = (torch.deg2rad(params[name]) for name in ("roll", "pitch", "yaw"))
    x, y = x * torch.cos(roll) - y * torch.sin(roll), y * torch.cos(roll) + x * torch.sin(roll)
    y, z = y * torch.cos(pitch) + z * torch.sin(pitch), z * torch.cos(pitch) - y * torch.sin(pitch)
    return torch.stack(
        [x * torch.cos(yaw) - z * torch.sin(yaw), y, x * torch.sin(yaw) + z * torch.cos(yaw)], 1
    )


def lights(params: Params, grid: Grid) -> dict[str, torch.Tensor]:
    """Lights: directions, their components in each column's frame (outward, tangential, up), and colours."""
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
    curves["key_light"] = params["key"][:, None] * named_colour(params, "key")
    curves["sky_light"] = params["ambient"][:, None] * named_colour(params, "sky")
    return curves


def shade(
    curves: dict[str, torch.Tensor],
    grid: Grid,
    radius: torch.Tensor,
    albedo: torch.Tensor,
    gain: torch.Tensor,
    gloss: torch.Tensor,
) -> None:
    """Shade `albedo` `[N, 3, rows, columns]` in place; `gain` scales the light, `gloss` the highlight."""
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

    # Points that are lower than the mean of their surroundings receive less light from all directions.
    around = enlarge(F.avg_pool2d(radius[:, None], 8)[:, 0], grid.rows, grid.columns)
    gain.mul_(torch.sub(radius, around, out=around).mul_(5).add_(0.97).clamp_(0.35, 1.12))
    lit = _shadow(radius, curves["key_direction"], grid)
    direct = facing("key").mul_(lit).mul_(gain)
    soft = facing("fill").mul_(0.5).add_(0.75).sub_(slope.mul_(inverse), alpha=0.25).mul_(gain)
    shine = facing("shine").square_().square_().square_().square_().mul_(gloss).mul_(lit).mul_(inverse)
    for channel in range(3):
        key, sky = (curves[name][:, channel, None, None] for name in ("key_light", "sky_light"))
        plane = albedo[:, channel]
        plane.mul_((soft * sky).addcmul_(direct, key)).addcmul_(shine, key)


def _shadow(radius: torch.Tensor, light: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Share of the key light that reaches each point, by ray marching towards the light on a coarse map."""
    coarse = F.avg_pool2d(radius[:, None], _SHADOW_STEP)
    rows, cols = coarse.shape[2:]
    y, sin, cos = (
        F.avg_pool1d(line[None, None], _SHADOW_STEP)[0, 0] for line in (grid.y, grid.sin, grid.cos)
    )
    y, base = y[:, None], coarse[:, 0]
    x, z = base * sin, base * cos
    lx, ly, lz = (light[:, axis, None, None] for axis in range(3))
    # All distances at once, stacked along the rows.
    reach = torch.tensor(_SHADOW_REACH, device=radius.device).repeat_interleave(rows)[:, None]
    px = x.repeat(1, len(_SHADOW_REACH), 1).add_(reach * lx)
    pz = z.repeat(1, len(_SHADOW_REACH), 1).add_(reach * lz)
    rho = (px * px).addcmul_(pz, pz).sqrt_()
    place = base.new_empty(*rho.shape, 2)
    place_on_map(place, px, pz, rho, y.repeat(len(_SHADOW_REACH), 1) + reach * ly)
    blocked = sample(coarse, place)[:, 0].sub_(rho).sub_(0.015).mul_(1 / (0.25 * reach + 0.01))
    lit = blocked.view(len(radius), -1, rows, cols).amax(1).clamp_(0, 1).neg_().add_(1)
    return enlarge(lit, grid.rows, grid.columns)
