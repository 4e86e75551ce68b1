"""The configuration of a training run: one frozen, validated object that determines its result."""

from __future__ import annotations

import hashlib
import json
import math
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

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
from trsfnet.training.setting import documentation, setting

SCHEDULES = ("staircase", "milestones", "cosine")
DECAYED = ("all", "projections")
_ARCFACE = ("loss", ("arcface",))
# Settings that only some schedules use. They have no `needs`, because records store them for every schedule,
# and earlier runs keep their ids.
_OF_SCHEDULES = {
    "decay_factor": ("staircase", "milestones"),
    "decay_epochs": ("staircase",),
    "milestones": ("milestones",),
}


def _read(name: str) -> dict[str, Any]:
    return json.loads((resources.files("trsfnet.training") / name).read_text(encoding="utf-8"))


# The paper's own schedules: `about`, `settings`, and in `readings` how and why we read each unclear setting.
PRESETS: dict[str, dict[str, Any]] = _read("presets.json")

_TRACKS = _read("tracks.json")


def track_defaults(track: str, train_set: str | None = None) -> dict[str, Any]:
    """The default settings of a track.

    The paper's track has the paper's schedule for `train_set` (VGGFace2 if None). The other tracks are far
    smaller, so their networks are narrower, crops smaller and runs shorter. None of these values was chosen
    by comparing the results of the paper's settings.
    """
    schedule = PRESETS[train_set or "vggface2"]["settings"] if track == "paper" else {}
    return _TRACKS["every"] | _TRACKS[track] | {k: v for k, v in schedule.items() if k != "track"}


