"""The paper's settings, and which runs may stand beside each other in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from trsfnet.models.inception_resnet import PAPER_SCALE, PAPER_SLOPE
from trsfnet.training.config import LATER_SETTINGS, TrainConfig, track_defaults

_ACTIVATION_NAMES = {"relu": "", "leaky_relu": " + Leaky ReLU", "prelu": " + PReLU"}

# What a table varies. Everything else, the protocol, must agree between runs that are compared.
_SETTING_FIELDS = {
    "arch",
    "trsf",
    "trsf_per_channel",
    "scale_init",
    "activation",
    "slope_init",
    "loss",
    "arcface_scale",
    "arcface_margin",
    "seed",
}
# What changes not the thing learned, only its rounding.
_ROUNDING_FIELDS = {"precision"}


@dataclass(frozen=True)
class Setting:
    """One row of a table of the paper."""

    arch: str
    trsf: bool
    activation: str

    @property
    def key(self) -> str:
        """Such as `v1-trsf-prelu`: how run ids begin and `paper.json` names its cells."""
        return self.config().slug.rpartition("-seed")[0]

    @property
    def name(self) -> str:
        """As the paper prints it, such as `Inception-ResNet v1 + TRSF + PReLU`."""
        trsf = " + TRSF" if self.trsf else ""
        return f"Inception-ResNet {self.arch}{trsf}{_ACTIVATION_NAMES[self.activation]}"

    def config(self, **others: Any) -> TrainConfig:
        """The configuration that trains it, with `others` for track, seed and the rest."""
        return TrainConfig(arch=self.arch, trsf=self.trsf, activation=self.activation, **others)


def table_settings(number: int) -> list[Setting]:
    """The six settings of table 1 (v1) or 2 (v2), in the paper's order."""
    arch = {1: "v1", 2: "v2"}[number]
    return [
        Setting(arch, trsf, activation)
        for activation in ("relu", "leaky_relu", "prelu")
        for trsf in (False, True)
    ]


def is_papers(config: Mapping[str, Any]) -> bool:
    """Whether scales and slopes start where the paper starts them, so that the run belongs in a table."""
    scale_ok = config["scale_init"] == (PAPER_SCALE if config["trsf"] else None)
    slope_ok = config["activation"] == "relu" or config["slope_init"] == PAPER_SLOPE
    return scale_ok and slope_ok and not config["trsf_per_channel"]


def protocol(config: Mapping[str, Any]) -> dict[str, Any]:
    """What two runs must share to be compared: data, sizes, schedule, augmentation."""
    return {
        k: v
        for k, v in (LATER_SETTINGS | dict(config)).items()
        if k not in _SETTING_FIELDS | _ROUNDING_FIELDS
    }


def departures(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run's protocol that are not its track's own; empty for a run in the tables."""
    train_set = config.get("train_set")
    standard = asdict(TrainConfig(track=config["track"], train_set=train_set))
    standard |= track_defaults(config["track"], train_set)
    return {
        name: value
        for name, value in protocol(config).items()
        if name != "images" and name in standard and _as_json(value) != _as_json(standard[name])
    }


def _as_json(value: Any) -> Any:
    """A setting as it comes back from `run.json`."""
    return list(value) if isinstance(value, tuple) else value
