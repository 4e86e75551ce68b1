"""Faces from a seed: the default data set, for which nothing has to be downloaded.

An identity is a draw of geometry (head, jaw, brows, eyes, nose, mouth, ears, hair) and of albedo (skin, eyes,
lips, brows, hair); each of its samples draws the rest anew: pose, light, expression, glasses, cap, occlusion,
background, focus and noise. Every number comes from a hash of (seed, identity, sample, the number's name), so
that an image depends on nothing else, and a parameter added to the tables leaves the others' draws alone.
"""

from __future__ import annotations

import functools
import zlib
from dataclasses import dataclass

import torch

from trsfnet.data import rendering
from trsfnet.errors import ConfigError

# Raised whenever a change alters the faces: runs on other faces are other runs.
RENDERER_VERSION = 2

# At this difficulty a narrow v1 learns to verify unseen identities within a minute or two, and is still far
# from done; 1 is for longer training.
DEFAULT_DIFFICULTY = 0.6

_SMALLEST_SIZE = 32
_LARGEST_DIFFICULTY = 2.0
# Maps are painted for so many faces at once, few enough for them to stay in a core's cache; the numbers and
# curves they are painted from are prepared for a whole block. Both are always full (padded at the end): the
# kernels then see one shape only, and a face's bits cannot depend on its neighbours.
_CHUNK = 8
_BLOCK = 128
# Side of the periodic tiles of noise.
_TILE = 256
# Waves that make up a background.
_WAVES = 6


@dataclass(frozen=True)
class RenderedFaces:
    """Images with the ground truth of what was varied.

    Attributes:
        images: uint8 ``[N, size, size, 3]``, RGB.
        factors: float32 ``[N]`` each, by name: every entry of :data:`NUISANCES` as drawn. ``yaw``, ``pitch``,
            ``roll``, ``light_azimuth`` and ``light_elevation`` are in degrees (positive yaw turns the face to
            the image's right, positive pitch lowers it, positive roll turns it clockwise, positive azimuth
            lights it from the image's right); ``smile`` and ``mouth_open`` are 0 to 1; ``glasses``, ``cap``,
            ``occluder`` and ``dark_lens`` (the lenses of the glasses, if any) are 0 or 1.
    """

    images: torch.Tensor
    factors: dict[str, torch.Tensor]


@dataclass(frozen=True)
class Trait:
    """One number of an identity: uniform in ``low`` to ``high``, then no less than ``floor``."""

    low: float
    high: float
    floor: float = -float("inf")


@dataclass(frozen=True)
class Nuisance:
    """One number of a sample: ``rest`` at difficulty 0, within ``low`` to ``high`` at difficulty 1.

    Between and beyond, the distance from ``rest`` grows in proportion, except that what cannot be negative
    stays at half of ``low`` or above. ``central`` draws favour the middle.
    """

    rest: float
    low: float
    high: float
    central: bool = False


@dataclass(frozen=True)
class Event:
    """Something that happens (1) or not (0) to a sample; its chance is ``chance`` times the difficulty."""

    chance: float