@dataclass(frozen=True, kw_only=True, init=False)
class TrainConfig:
    """Settings of one training run; settings that are not given take the track's default value.

    `TrainConfig(track="lfw", trsf=True)` has the track's defaults and trainable scales; `replace` changes any
    setting. A setting given as None counts as not given; no setting is None. The configuration contains
    everything that affects a run's numbers and nothing else: it does not contain the location of the data,
    the number of devices or the checkpoint interval.
    """

    arch: str = setting("v1", choices=tuple(ARCHITECTURES), argument="version", help="network")
    trsf: bool = setting(False, help="trainable residual scales instead of facenet's constants")
    trsf_per_channel: bool = setting(
        False,
        help="one trainable scale per channel instead of one per module",
        notes="Needs `trsf`.",
    )
    scale_init: float | Literal["paper"] = setting(
        "paper",
        none="paper",
        argument="scale_init",
        help="initial scale; without trsf, the fixed scale",
        notes="`paper` is 0.1 with `trsf`, and facenet's constants without it.",
    )
    fixed_scales: tuple[float, ...] = setting(
        (),
        before=(),
        argument="fixed_scales",
        help="each module's constant scale (v1: 20, v2: 40)",
        notes="In forward order; if empty, `scale_init` applies, or facenet's constants.",
    )
    projection_gain: float = setting(
        1.0,
        above=0,
        before=1.0,
        help="multiplies the initial kernel and bias under each scale",
        notes="With a scale of 1 and 0.1 here, the network starts as the same function as with a scale of "
        "0.1 and 1 here.",
    )
    activation: str = setting("relu", choices=ACTIVATIONS, argument="activation", help="activation function")
    slope_init: float = setting(
        PAPER_SLOPE,
        needs=("activation", ("leaky_relu", "prelu")),
        argument="slope_init",
        help="initial slope",
        notes="`leaky_relu` keeps it.",
    )
    slope_floor: float = setting(
        -math.inf,
        none=-math.inf,
        needs=("activation", ("prelu",)),
        before=None,
        help="smallest slope allowed",
        notes="After each step, smaller slopes are set to it; by default, slopes are free.",
    )
    loss: str = setting(choices=LOSSES, help="training loss")
    arcface_scale: float = setting(
        above=0,
        needs=_ARCFACE,
        help="radius s",
        notes="Embeddings lie on a hypersphere of this radius.",
    )
    arcface_margin: float = setting(at_least=0, below=math.pi, needs=_ARCFACE, help="margin m in radians")
    track: str = setting(
        "synthetic",
        choices=TRACKS,
        help="faces to train on",
        notes="The faces of `synthetic` are rendered.",
    )
    train_set: str = setting(
        choices=TRAIN_SETS,
        needs=("track", ("paper",)),
        before=None,
        help="training set",
        notes="By default, the paper's set for `loss`. On the other tracks, it is the track's name.",
    )
    seed: int = setting(0, at_least=0, help="seed of weights, image order, augmentation and dropout")
    identities: int = setting(
        at_least=2,
        needs=("track", ("synthetic",)),
        help="people to render",
        notes="On the other tracks, it is 0, which means all people.",
    )
    images_per_identity: int = setting(
        at_least=1,
        help="images per person, or their minimum",
        notes="Exact on `synthetic`; `lfw` leaves out people with fewer images; `paper` uses everybody.",
    )
    held_out_images: int = setting(
        0,
        at_least=0,
        before=0,
        help="images per rendered person kept from training, to measure the loss",
        notes="The loss on them is measured after each epoch. Only for the `synthetic` track.",
    )
    image_size: int = setting(argument="input_size", help="side of the input in pixels")
    width: float = setting(
        above=0,
        argument="width",
        help="multiplies all widths except the embedding's",
    )
    embedding_size: int = setting(512, at_least=1, argument="embedding_size", help="length of the embedding")
    removed_pool: str = setting(
        "none",
        none="none",
        argument="removed_pool",
        help="max pool to omit: maxpool_3a, maxpool_5a or none",
        notes="A pool of the stem, for inputs of 112 pixels.",
    )
    dropout: float = setting(
        at_least=0, below=1, argument="dropout", help="share of pooled features dropped while training"
    )
    bn_momentum: float = setting(
        above=0,
        below=1,
        argument="bn_momentum",
        help="momentum of batch norm's running statistics",
        notes="The 0.005 of facenet suits long runs.",
    )
    epochs: int = setting(at_least=1, help="number of epochs")
    steps_per_epoch: int = setting(
        0,
        at_least=1,
        none=0,
        help="steps per epoch; 0: one pass over the images",
        notes="The paper's epochs have 1000 steps.",
    )
    batch_size: int = setting(at_least=2, help="images per step")
    micro_batches: int = setting(
        at_least=1,
        before=1,
        help="equal parts of a batch, normalised separately",
        notes="Each part has statistics of its own, as on several GPUs in facenet. Parts may be computed "
        "in turn or on several devices; 1 becomes one per device.",
    )
    learning_rate: float = setting(above=0, help="peak learning rate")
    schedule: str = setting(
        choices=SCHEDULES,
        help="decay",
        notes="How the learning rate decays; see `trsfnet.training.schedule`.",
    )
    decay_factor: float = setting(above=0, help="multiplies the learning rate at each stair or milestone")
    decay_epochs: int = setting(at_least=1, help="epochs per stair of the staircase")
    milestones: tuple[int, ...] = setting((), above=0, help="steps of the schedule milestones")
    warmup_epochs: int = setting(at_least=0, help="first epochs, in which the learning rate grows linearly")
    momentum: float = setting(
        0.9,
        above=0,
        below=1,
        help="Nesterov momentum",
        notes='We read the paper\'s "weight decay of 0.9" as this.',
    )
    weight_decay: float = setting(
        5e-4,
        at_least=0,
        help="L2 decay of convolution and linear weights",
        notes="Norms, biases, scales and slopes do not decay.",
    )
    decayed: str = setting(
        "all",
        choices=DECAYED,
        before="all",
        help="which weights decay",
        notes="`projections` are the 1x1 kernels that the scales multiply.",
    )
    flip: bool = setting(True, help="mirror images at random")
    rotate: float = setting(at_least=0, help="largest rotation in degrees")
    shift: float = setting(at_least=0, help="largest shift as a share of the side")
    precision: str = setting(
        "auto",
        choices=PRECISIONS,
        help="number format (auto: the faster one)",
        notes="Which one is faster depends on the machine.",
    )
    images: str = setting("", none="", help="version of the track's images, filled in by `resolved`")

    def __init__(self, **given: Any) -> None:
        """Fill in the settings that are not given, and reject settings that cannot be trained.

        Args:
            given: settings by name.

        Raises:
            ConfigError: an unknown name, a wrong type, an unknown value, or settings that exclude each other.
        """
        names = [field.name for field in fields(self)]
        for name in given:
            if name not in names:
                raise ConfigError(f"Unknown setting {name!r}; the nearest is {nearest(name, names)!r}.")
        given = {name: value for name, value in given.items() if value is not None and value != ()}
        defaults = _defaults(given)
        for name, value in (defaults | given).items():
            object.__setattr__(self, name, _as_float(value, _hints()[name]))
        for field_ in fields(self):
            name, value = field_.name, getattr(self, field_.name)
            hint = _hints()[name]
            check_type(name, value, hint)
            for item in value if isinstance(value, tuple) else ():
                check_type(name, item, typing.get_args(hint)[0])
            if self._has_effect(field_):
                field_.metadata["check"](name, value)
            elif value != defaults[name]:
                raise self._without_effect(field_)
        _check_combinations(self, defaults)

    @classmethod
    def from_parameters(cls, parameters: dict[str, Any], preset: str | None = None) -> TrainConfig:
        """Create a configuration from parameters by name, as a notebook or a file provides them.

        Args:
            parameters: settings; those that are None or an empty list count as not given.
            preset: name of the entry in `PRESETS` that provides the settings that are not given.

        Raises:
            ConfigError: an unknown name, or settings that `TrainConfig` itself rejects.
        """
        if preset is not None:
            choice("preset", preset, tuple(PRESETS))
        given = {name: value for name, value in parameters.items() if value is not None and value != []}
        standard = {} if preset is None else _still_effective(PRESETS[preset]["settings"], given)
        config = cls(**{name: _from_json(value) for name, value in (standard | given).items()})
        for field_ in fields(cls):
            if field_.name in given and not config._has_effect(field_):
                raise config._without_effect(field_)
        return config

    def resolved(self, root: Path | None) -> TrainConfig:
        """The same configuration with the settings that depend on this machine: precision and data version.

        The data version is the version of the track's images. The initial value `paper` of trainable scales
        becomes its number. Nothing is downloaded.

        Raises:
            DataError: the track's images are missing under `root`.
        """
        start = PAPER_SCALE if self.trsf and self.scale_init == "paper" else self.scale_init
        precision = best_precision(best_device()) if self.precision == "auto" else self.precision
        images = images_version(self.track, root=root, train_set=self.train_set)
        return replace(self, scale_init=start, precision=precision, images=images)

    @property
    def recorded(self) -> dict[str, Any]:
        """All settings as records store them: null for those that are off or have no effect."""
        return {
            field_.name: getattr(self, field_.name) if self._is_recorded(field_) else None
            for field_ in fields(self)
        }

    def _is_recorded(self, field_: Field[Any]) -> bool:
        return self._has_effect(field_) and getattr(self, field_.name) != field_.metadata["none"]

    def _has_effect(self, field_: Field[Any]) -> bool:
        """Whether the other settings let this one have an effect."""
        if field_.metadata["needs"] is None:
            return True
        other, values = field_.metadata["needs"]
        return getattr(self, other) in values

    def _without_effect(self, field_: Field[Any]) -> ConfigError:
        other, values = field_.metadata["needs"]
        wanted, found = " or ".join(values), getattr(self, other)
        return ConfigError(f"{field_.name} needs {other} {wanted}, but {other} is {found}.")

    @property
    def face_settings(self) -> dict[str, Any]:
        """Arguments of `trsfnet.data.tracks.load_track` that select the faces of the track."""
        return {
            "size": self.image_size,
            "identities": self.identities,
            "images_per_identity": self.images_per_identity,
            "train_set": self.train_set,
            "held_out_images": self.held_out_images,
        }

    def differing(self, preset: str | None = None) -> dict[str, Any]:
        """The settings in which this configuration differs from the defaults of its track or of a preset.

        `images` is left out, because nobody can give it: `resolved` fills it in.
        """
        own = {f.name: getattr(self, f.name) for f in fields(self) if self._has_effect(f)}
        del own["images"]
        standard = TrainConfig.from_parameters({}, preset)
        chosen = {
            name: value
            for name, value in own.items()
            if name in ("loss", "track", "train_set") and value != getattr(standard, name)
        }
        standard = TrainConfig.from_parameters(chosen, preset)
        return {
            name: value for name, value in own.items() if name in chosen or value != getattr(standard, name)
        }

    @property
    def slug(self) -> str:
        """Readable name of the setting and seed, such as `v1-trsf-prelu-seed0`.

        The name includes initial values that differ from the paper's, as in
        `v1-trsf-from0.3-prelu-from0.25-seed0`, and constant scales that differ from facenet's, as in
        `v1-scale0.3-relu-seed0`.
        """
        return f"{self.variant}-seed{self.seed}"

    @property
    def variant(self) -> str:
        """The same as `slug` without the seed: it names one cell of the grid of settings."""
        return f"{self.arch}{self._loss_slug}{self._scale_slug}{self._activation_slug}"

    @property
    def _loss_slug(self) -> str:
        return "" if self.loss == "softmax" else f"-{self.loss}"

    @property
    def _scale_slug(self) -> str:
        if self.fixed_scales:
            alike = len(set(self.fixed_scales)) == 1
            return f"-scales{self.fixed_scales[0]:g}" if alike else "-scales-given"
        if not self.trsf:
            return "" if self.scale_init == "paper" else f"-scale{self.scale_init:g}"
        start = "" if self.scale_init in ("paper", PAPER_SCALE) else f"-from{self.scale_init:g}"
        return f"-trsf{'-per-channel' if self.trsf_per_channel else ''}{start}"

    @property
    def _activation_slug(self) -> str:
        start = "" if self.slope_init == PAPER_SLOPE else f"-from{self.slope_init:g}"
        return f"-{self.activation.replace('_', '-')}{start}"

    @property
    def run_id(self) -> str:
        """`slug` and `settings_hash`: equal for equal results, different otherwise."""
        return f"{self.slug}-{self.settings_hash}"

    @property
    def settings_hash(self) -> str:
        """A short hash of every setting, meaningful only for a resolved configuration.

        It does not depend on where a dataset is stored.
        """
        settings = {
            name: value
            for name, value in self.recorded.items()
            if name not in LATER_SETTINGS or value not in (LATER_SETTINGS[name], None)
        }
        canonical = json.dumps(settings, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:8]


