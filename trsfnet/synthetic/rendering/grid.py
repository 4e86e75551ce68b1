"""The map on which a head is painted: rows of equal height `y`, columns of equal angle `theta`."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

# The map's extent: rows from above the hair to the shoulders, columns past the silhouette of a turned head.
_Y_TOP, _Y_BOTTOM = 1.4, -2.0
_COLUMN_LIMIT = 0.66
# Columns are x / (k (rho + z) + |x|): this needs no arctangent per pixel and puts more columns in front than
# at the sides.
_COLUMN_DENSITY = 1.2
# Above this height, there is only the head, no neck or body.
BODY_TOP = -0.2
# Features are positioned by x = FRONT_RADIUS sin(theta), close to the true x of a point on the front.
_FRONT_RADIUS = 0.85


@dataclass(frozen=True)
class Grid:
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
    brim: tuple[slice, slice]
    low: slice


@functools.lru_cache(maxsize=8)
def make_grid(size: int, device: torch.device) -> Grid:
    """The map's coordinates for images of `size` pixels."""
    # Multiples of 16 give all images of a batch the same memory alignment, so that an image's position in the
    # batch does not change its pixels.
    rows = columns = 16 * math.ceil(size * 1.14 / 16)
    y = torch.linspace(_Y_TOP, _Y_BOTTOM, rows, dtype=torch.float64)
    column = torch.linspace(-_COLUMN_LIMIT, _COLUMN_LIMIT, columns, dtype=torch.float64)
    theta = 2 * torch.atan(_COLUMN_DENSITY * column / (1 - column.abs()))
    # No feature may appear behind the ears, so x is far away there.
    x = torch.where(theta.abs() < math.pi / 2, _FRONT_RADIUS * torch.sin(theta), 9.0 * theta.sign())

    def window(low: float, high: float, half_width: float) -> tuple[slice, slice]:
        row = torch.nonzero((y > low) & (y < high))
        col = torch.nonzero(x.abs() < half_width)
        return slice(int(row[0]), int(row[-1]) + 1), slice(int(col[0]), int(col[-1]) + 1)

    def ship(values: torch.Tensor) -> torch.Tensor:
        return values.to(torch.float32).to(device)

    return Grid(
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
        brim=window(0.0, 1.0, 0.8),
        low=slice(int((y > BODY_TOP).sum()), rows),
    )


def map_shape(size: int) -> tuple[int, int]:
    """Rows and columns of the surface's map for images of `size` pixels."""
    grid = make_grid(size, torch.device("cpu"))
    return grid.rows, grid.columns


def place_on_map(
    out: torch.Tensor, x: torch.Tensor, z: torch.Tensor, rho: torch.Tensor, y: torch.Tensor
) -> None:
    """Write the position of points on the map into `out` `[..., 2]`, in the form of `grid_sample`."""
    scale = (rho + z).mul_(_COLUMN_DENSITY * _COLUMN_LIMIT).add_(x.abs(), alpha=_COLUMN_LIMIT).add_(1e-4)
    torch.div(x, scale, out=out[..., 0])
    middle, half = 0.5 * (_Y_TOP + _Y_BOTTOM), 0.5 * (_Y_TOP - _Y_BOTTOM)
    out[..., 1] = (middle - y).mul_(1 / half)


def sample(field: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """Interpolate `field` `[N, C, rows, columns]` at positions from `place_on_map`."""
    return F.grid_sample(field, place, align_corners=True, padding_mode="border")