TRAITS: dict[str, Trait] = {
    # Head; lengths are in units of half a head's height, and factors are relative.
    "head_width": Trait(0.64, 0.80),
    "head_depth": Trait(0.80, 0.93),
    "skull_height": Trait(0.92, 1.08),
    "chin_drop": Trait(0.88, 1.10),
    "temple_width": Trait(-0.07, 0.05),
    "jaw_width": Trait(-0.10, 0.13),
    "jaw_power": Trait(1.9, 3.6),
    "forehead": Trait(-0.05, 0.06),
    "cheekbone": Trait(0.0, 0.07),
    "cheek_hollow": Trait(-0.05, 0.06),
    "chin_size": Trait(0.02, 0.10),
    "chin_spread": Trait(0.10, 0.20),
    "chin_cleft": Trait(-0.03, 0.03, floor=0.0),
    "neck": Trait(0.38, 0.52),
    "age": Trait(-0.5, 1.0, floor=0.0),
    # Eyes and brows.
    "eye_spacing": Trait(0.27, 0.36),
    "eye_y": Trait(-0.05, 0.06),
    "eye_size": Trait(0.125, 0.175),
    "eye_aspect": Trait(0.30, 0.55),
    "eye_tilt": Trait(-0.12, 0.18),
    "eye_depth": Trait(0.02, 0.10),
    "iris_size": Trait(0.40, 0.48),
    "lid_fold": Trait(0.0, 1.0),
    "brow_ridge": Trait(0.0, 0.06),
    "brow_lift": Trait(0.17, 0.28),
    "brow_thick": Trait(0.020, 0.050),
    "brow_arch": Trait(0.0, 0.08),
    "brow_tilt": Trait(-0.04, 0.04),
    "brow_gap": Trait(0.75, 1.15),
    "brow_density": Trait(0.45, 1.0),
    # Nose.
    "nose_tip_y": Trait(-0.45, -0.31),
    "nose_height": Trait(0.15, 0.30),
    "nose_width": Trait(0.10, 0.17),
    "nose_bridge": Trait(0.055, 0.095),
    "nose_ball": Trait(0.02, 0.09),
    "nose_hump": Trait(-0.04, 0.05),
    "nose_skew": Trait(-0.015, 0.015),
    # Mouth.
    "mouth_drop": Trait(0.22, 0.32),
    "mouth_width": Trait(0.20, 0.30),
    "mouth_skew": Trait(-0.015, 0.015),
    "upper_lip": Trait(0.025, 0.070),
    "lower_lip": Trait(0.040, 0.095),
    "cupid": Trait(0.0, 1.0),
    # Ears.
    "ear_out": Trait(0.05, 0.15),
    "ear_size": Trait(0.12, 0.19),
    # Hair: heights of its edges (above -0.3, `hair_end` means short hair), volumes, and its line.
    "hairline": Trait(0.55, 0.85),
    "hairline_temple": Trait(0.15, 0.45),
    "fringe": Trait(-0.25, 0.22, floor=0.0),
    "hair_end": Trait(-1.8, 0.9),
    "hair_top": Trait(0.03, 0.22),
    "hair_side": Trait(0.02, 0.16),
    "hair_flare": Trait(-1.0, 3.0),
    "hair_curl": Trait(0.0, 1.0),
    "parting": Trait(-1.0, 1.0),
    "baldness": Trait(-11.0, 1.0, floor=0.0),
    # Albedo.
    "skin_tone": Trait(0.0, 1.0),
    "skin_warmth": Trait(-1.0, 1.0),
    "blush": Trait(0.0, 0.8),
    "freckles": Trait(-0.10, 0.08, floor=0.0),
    "beard": Trait(-0.6, 0.7, floor=0.0),
    "lip_red": Trait(0.3, 1.0),
    "eye_colour": Trait(0.0, 1.0),
    "hair_tone": Trait(0.0, 1.0),
    "hair_red": Trait(-1.0, 0.8, floor=0.0),
    "hair_grey": Trait(-1.5, 1.0, floor=0.0),
    # Where on the noise tiles the identity's skin and hair lie.
    "tile_x": Trait(0.0, 1.0),
    "tile_y": Trait(0.0, 1.0),
}
"""What makes an identity."""