# Settings that were added later, with the value that earlier runs used. Earlier runs keep their ids.
LATER_SETTINGS: dict[str, Any] = {
    setting.name: setting.metadata["before"]
    for setting in fields(TrainConfig)
    if setting.metadata["before"] is not MISSING
}


def _defaults(given: dict[str, Any]) -> dict[str, Any]:
    """The default of each setting, which may depend on the settings `given`."""
    track, loss, train_set = given.get("track", "synthetic"), given.get("loss"), given.get("train_set")
    choice("track", track, TRACKS)
    if track != "paper":
        train_set = track
    elif train_set is None:
        train_set = "ms1mv2" if loss == "arcface" else "vggface2"
    else:
        choice("train_set", train_set, TRAIN_SETS)
    defaults = {f.name: f.default for f in fields(TrainConfig) if f.default is not MISSING}
    defaults |= {name: _from_json(value) for name, value in track_defaults(track, train_set).items()}
    defaults = {"identities": 0, **defaults, "train_set": train_set}
    if given.get("schedule", defaults["schedule"]) != "milestones":
        defaults["milestones"] = ()
    return defaults


def _from_json(value: Any) -> Any:
    """Convert a JSON value to a setting of the frozen `TrainConfig`: lists become tuples."""
    return tuple(value) if isinstance(value, list) else value


