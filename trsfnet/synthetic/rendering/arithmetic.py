"""The renderer's basic curves and resampling, each the cheapest variant that looks smooth."""

from __future__ import annotations

import functools

import torch

Params = dict[str, torch.Tensor]
"""Face parameters by name."""


def gauss(distance: torch.Tensor) -> torch.Tensor:
    """A Gaussian bell of height 1 around 0, with unit standard deviation."""
    # The tails are clamped at 2e-9, because denormal numbers beyond them are slow.
    return (distance * distance).mul_(-0.5).clamp_min_(-20).exp_()


def step(signed: torch.Tensor, width: float) -> torch.Tensor:
    """Linear step from 0 to 1 across `width` around zero; cheaper than a sigmoid, as smooth once sampled."""
    return (signed * (1 / width)).add_(0.5).clamp_(0, 1)


def smooth(position: torch.Tensor) -> torch.Tensor:
    """Smoothstep: rises from 0 to 1 as `position` goes from 0 to 1, with zero slope at both ends."""
    clamped = position.clamp(0, 1)
    return clamped.square().mul_(3 - 2 * clamped)


def blend(values: list[torch.Tensor], knots: list[float], width: float, at: torch.Tensor) -> torch.Tensor:
    """Smooth curve close to `values` (each `[N]`) at the `knots`, evaluated at `at` `[M]`: `[N, M]`."""
    weight = gauss((at - torch.tensor(knots, device=at.device)[:, None]) / width) + 1e-12
    return torch.stack(values, 1) @ (weight / weight.sum(0, keepdim=True))


@functools.lru_cache(maxsize=32)
def _enlarging(count: int, wanted: int, device: torch.device) -> torch.Tensor:
    """Matrix `[wanted, count]` of linear interpolation between the centres of `count` equal parts."""
    at = (torch.arange(wanted, dtype=torch.float64)[:, None] + 0.5) * (count / wanted) - 0.5
    weight = (1 - (at.clamp(0, count - 1) - torch.arange(count)).abs()).clamp_min(0)
    return weight.to(torch.float32).to(device)


def enlarge(field: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Interpolate `field` `[N, h, w]` to `[N, rows, columns]` by matrix products: faster than resampling."""
    down = _enlarging(field.shape[1], rows, field.device).expand(len(field), -1, -1)
    across = _enlarging(field.shape[2], columns, field.device).T.expand(len(field), -1, -1)
    return torch.bmm(torch.bmm(down, field), across)
