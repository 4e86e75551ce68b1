"""What to train, on what, and how: one frozen, validated object from which everything follows."""

from __future__ import annotations

import hashlib
import json
import typing
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from trsfnet.data.tracks import TRACKS, TRAIN_SETS, images_version
from trsfnet.errors import ConfigError, check_type, choice, nearest
from trsfnet.heads import LOSSES
from trsfnet.models.inception_resnet import (
    ARCHITECTURES,
    MIN_INPUT_SIZE,
    PAPER_SCALE,
    PAPER_SLOPE,
    REMOVABLE_POOLS,
    SCALED_MODULES,
)
from trsfnet.models.layers import ACTIVATIONS
from trsfnet.training.precision import PRECISIONS, best_device, best_precision

SCHEDULES = ("staircase", "milestones", "cosine")
DECAYED = ("all", "projections")


def _read(name: str) -> dict[str, Any]:
    return json.loads((resources.files("trsfnet.training") / name).read_text(encoding="utf-8"))


# The paper's own schedules: `about`, `settings`, and in `readings` why each unclear one is read so.
PRESETS: dict[str, dict[str, Any]] = _read("presets.json")

_TRACKS = _read("tracks.json")

# Settings that came later: runs from before them lack them, had this value, and keep their ids.
LATER_SETTINGS: dict[str, Any] = {
    "micro_batches": 1,
    "train_set": None,
    "fixed_scales": (),
    "projection_gain": 1.0,
    "slope_floor": None,
    "held_out_images": 0,
    "decayed": "all",
}


