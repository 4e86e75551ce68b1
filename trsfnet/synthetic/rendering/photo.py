"""Background, occluder, lens and sensor."""

from __future__ import annotations

import math

import torch

from trsfnet.synthetic.rendering.arithmetic import Params, gauss, step
from trsfnet.synthetic.rendering.colours import paint
from trsfnet.synthetic.rendering.plan import Plan


def scenery(waves: torch.Tensor, tints: torch.Tensor, size: int) -> torch.Tensor:
    """A blurred background: a sum of separable colour waves.

    Args:
        waves: frequency (periods per frame) and phase (periods) along x, then along y, `[N, K, 4]`.
        tints: the mean in linear RGB, then the linear RGB amplitude of each wave, `[N, K + 1, 3]`.
        size: image side in pixels.

    Returns:
        Linear RGB, `[N, 3, size, size]`.
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
    """Add background, occluder, lens blur and sensor noise, and convert linear light to display values.

    Args:
        image: linear RGB of the head, `[N, 3, size, size]`.
        coverage: its coverage, `[N, size, size]`.
        behind: linear RGB of the background, with the same shape as `image`; overwritten.
        faces: the plan, with `blur` in pixels and `noise` in display units.
        noise: noise of unit variance, `[N, size, 3, size]`.

    Returns:
        uint8 RGB, `[N, size, size, 3]`.
    """
    p = faces.params()
    number, size = len(image), image.shape[-1]
    picture = behind.lerp_(image, coverage[:, None].expand_as(image))
    _occlude(picture, p, faces.curves["occluder"])

    place = torch.arange(size, device=image.device, dtype=torch.float32)
    kernel = gauss((place[:, None] - place) / p["blur"].clamp_min(0.05))
    kernel.div_(kernel.sum(2, keepdim=True))
    picture = torch.bmm(picture.view(number, 3 * size, size), kernel.transpose(1, 2))
    picture = picture.view(number, 3, size, size).transpose(1, 2).reshape(number, size, 3 * size)
    picture = torch.bmm(kernel.mul_(p["exposure"]), picture)

    # Highlights roll off instead of clipping; then display = sqrt(linear).
    picture.clamp_min_(1e-6).mul_(1.25).div_(0.5 * picture + 1).sqrt_()
    picture = picture.view(number, size, 3, size)
    grey = picture.mean(2, keepdim=True)
    picture = torch.lerp(grey.expand_as(picture), picture, p["saturation"][..., None])
    level = 0.45 * (1 - p["contrast"]) + p["haze"]
    picture.mul_(p["contrast"][..., None]).add_(level[..., None]).addcmul_(noise, p["noise"][..., None])
    picture = picture.mul_(255).round_().clamp_(0, 255).transpose(2, 3).contiguous()
    # Convert via int32, because these conversions are vectorised.
    return picture.to(torch.int32).to(torch.uint8)


def _occlude(picture: torch.Tensor, p: Params, colour: torch.Tensor) -> None:
    """Paint an out-of-focus object that enters the frame from one side, in place."""
    size = picture.shape[-1]
    pixel = (torch.arange(size, device=picture.device) + 0.5) * (2 / size) - 1
    reach = pixel * torch.cos(p["occluder_angle"]) + pixel[:, None] * torch.sin(p["occluder_angle"])
    paint(picture, colour, step(reach - p["occluder_edge"], 0.12).mul_(p["occluder"]))
