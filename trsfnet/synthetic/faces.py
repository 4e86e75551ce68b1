"""Renders images of synthetic identities."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from trsfnet.errors import ConfigError, choice
from trsfnet.synthetic import rendering
from trsfnet.synthetic.draws import background, derive, draw_nuisances, draw_traits
from trsfnet.synthetic.factors import NUISANCES
from trsfnet.synthetic.noise import GOLDEN, TILE, crops, mix, noise_tiles, signed, uniform
from trsfnet.synthetic.rendering import Params

# Incremented whenever a change alters the faces, because runs on different faces are different runs.
RENDERER_VERSION = 3

# At this difficulty, a narrow v1 learns to verify unseen identities within a minute or two but is still far
# from saturation. Use 1 for longer training.
DEFAULT_DIFFICULTY = 0.6

_SMALLEST_SIZE = 32
_LARGEST_DIFFICULTY = 2.0
# Maps are painted for `_CHUNK` faces at a time, few enough to stay in a core's cache; parameters and curves
# are prepared for `_BLOCK` faces. Both are always full (padded at the end), so that the kernels see only one
# shape and a face's pixels cannot depend on the other faces of its batch.
_CHUNK = 16
_BLOCK = 128


@dataclass(frozen=True)
class RenderedFaces:
    """Rendered images with the true value of every factor of variation.

    Attributes:
        images: uint8 `[N, size, size, 3]`, RGB.
        factors: every entry of `NUISANCES` as drawn, by name, each float32 `[N]`. `yaw`, `pitch`,
            `roll`, `light_azimuth` and `light_elevation` are in degrees (positive yaw turns the face to
            the image's right, positive pitch lowers it, positive roll turns it clockwise, positive azimuth
            lights it from the image's right); `smile` and `mouth_open` are 0 to 1; `glasses`, `cap`,
            `occluder` and `dark_lens` (the lenses of the glasses, if any) are 0 or 1.
    """

    images: torch.Tensor
    factors: dict[str, torch.Tensor]


def _render_block(
    identity_keys: torch.Tensor,
    sample_keys: torch.Tensor,
    wanted: int,
    size: int,
    difficulty: float,
    fixed: Mapping[str, float],
) -> tuple[torch.Tensor, Params]:
    """Render the first `wanted` images of a block (or a few more); return them and all nuisances."""
    traits, nuisances = draw_traits(identity_keys), draw_nuisances(sample_keys, difficulty)
    nuisances |= {name: torch.full_like(nuisances[name], value) for name, value in fixed.items()}
    block = rendering.make_plan(derive({**traits, **nuisances}, size), size)
    waves, tints = background(sample_keys, difficulty)
    skin_offset = (torch.stack([traits["tile_y"], traits["tile_x"]], 1) * TILE).long().tolist()
    grain_offset = (uniform(sample_keys, ["grain y", "grain x"]) * TILE).long().tolist()
    rows, columns = rendering.map_shape(size)
    white, smooth, stretched = noise_tiles(max(rows, size), max(columns, 3 * size), identity_keys.device)
    images = []
    for start in range(0, wanted, _CHUNK):
        part = slice(start, start + _CHUNK)
        faces = block.part(part.start, part.stop)
        mottle = crops(smooth, skin_offset[part], rows, columns)
        strands = crops(stretched, skin_offset[part], rows, columns)
        surface = rendering.paint_surface(faces, size, mottle, strands)
        head, coverage = rendering.project(surface, faces, size)
        noise = crops(white, grain_offset[part], size, 3 * size).view(_CHUNK, size, 3, size)
        behind = rendering.scenery(waves[part], tints[part], size)
        images.append(rendering.photograph(head, coverage, behind, faces, noise))
    return torch.cat(images), nuisances


def _check(
    identities: torch.Tensor,
    samples: torch.Tensor,
    size: int,
    difficulty: float,
    fixed: Mapping[str, float],
) -> None:
    for name, numbers in (("identities", identities), ("samples", samples)):
        if numbers.dtype != torch.int64 or numbers.dim() != 1:
            raise ConfigError(
                f"{name} must be a one-dimensional int64 tensor, not {numbers.dtype} "
                f"of shape {tuple(numbers.shape)}."
            )
        if numbers.numel() and int(numbers.min()) < 0:
            raise ConfigError(f"{name} must not be negative, but the smallest is {int(numbers.min())}.")
    if identities.shape != samples.shape:
        raise ConfigError(
            f"identities and samples must have the same length, not {len(identities)} and {len(samples)}."
        )
    if size < _SMALLEST_SIZE:
        raise ConfigError(f"size must be at least {_SMALLEST_SIZE} pixels, not {size}.")
    if not 0 <= difficulty <= _LARGEST_DIFFICULTY:
        raise ConfigError(f"difficulty must be from 0 to {_LARGEST_DIFFICULTY:g}, not {difficulty}.")
    for name, value in fixed.items():
        choice("a fixed nuisance", name, tuple(NUISANCES))
        if not math.isfinite(value):
            raise ConfigError(f"The fixed nuisance {name} must be a finite number, not {value}.")


@torch.no_grad()
def render_faces(
    identities: torch.Tensor,
    samples: torch.Tensor,
    *,
    size: int = 112,
    seed: int = 0,
    difficulty: float = DEFAULT_DIFFICULTY,
    fixed: Mapping[str, float] | None = None,
    device: torch.device | str = "cpu",
) -> RenderedFaces:
    """Render one image for each pair of an identity and a sample number.

    Args:
        identities: int64 `[N]`, identity numbers, 0 or more.
        samples: int64 `[N]`, the number of the sample of that identity, 0 or more.
        size: image side in pixels, at least 32.
        seed: seed of the whole population; another seed gives other people.
        difficulty: strength of all variation within an identity, 0 to 2. At 0, faces are frontal, evenly lit
            and in front of plain grey; ranges and probabilities of the nuisances grow in proportion.
        fixed: values of nuisances, by name, that all samples share instead of drawing them.
        device: where to render; the result stays there.

    Returns:
        The images and their factors of variation.

    Raises:
        ConfigError: an argument is out of range, or the tensors' types or shapes do not match.
    """
    fixed = fixed or {}
    _check(identities, samples, size, difficulty, fixed)
    device = torch.device(device)
    people = mix(mix(torch.tensor(signed(seed), device=device)) ^ identities.to(device))
    shots = mix(people ^ mix(samples.to(device) ^ GOLDEN))
    number = len(people)
    images = torch.empty(number, size, size, 3, dtype=torch.uint8, device=device)
    factors = {name: torch.empty(number, device=device) for name in NUISANCES}
    for start in range(0, number, _BLOCK):
        chosen = torch.arange(start, start + _BLOCK, device=device).clamp_max(number - 1)
        kept = min(_BLOCK, number - start)
        rendered, drawn = _render_block(people[chosen], shots[chosen], kept, size, difficulty, fixed)
        images[start : start + kept] = rendered[:kept]
        for name, values in drawn.items():
            factors[name][start : start + kept] = values[:kept]
    return RenderedFaces(images, factors)