@cache
def _hints() -> dict[str, Any]:
    return typing.get_type_hints(TrainConfig)


def _still_effective(standard: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the settings of a preset that the given ones make ineffective, such as its milestones."""
    needs = {field_.name: field_.metadata["needs"] for field_ in fields(TrainConfig)}
    needs |= {name: ("schedule", schedules) for name, schedules in _OF_SCHEDULES.items()}
    return {
        name: value
        for name, value in standard.items()
        if not needs[name] or given.get(needs[name][0], needs[name][1][0]) in needs[name][1]
    }


def _as_float(value: Any, hint: Any) -> Any:
    """Convert whole numbers that were given for a float, so that `5` and `5.0` are the same setting.

    One that is too large for a float becomes infinite, which no setting may be.
    """
    if isinstance(value, tuple):
        (item, *_) = typing.get_args(hint) or (None,)
        return tuple(_as_float(each, item) for each in value)
    options = typing.get_args(hint) or (hint,)
    if not (type(value) is int and float in options and int not in options):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf


def splits(batch_size: int, parts: int) -> bool:
    """Whether a batch can be split into equal parts of two or more images, which batch norm needs."""
    return batch_size % parts == 0 and batch_size >= 2 * parts


def _check_combinations(c: TrainConfig, defaults: Mapping[str, Any]) -> None:
    if c.track == "paper" and c.images_per_identity != 1:
        raise ConfigError(
            "images_per_identity must be 1 on the track paper, which uses all people of the training set, "
            f"got {c.images_per_identity}."
        )
    choice(f"removed_pool of {c.arch}", c.removed_pool, ("none", *REMOVABLE_POOLS[c.arch]))
    smallest = MIN_INPUT_SIZE[None if c.removed_pool == "none" else c.removed_pool]
    if c.image_size < smallest:
        raise ConfigError(f"image_size must be at least {smallest} pixels, got {c.image_size}.")
    if c.trsf_per_channel and not c.trsf:
        raise ConfigError("trsf_per_channel needs trsf True: a constant scale is the same for all channels.")
    if c.fixed_scales and (c.trsf or c.scale_init != "paper"):
        raise ConfigError(
            "fixed_scales gives each module its constant: it needs trsf False and no scale_init."
        )
    if c.fixed_scales and len(c.fixed_scales) != SCALED_MODULES[c.arch]:
        raise ConfigError(
            f"fixed_scales of {c.arch} must have {SCALED_MODULES[c.arch]} numbers, got {len(c.fixed_scales)}."
        )
    if c.held_out_images and c.track != "synthetic":
        raise ConfigError(
            f"held_out_images applies only to the track synthetic: the images of {c.track} are fixed."
        )
    if (c.schedule == "milestones") != bool(c.milestones):
        raise ConfigError(
            "The schedule milestones needs a list of steps in milestones; other schedules take no milestones."
        )
    for name, schedules in _OF_SCHEDULES.items():
        if c.schedule not in schedules and getattr(c, name) != defaults[name]:
            raise ConfigError(
                f"{name} needs schedule {' or '.join(schedules)}, but schedule is {c.schedule}."
            )
    if not splits(c.batch_size, c.micro_batches):
        raise ConfigError(
            f"micro_batches must split batch_size ({c.batch_size}) into equal parts of two or more, "
            f"got {c.micro_batches}."
        )
    if c.warmup_epochs >= c.epochs:
        raise ConfigError(f"warmup_epochs must be below epochs ({c.epochs}), got {c.warmup_epochs}.")


TrainConfig.__doc__ = f"{TrainConfig.__doc__}\nAttributes:\n" + "\n".join(
    f"    {field_.name}: {documentation(field_)}" for field_ in fields(TrainConfig)
)