def track_defaults(track: str, train_set: str | None = None) -> dict[str, Any]:
    """What settings left open become on a track.

    The paper's track has the paper's schedule for `train_set` (VGGFace2 if None). The other tracks are far
    smaller, so networks are narrower, crops smaller and runs shorter; nothing in that was chosen by looking
    at which setting wins.
    """
    schedule = PRESETS[train_set or "vggface2"]["settings"] if track == "paper" else {}
    return _TRACKS["every"] | _TRACKS[track] | {k: v for k, v in schedule.items() if k != "track"}


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of one training run. None stands for the track's own value; see `resolved`.

    Everything that changes a run's numbers is here, and nothing else: where the data lie, on how many devices
    it runs and how often it is saved do not.

    Attributes:
        arch: `v1` or `v2`.
        trsf: scale each residual branch by a trainable factor instead of facenet's constants.
        trsf_per_channel: give each channel its own factor (needs `trsf`).
        scale_init: start of the factors, 0.1 if None; without `trsf` one constant instead of facenet's three.
        fixed_scales: a constant for each residual module that has a scale, in forward order (v1: 20, v2: 40),
            instead of one for all; empty for facenet's, or `scale_init`.
        projection_gain: multiplies the starting kernel and bias under each scale. With a scale of 1 and 0.1
            here, the network starts as the same function as with a scale of 0.1 and 1 here.
        activation: `relu`, `leaky_relu` or `prelu`.
        slope_init: constant slope of `leaky_relu`, start of `prelu`'s, 0.2 if None.
        slope_floor: PReLU's slopes are set to at least this after each step; None leaves them free.
        loss: `softmax` (if None) or `arcface`.
        arcface_scale: radius s (needs `arcface`).
        arcface_margin: margin m in radians (needs `arcface`).
        track: `synthetic`, `lfw` or `paper`.
        train_set: of the `paper` track, `vggface2` or `ms1mv2`; if None the one that `loss` has there.
        seed: of the initial weights, the order of the images, augmentation and dropout.
        identities: identities to render (`synthetic` only).
        images_per_identity: images of each (`synthetic`); fewest a person must have (others).
        held_out_images: further images of each training identity on which the loss is measured after each
            epoch, never trained on (`synthetic` only).
        image_size: side of the input in pixels.
        width: multiplies every width of the network but the embedding's.
        embedding_size: length of the embedding.
        removed_pool: max pool to leave out of the stem (112 px input): `maxpool_3a`, `maxpool_5a` or None.
        dropout: share of pooled features dropped while training.
        bn_momentum: of the running statistics (facenet: 0.005).
        epochs: number of epochs.
        steps_per_epoch: steps of an epoch (paper: 1000); one pass over the training images if None.
        batch_size: images per step.
        micro_batches: equal parts of each step's batch, each normalised by its own statistics, as by several
            GPUs in facenet; one if None. They may be computed one after the other or on several devices.
        learning_rate: its largest value.
        schedule: `cosine`, `staircase` or `milestones`; see `trsfnet.training.schedule`.
        decay_factor: factor of `staircase` and `milestones`.
        decay_epochs: epochs per stair.
        milestones: steps at which `milestones` decays.
        warmup_epochs: epochs of linear growth at the start.
        momentum: Nesterov momentum. The paper's "weight decay of 0.9" is read as this.
        weight_decay: L2 decay of convolution and linear weights; not of norms, biases, scales or slopes.
        decayed: which of them decay: `all`, or `projections`, the 1x1 kernels under the scales alone.
        flip: mirror images at random.
        rotate: largest random rotation in degrees.
        shift: largest random shift as a share of the side.
        precision: `float32`, `bfloat16`, or `auto` for the faster of the two on this machine.
        images: version of the track's images, filled in by `resolved`.
    """

    arch: str = "v1"
    trsf: bool = False
    trsf_per_channel: bool = False
    scale_init: float | None = None
    fixed_scales: tuple[float, ...] = ()
    projection_gain: float = 1.0
    activation: str = "relu"
    slope_init: float | None = None
    slope_floor: float | None = None
    loss: str | None = None
    arcface_scale: float | None = None
    arcface_margin: float | None = None
    track: str = "synthetic"
    train_set: str | None = None
    seed: int = 0
    identities: int | None = None
    images_per_identity: int | None = None
    held_out_images: int = 0
    image_size: int | None = None
    width: float | None = None
    embedding_size: int = 512
    removed_pool: str | None = None
    dropout: float | None = None
    bn_momentum: float | None = None
    epochs: int | None = None
    steps_per_epoch: int | None = None
    batch_size: int | None = None
    micro_batches: int | None = None
    learning_rate: float | None = None
    schedule: str | None = None
    decay_factor: float | None = None
    decay_epochs: int | None = None
    milestones: tuple[int, ...] = ()
    warmup_epochs: int | None = None
    momentum: float = 0.9
    weight_decay: float = 5e-4
    decayed: str = "all"
    flip: bool = True
    rotate: float | None = None
    shift: float | None = None
    precision: str = "auto"
    images: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be trained, in one sentence.

        Raises:
            ConfigError: a wrong type, an unknown value, or settings that exclude each other.
        """
        for field in fields(self):
            check_type(field.name, getattr(self, field.name), _hints()[field.name])
        _check_choices(self)
        _check_ranges(self)
        _check_combinations(self)

    @classmethod
    def from_parameters(cls, parameters: dict[str, Any], preset: str | None = None) -> TrainConfig:
        """A configuration from parameters by name, as a notebook or a file gives them.

        Args:
            parameters: settings; those that are None or an empty list count as not given.
            preset: name in `PRESETS` of what to take for the settings that are not given.

        Raises:
            ConfigError: an unknown name, or whatever `TrainConfig` itself refuses.
        """
        if preset is not None:
            choice("preset", preset, tuple(PRESETS))
        known = [field.name for field in fields(cls)]
        for name in parameters:
            if name not in known:
                raise ConfigError(f"Unknown setting {name!r}; the nearest is {nearest(name, known)!r}.")
        values = {name: value for name, value in parameters.items() if value is not None and value != []}
        if preset is not None:
            values = PRESETS[preset]["settings"] | values
        return cls(**{name: _from_json(value) for name, value in values.items()})

    def resolved(self, root: Path | None) -> TrainConfig:
        """The same with every open setting filled in: the track's values, this machine's precision.

        Raises:
            DataError: the track's images are missing under `root`.
        """
        train_set = self.train_set
        if self.track == "paper" and train_set is None:
            train_set = "ms1mv2" if self.loss == "arcface" else "vggface2"
        defaults = track_defaults(self.track, train_set)
        if (self.loss or defaults["loss"]) != "arcface":
            defaults = {k: v for k, v in defaults.items() if not k.startswith("arcface_")}
        track = {k: _from_json(v) for k, v in defaults.items() if getattr(self, k) in (None, ())}
        if self.trsf and self.scale_init is None:
            track["scale_init"] = PAPER_SCALE
        if self.activation != "relu" and self.slope_init is None:
            track["slope_init"] = PAPER_SLOPE
        precision = best_precision(best_device()) if self.precision == "auto" else self.precision
        images = images_version(self.track, root=root, train_set=train_set)
        return replace(self, **track, train_set=train_set, precision=precision, images=images)

    @property
    def slug(self) -> str:
        """Readable name of the setting and seed, such as `v1-trsf-prelu-seed0`.

        Starts are named where they are not the paper's: `v1-trsf-from0.3-prelu-from0.25-seed0`; a constant
        scale that is not facenet's is too: `v1-scale0.3-relu-seed0`.
        """
        return f"{self.variant}-seed{self.seed}"

    @property
    def variant(self) -> str:
        """The same without the seed: the cell of the grid."""
        return f"{self.arch}{self._loss_slug}{self._scale_slug}{self._activation_slug}"

    @property
    def _loss_slug(self) -> str:
        return "" if self.loss in (None, "softmax") else f"-{self.loss}"

    @property
    def _scale_slug(self) -> str:
        if self.fixed_scales:
            return "-scales-given"
        if not self.trsf:
            return "" if self.scale_init is None else f"-scale{self.scale_init:g}"
        start = "" if self.scale_init in (None, PAPER_SCALE) else f"-from{self.scale_init:g}"
        return f"-trsf{'-per-channel' if self.trsf_per_channel else ''}{start}"

    @property
    def _activation_slug(self) -> str:
        start = "" if self.slope_init in (None, PAPER_SLOPE) else f"-from{self.slope_init:g}"
        return f"-{self.activation.replace('_', '-')}{start}"

    @property
    def run_id(self) -> str:
        """`slug` and a short hash of every setting: equal for equal results, different otherwise.

        Meaningful on a resolved configuration only. Where a dataset lies is no part of it.
        """
        settings = {
            name: value
            for name, value in asdict(self).items()
            if name not in LATER_SETTINGS or value not in (LATER_SETTINGS[name], None)
        }
        canonical = json.dumps(settings, sort_keys=True)
        return f"{self.slug}-{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"


