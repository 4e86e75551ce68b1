"""Curves and resampling that the renderer is made of, each the cheapest that looks smooth."""

from __future__ import annotations

import functools

import torch

Params = dict[str, torch.Tensor]
"""Face parameters by name."""


def gauss(distance: torch.Tensor) -> torch.Tensor:
    """A bell of height 1 around 0, of unit standard deviation."""
    # The tails end at 2e-9, since the denormal numbers that would follow are slow.
    return (distance * distance).mul_(-0.5).clamp_min_(-20).exp_()


def step(signed: torch.Tensor, width: float) -> torch.Tensor:
    """0 to 1 across `width` around zero, linear: cheaper than a sigmoid and as smooth once sampled."""
    return (signed * (1 / width)).add_(0.5).clamp_(0, 1)


def smooth(position: torch.Tensor) -> torch.Tensor:
    """0 to 1 as `position` goes from 0 to 1, level at both ends."""
    clamped = position.clamp(0, 1)
    return clamped.square().mul_(3 - 2 * clamped)


def blend(values: list[torch.Tensor], knots: list[float], width: float, at: torch.Tensor) -> torch.Tensor:
    """Smooth curve near `values` (each `[N]`) at the `knots`, read at `at` `[M]`: `[N, M]`."""
    weight = gauss((at - torch.tensor(knots, device=at.device)[:, None]) / width) + 1e-12
    return torch.stack(values, 1) @ (weight / weight.sum(0, keepdim=True))


@functools.lru_cache(maxsize=32)
def _enlarging(count: int, wanted: int, device: torch.device) -> torch.Tensor:
    """Matrix `[wanted, count]` of linear interpolation between the centres of `count` equal parts."""
    at = (torch.arange(wanted, dtype=torch.float64)[:, None] + 0.5) * (count / wanted) - 0.5
    weight = (1 - (at.clamp(0, count - 1) - torch.arange(count)).abs()).clamp_min(0)
    return weight.to(torch.float32).to(device)


def enlarge(field: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """`field` `[N, h, w]` interpolated to `[N, rows, columns]`, as products: faster than resampling."""
    down = _enlarging(field.shape[1], rows, field.device).expand(len(field), -1, -1)
    across = _enlarging(field.shape[2], columns, field.device).T.expand(len(field), -1, -1)
    return torch.bmm(torch.bmm(down, field), across)
