"""Tables of all random parameters: those that define an identity, and those that vary between its samples."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trait:
    """One parameter of an identity: uniform between `low` and `high`, then clamped to at least `floor`."""

    low: float
    high: float
    floor: float = -float("inf")


@dataclass(frozen=True)
class Nuisance:
    """One parameter of a sample: `rest` at difficulty 0, between `low` and `high` at difficulty 1.

    The distance from `rest` is proportional to the difficulty. Parameters whose `low` is not negative are
    clamped to at least half of `low`. With `central`, values near the middle are more frequent.
    """

    rest: float
    low: float
    high: float
    central: bool = False


@dataclass(frozen=True)
class Event:
    """A binary parameter of a sample: 1 with a probability of `chance` times the difficulty, otherwise 0."""

    chance: float


TRAITS: dict[str, Trait] = {
    # Head; lengths are in units of half a head's height, and factors are relative.
    "head_width": Trait(0.62, 0.76),
    "head_depth": Trait(0.80, 0.93),
    "skull_height": Trait(0.92, 1.08),
    "chin_drop": Trait(0.88, 1.10),
    "temple_width": Trait(-0.07, 0.05),
    "jaw_width": Trait(-0.10, 0.13),
    "jaw_power": Trait(2.3, 4.0),
    "forehead": Trait(-0.05, 0.06),
    "cheekbone": Trait(0.0, 0.07),
    "cheek_hollow": Trait(-0.05, 0.06),
    "chin_size": Trait(0.02, 0.10),
    "chin_spread": Trait(0.10, 0.20),
    "chin_cleft": Trait(-0.03, 0.03, floor=0.0),
    "neck": Trait(0.44, 0.58),
    "age": Trait(-0.5, 1.0, floor=0.0),
    # Eyes and brows.
    "eye_spacing": Trait(0.265, 0.335),
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
    "freckles": Trait(-0.10, 0.05, floor=0.0),
    "beard": Trait(-0.6, 0.7, floor=0.0),
    "lip_red": Trait(0.3, 1.0),
    "eye_colour": Trait(0.0, 1.0),
    "hair_tone": Trait(0.0, 1.0),
    "hair_red": Trait(-1.0, 0.8, floor=0.0),
    "hair_grey": Trait(-1.5, 1.0, floor=0.0),
    # Position of the identity's skin and hair on the noise tiles.
    "tile_x": Trait(0.0, 1.0),
    "tile_y": Trait(0.0, 1.0),
}
"""The parameters that define an identity."""

NUISANCES: dict[str, Nuisance | Event] = {
    # Pose in degrees; shifts as a fraction of the frame; relative scale.
    "yaw": Nuisance(0.0, -40.0, 40.0, central=True),
    "pitch": Nuisance(0.0, -20.0, 20.0, central=True),
    "roll": Nuisance(0.0, -16.0, 16.0, central=True),
    "shift_x": Nuisance(0.0, -0.05, 0.05),
    "shift_y": Nuisance(0.0, -0.05, 0.05),
    "scale": Nuisance(1.0, 0.90, 1.10),
    # Light: directions in degrees, relative strengths.
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
    # Glasses, clothes, cap and occluder; colours are linear RGB.
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
    # Camera: in display units, and in pixels of a 112-pixel image.
    "exposure": Nuisance(1.0, 0.55, 1.45),
    "contrast": Nuisance(1.0, 0.75, 1.2),
    "haze": Nuisance(0.0, -0.06, 0.05),
    "saturation": Nuisance(1.0, 0.5, 1.2),
    "blur": Nuisance(0.0, 0.0, 1.3),
    "noise": Nuisance(0.0, 0.0, 0.045),
}
"""The parameters that vary between the samples of an identity."""