def _from_json(value: Any) -> Any:
    """A setting as `TrainConfig` has it: frozen, so tuples instead of lists."""
    return tuple(value) if isinstance(value, list) else value


@cache
def _hints() -> dict[str, Any]:
    return typing.get_type_hints(TrainConfig)


def _check_choices(c: TrainConfig) -> None:
    choice("arch", c.arch, tuple(ARCHITECTURES))
    choice("activation", c.activation, ACTIVATIONS)
    if c.loss is not None:
        choice("loss", c.loss, LOSSES)
    choice("track", c.track, TRACKS)
    if c.train_set is not None:
        choice("train_set", c.train_set, TRAIN_SETS)
    if c.schedule is not None:
        choice("schedule", c.schedule, SCHEDULES)
    choice("precision", c.precision, PRECISIONS)
    choice("decayed", c.decayed, DECAYED)
    if c.removed_pool is not None:
        choice(f"removed_pool of {c.arch}", c.removed_pool, REMOVABLE_POOLS[c.arch])


# Smallest value of each numeric setting, and whether it is itself allowed.
_LOWEST: dict[str, tuple[float, bool]] = {
    "seed": (0, True),
    "identities": (2, True),
    "images_per_identity": (1, True),
    "held_out_images": (0, True),
    "projection_gain": (0, False),
    "width": (0, False),
    "embedding_size": (1, True),
    "dropout": (0, True),
    "bn_momentum": (0, False),
    "epochs": (1, True),
    "steps_per_epoch": (1, True),
    "batch_size": (2, True),
    "micro_batches": (1, True),
    "learning_rate": (0, False),
    "decay_factor": (0, False),
    "decay_epochs": (1, True),
    "warmup_epochs": (0, True),
    "momentum": (0, False),
    "weight_decay": (0, True),
    "rotate": (0, True),
    "shift": (0, True),
    "arcface_scale": (0, False),
    "arcface_margin": (0, True),
}