NUISANCES: dict[str, Nuisance | Event] = {
    # Pose in degrees; framing in frames, and relative.
    "yaw": Nuisance(0.0, -40.0, 40.0, central=True),
    "pitch": Nuisance(0.0, -20.0, 20.0, central=True),
    "roll": Nuisance(0.0, -16.0, 16.0, central=True),
    "shift_x": Nuisance(0.0, -0.05, 0.05),
    "shift_y": Nuisance(0.0, -0.05, 0.05),
    "scale": Nuisance(1.0, 0.90, 1.10),
    # Light in degrees and relative strength.
    "light_azimuth": Nuisance(0.0, -80.0, 80.0),
    "light_elevation": Nuisance(20.0, -20.0, 65.0),
    "key": Nuisance(0.80, 0.45, 1.30),
    "ambient": Nuisance(0.50, 0.16, 0.60),
    "key_warmth": Nuisance(0.0, -0.30, 0.30),
    "key_tint": Nuisance(0.0, -0.08, 0.08),
    "sky_warmth": Nuisance(0.0, -0.30, 0.30),
    "sky_tint": Nuisance(0.0, -0.08, 0.08),
    "oil": Nuisance(0.08, 0.0, 0.30),
    # Expression.
    "smile": Nuisance(0.1, 0.0, 1.0),
    "mouth_open": Nuisance(0.0, 0.0, 0.8),
    "eye_open": Nuisance(1.0, 0.55, 1.15),
    "brow_raise": Nuisance(0.0, -0.5, 1.0),
    "frown": Nuisance(0.0, 0.0, 1.0),
    "gaze_x": Nuisance(0.0, -0.30, 0.30),
    "gaze_y": Nuisance(0.0, -0.08, 0.08),
    # What is worn, and what is in the way; colours are linear RGB.
    "glasses": Event(0.25),
    "dark_lens": Event(0.20),
    "lens_width": Nuisance(0.21, 0.18, 0.25),
    "lens_height": Nuisance(0.15, 0.11, 0.19),
    "rim": Nuisance(0.014, 0.006, 0.026),
    "rim_red": Nuisance(0.03, 0.0, 0.25),
    "rim_green": Nuisance(0.03, 0.0, 0.20),
    "rim_blue": Nuisance(0.03, 0.0, 0.20),
    "cap": Event(0.15),
    "cap_y": Nuisance(0.55, 0.45, 0.65),
    "cap_red": Nuisance(0.15, 0.0, 0.7),
    "cap_green": Nuisance(0.15, 0.0, 0.7),
    "cap_blue": Nuisance(0.15, 0.0, 0.7),
    "collar": Nuisance(-1.35, -1.5, -1.22),
    "cloth_red": Nuisance(0.15, 0.0, 0.7),
    "cloth_green": Nuisance(0.15, 0.0, 0.7),
    "cloth_blue": Nuisance(0.15, 0.0, 0.7),
    "occluder": Event(0.15),
    "occluder_angle": Nuisance(0.0, -3.1416, 3.1416),
    "occluder_edge": Nuisance(0.9, 0.38, 0.85),
    "occluder_red": Nuisance(0.2, 0.0, 0.6),
    "occluder_green": Nuisance(0.2, 0.0, 0.6),
    "occluder_blue": Nuisance(0.2, 0.0, 0.6),
    # Camera: display units, and pixels of a 112-pixel image.
    "exposure": Nuisance(1.0, 0.55, 1.45),
    "contrast": Nuisance(1.0, 0.75, 1.2),
    "haze": Nuisance(0.0, -0.06, 0.05),
    "saturation": Nuisance(1.0, 0.5, 1.2),
    "blur": Nuisance(0.0, 0.0, 1.3),
    "noise": Nuisance(0.0, 0.0, 0.045),
}
"""What varies between an identity's samples."""


# --- random numbers ----------------------------------------------------------------------------------------


def _signed(word: int) -> int:
    """The int64 that has the 64 bits of ``word``."""
    word &= (1 << 64) - 1
    return word - (1 << 64) if word >> 63 else word


_GOLDEN = _signed(0x9E3779B97F4A7C15)
_FINAL_A = _signed(0xBF58476D1CE4E5B9)
_FINAL_B = _signed(0x94D049BB133111EB)


def _shift_right(word: torch.Tensor, bits: int) -> torch.Tensor:
    return (word >> bits) & ((1 << (64 - bits)) - 1)


def _mix(word: torch.Tensor) -> torch.Tensor:
    """SplitMix64's output function, on int64 that wraps around."""
    word = word + _GOLDEN
    word = (word ^ _shift_right(word, 30)) * _FINAL_A
    word = (word ^ _shift_right(word, 27)) * _FINAL_B
    return word ^ _shift_right(word, 31)


def _uniform(keys: torch.Tensor, names: list[str]) -> torch.Tensor:
    """Uniform draws in [0, 1), one per key and name: float32 ``[N, len(names)]``."""
    codes = torch.tensor([zlib.crc32(name.encode()) for name in names], device=keys.device)
    words = _mix(keys[:, None] ^ _mix(codes)[None, :])
    return _shift_right(words, 40).to(torch.float32) * 2.0**-24


def _traits(keys: torch.Tensor) -> rendering.Params:
    draws = _uniform(keys, list(TRAITS))
    return {
        name: (trait.low + (trait.high - trait.low) * draws[:, i]).clamp_min(trait.floor)
        for i, (name, trait) in enumerate(TRAITS.items())
    }


