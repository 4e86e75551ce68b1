"""Random numbers and noise that are equal on every machine: hashes of integers instead of a generator."""

from __future__ import annotations

import functools
import zlib

import torch

# Side of the periodic noise tiles.
TILE = 256


def signed(word: int) -> int:
    """The int64 with the lowest 64 bits of `word`."""
    word &= (1 << 64) - 1
    return word - (1 << 64) if word >> 63 else word


GOLDEN = signed(0x9E3779B97F4A7C15)
_FINAL_A = signed(0xBF58476D1CE4E5B9)
_FINAL_B = signed(0x94D049BB133111EB)


def _shift_right(word: torch.Tensor, bits: int) -> torch.Tensor:
    return (word >> bits) & ((1 << (64 - bits)) - 1)


def mix(word: torch.Tensor) -> torch.Tensor:
    """SplitMix64's output function on int64, with overflow that wraps around."""
    word = word + GOLDEN
    word = (word ^ _shift_right(word, 30)) * _FINAL_A
    word = (word ^ _shift_right(word, 27)) * _FINAL_B
    return word ^ _shift_right(word, 31)


def uniform(keys: torch.Tensor, names: list[str]) -> torch.Tensor:
    """Uniform draws in [0, 1), one per key and name: float32 `[N, len(names)]`."""
    codes = torch.tensor([zlib.crc32(name.encode()) for name in names], device=keys.device)
    words = mix(keys[:, None] ^ mix(codes)[None, :])
    return _shift_right(words, 40).to(torch.float32) * 2.0**-24


@functools.lru_cache(maxsize=8)
def noise_tiles(
    rows: int, columns: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Periodic tiles of unit noise: white, smooth (skin) and stretched along the rows (hair).

    Each is one period, repeated so that a crop of `rows` by `columns` fits at any offset.
    """
    words = mix(mix(torch.arange(TILE * TILE)))
    parts = [(_shift_right(words, 16 * i) & 0xFFFF).to(torch.float64) for i in range(4)]
    total = torch.as_tensor(sum(parts))
    white = ((total / 65535 - 2) * 3**0.5).view(TILE, TILE)
    spectrum = torch.fft.fft2(white)
    frequency = torch.fft.fftfreq(TILE, dtype=torch.float64)

    def filtered(sigma_y: float, sigma_x: float) -> torch.Tensor:
        window = torch.exp(
            -2 * (torch.pi * frequency[:, None] * sigma_y) ** 2 - 2 * (torch.pi * frequency * sigma_x) ** 2
        )
        field = torch.fft.ifft2(spectrum * window).real
        return field / field.std()

    tiles = []
    for tile in (white, filtered(1.2, 1.2), filtered(14.0, 1.1)):
        tiles.append(tile.repeat(2 + rows // TILE, 2 + columns // TILE).to(torch.float32).to(device))
    return tiles[0], tiles[1], tiles[2]


def crops(tile: torch.Tensor, offsets: list[list[int]], rows: int, columns: int) -> torch.Tensor:
    """A crop of `tile` per offset (row, column): `[len(offsets), rows, columns]`."""
    return torch.stack([tile[y : y + rows, x : x + columns] for y, x in offsets])