def _check_ranges(c: TrainConfig) -> None:
    for name, (lowest, inclusive) in _LOWEST.items():
        value = getattr(c, name)
        # Written so that NaN is refused.
        if value is not None and not (value >= lowest if inclusive else value > lowest):
            raise ConfigError(f"{name} must be {'at least' if inclusive else 'above'} {lowest}, got {value}.")
    for name in ("dropout", "bn_momentum", "momentum"):
        if getattr(c, name) is not None and getattr(c, name) >= 1:
            raise ConfigError(f"{name} must be below 1, got {getattr(c, name)}.")
    smallest = MIN_INPUT_SIZE[c.removed_pool is not None]
    if c.image_size is not None and c.image_size < smallest:
        raise ConfigError(f"image_size must be at least {smallest} pixels, got {c.image_size}.")


def _check_combinations(c: TrainConfig) -> None:
    if c.trsf_per_channel and not c.trsf:
        raise ConfigError("trsf_per_channel needs trsf True: a constant scale is the same for all channels.")
    if c.fixed_scales and (c.trsf or c.scale_init is not None):
        raise ConfigError(
            "fixed_scales gives each module its constant: it needs trsf False and no scale_init."
        )
    if c.fixed_scales and len(c.fixed_scales) != SCALED_MODULES[c.arch]:
        raise ConfigError(
            f"fixed_scales of {c.arch} must have {SCALED_MODULES[c.arch]} numbers, got {len(c.fixed_scales)}."
        )
    if c.slope_floor is not None and c.activation != "prelu":
        raise ConfigError("slope_floor needs activation prelu: no other slope is trained.")
    if c.held_out_images and c.track != "synthetic":
        raise ConfigError(
            f"held_out_images belongs to the synthetic track: the images of {c.track} are given."
        )
    if c.activation == "relu" and c.slope_init is not None:
        raise ConfigError("slope_init needs activation prelu or leaky_relu: relu has no slope.")
    if c.loss != "arcface" and not (c.arcface_scale is None and c.arcface_margin is None):
        raise ConfigError("arcface_scale and arcface_margin need loss arcface.")
    if c.track != "synthetic" and c.identities is not None:
        raise ConfigError(f"identities belongs to the synthetic track: the people of {c.track} are given.")
    if c.track != "paper" and c.train_set is not None:
        raise ConfigError(f"train_set belongs to the paper track: {c.track} has but one.")
    if (c.schedule == "milestones") != bool(c.milestones):
        raise ConfigError(
            "schedule milestones needs milestones, a list of steps, and no other schedule has them."
        )
    batch_size = c.batch_size or track_defaults(c.track, c.train_set)["batch_size"]
    parts = c.micro_batches or 1
    if batch_size % parts or batch_size < 2 * parts:  # batch norm needs two images to see a spread
        raise ConfigError(
            f"micro_batches must cut batch_size ({batch_size}) into equal parts of two or more, got {parts}."
        )
    if c.epochs is not None and c.warmup_epochs is not None and c.warmup_epochs >= c.epochs:
        raise ConfigError(f"warmup_epochs must be below epochs ({c.epochs}), got {c.warmup_epochs}.")