def _nuisances(keys: torch.Tensor, difficulty: float) -> rendering.Params:
    first = _uniform(keys, list(NUISANCES))
    second = _uniform(keys, [f"{name}, again" for name in NUISANCES])
    values = {}
    for i, (name, entry) in enumerate(NUISANCES.items()):
        if isinstance(entry, Event):
            values[name] = (first[:, i] < entry.chance * difficulty).to(torch.float32)
            continue
        draw = 0.5 * (first[:, i] + second[:, i]) if entry.central else first[:, i]
        offset = entry.low + (entry.high - entry.low) * draw - entry.rest
        value = entry.rest + difficulty * offset
        values[name] = value.clamp_min(0.5 * entry.low) if entry.low >= 0 else value
    return values


# --- from draws to parameters ------------------------------------------------------------------------------


def _light_colour(warmth: torch.Tensor, tint: torch.Tensor) -> list[torch.Tensor]:
    return [1 + warmth, 1 + tint, 1 - warmth]


def _complete(values: rendering.Params, size: int) -> rendering.Params:
    """Adds to the draws what the renderer derives from several of them."""
    params = dict(values)
    params["brow_y"] = params["eye_y"] + params["brow_lift"]
    params["mouth_y"] = params["nose_tip_y"] - params["mouth_drop"]
    # The bald keep a short rim of hair, its line in front lifted off the head.
    bald = params["baldness"] > 0
    params["bald"] = 2.0 * bald
    params["hair_end"] = params["hair_end"].masked_fill(bald, 0.0)
    params["glint_x"] = torch.sin(torch.deg2rad(params["light_azimuth"]))
    params["blur"] = params["blur"] * (size / 112)
    for light in ("key", "sky"):
        colours = _light_colour(params[f"{light}_warmth"], params[f"{light}_tint"])
        for channel, colour in zip(("red", "green", "blue"), colours, strict=True):
            params[f"{light}_{channel}"] = colour
    return params


def _scenery(keys: torch.Tensor, difficulty: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Waves and tints of the backgrounds (see :func:`rendering.scenery`): plain grey at difficulty 0."""
    number = len(keys)
    strength = min(difficulty, 1.0)
    waves = _uniform(keys, [f"wave {i}" for i in range(4 * _WAVES)]).view(number, _WAVES, 4)
    waves = waves * torch.tensor([3.0, 1.0, 3.0, 1.0], device=keys.device)
    tints = _uniform(keys, [f"tint {i}" for i in range(3 * (_WAVES + 1))]).view(number, _WAVES + 1, 3)
    amount = _uniform(keys, ["vivid", "clutter"])[:, :, None]
    # Most backgrounds are nearly grey.
    tints = torch.lerp(tints.mean(2, keepdim=True).expand_as(tints), tints, 0.1 + 0.6 * amount[:, :1])
    mean = 0.25 + strength * (0.8 * tints[:, :1].square() - 0.25)
    return waves, torch.cat([mean, (tints[:, 1:] - 0.5) * (0.4 * strength * amount[:, 1:])], 1)


@functools.lru_cache(maxsize=8)
def _tiles(rows: int, columns: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Periodic tiles of unit noise: white, smooth (skin) and stretched along the rows (hair).

    Each is one period, repeated far enough that a crop of ``rows`` by ``columns`` fits at any offset.
    """
    words = _mix(_mix(torch.arange(_TILE * _TILE)))
    parts = [(_shift_right(words, 16 * i) & 0xFFFF).to(torch.float64) for i in range(4)]
    white = ((sum(parts) / 65535 - 2) * 3**0.5).view(_TILE, _TILE)
    spectrum = torch.fft.fft2(white)
    frequency = torch.fft.fftfreq(_TILE, dtype=torch.float64)

    def filtered(sigma_y: float, sigma_x: float) -> torch.Tensor:
        window = torch.exp(
            -2 * (torch.pi * frequency[:, None] * sigma_y) ** 2 - 2 * (torch.pi * frequency * sigma_x) ** 2
        )
        field = torch.fft.ifft2(spectrum * window).real
        return field / field.std()

    tiles = []
    for tile in (white, filtered(1.2, 1.2), filtered(14.0, 1.1)):
        tiles.append(tile.repeat(2 + rows // _TILE, 2 + columns // _TILE).to(torch.float32).to(device))
    return tiles[0], tiles[1], tiles[2]


def _crops(tile: torch.Tensor, offsets: list[list[int]], rows: int, columns: int) -> torch.Tensor:
    """A crop of ``tile`` per offset (row, column): ``[len(offsets), rows, columns]``."""
    return torch.stack([tile[y : y + rows, x : x + columns] for y, x in offsets])


def _render_block(
    identity_keys: torch.Tensor, sample_keys: torch.Tensor, wanted: int, size: int, difficulty: float
) -> tuple[torch.Tensor, rendering.Params]:
    """The first ``wanted`` images of a block (or a few more), and the whole block's nuisances."""
    traits, nuisances = _traits(identity_keys), _nuisances(sample_keys, difficulty)
    block = rendering.plan(_complete({**traits, **nuisances}, size), size)
    waves, tints = _scenery(sample_keys, difficulty)
    skin_offset = (torch.stack([traits["tile_y"], traits["tile_x"]], 1) * _TILE).long().tolist()
    grain_offset = (_uniform(sample_keys, ["grain y", "grain x"]) * _TILE).long().tolist()
    rows, columns = rendering.map_shape(size)
    white, smooth, stretched = _tiles(max(rows, size), max(columns, 3 * size), identity_keys.device)
    images = []
    for start in range(0, wanted, _CHUNK):
        part = slice(start, start + _CHUNK)
        faces = block.part(part.start, part.stop)
        mottle = _crops(smooth, skin_offset[part], rows, columns)
        strands = _crops(stretched, skin_offset[part], rows, columns)
        surface = rendering.paint_surface(faces, size, mottle, strands)
        head, coverage = rendering.project(surface, faces, size)
        noise = _crops(white, grain_offset[part], size, 3 * size).view(_CHUNK, size, 3, size)
        behind = rendering.scenery(waves[part], tints[part], size)
        images.append(rendering.photograph(head, coverage, behind, faces, noise))
    return torch.cat(images), nuisances


def _check(identities: torch.Tensor, samples: torch.Tensor, size: int, difficulty: float) -> None:
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
            f"identities and samples must be equally many, not {len(identities)} and {len(samples)}."
        )
    if size < _SMALLEST_SIZE:
        raise ConfigError(f"size must be at least {_SMALLEST_SIZE} pixels, not {size}.")
    if not 0 <= difficulty <= _LARGEST_DIFFICULTY:
        raise ConfigError(f"difficulty must lie in 0 to {_LARGEST_DIFFICULTY:g}, not {difficulty}.")


@torch.no_grad()
def render_faces(
    identities: torch.Tensor,
    samples: torch.Tensor,
    *,
    size: int = 112,
    seed: int = 0,
    difficulty: float = DEFAULT_DIFFICULTY,
    device: torch.device | str = "cpu",
) -> RenderedFaces:
    """Renders one image per pair of an identity and a sample number.

    Args:
        identities: int64 ``[N]``, identity numbers, 0 or more.
        samples: int64 ``[N]``, the number of the sample of that identity, 0 or more.
        size: image side in pixels, at least 32.
        seed: of the whole population; another seed gives other people.
        difficulty: strength of everything that is not identity, 0 to 2: 0 is a frontal face in even light
            before plain grey, and the nuisances' ranges and chances grow in proportion.
        device: where to render; the result stays there.

    Returns:
        The images and the factors behind them.

    Raises:
        ConfigError: if an argument is out of range, or the tensors' types or shapes do not fit.
    """
    _check(identities, samples, size, difficulty)
    device = torch.device(device)
    people = _mix(_mix(torch.tensor(_signed(seed), device=device)) ^ identities.to(device))
    shots = _mix(people ^ _mix(samples.to(device) ^ _GOLDEN))
    number = len(people)
    images = torch.empty(number, size, size, 3, dtype=torch.uint8, device=device)
    factors = {name: torch.empty(number, device=device) for name in NUISANCES}
    for start in range(0, number, _BLOCK):
        chosen = torch.arange(start, start + _BLOCK, device=device).clamp_max(number - 1)
        kept = min(_BLOCK, number - start)
        rendered, drawn = _render_block(people[chosen], shots[chosen], kept, size, difficulty)
        images[start : start + kept] = rendered[:kept]
        for name, values in drawn.items():
            factors[name][start : start + kept] = values[:kept]
    return RenderedFaces(images, factors)
