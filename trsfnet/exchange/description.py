"""What is known about a network besides its weights, as text that fits into a file's header."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch

import trsfnet
from trsfnet.errors import ConfigError, DataError, TrsfnetError
from trsfnet.evaluation.names import far_name
from trsfnet.exchange.preprocessing import Preprocessing
from trsfnet.experiments.record import Record
from trsfnet.experiments.threshold import threshold
from trsfnet.models import InceptionResnet
from trsfnet.training.config import TrainConfig

SCHEMA = "1"
UNKNOWN_TERMS = "Not stated in the file: ask those who trained the network."
_VGGFACE2_TERMS = (
    "VGGFace2 was for research; it was withdrawn in 2020, and its terms went offline with its page."
)
# On what terms the data are that a network was trained on, by track or training set.
DATA_TERMS = {
    "synthetic": "The faces are rendered by this project's code, under its MIT licence, and show nobody.",
    "lfw": (
        "LFW was published to help research in face verification. The photographs belong to those who took "
        "them; the people in them were not asked."
    ),
    "vggface2": _VGGFACE2_TERMS,
    "ms1mv2": "MS-Celeb-1M, and MS1MV2 made of it, were for non-commercial research; withdrawn in 2019.",
    "casia-webface": "CASIA-WebFace was given out for non-commercial research.",
}
# The rates of false acceptance at which a file states thresholds.
FARS = (1e-1, 1e-2, 1e-3, 1e-4)
CROPS = {
    "synthetic": "a rendered face, as rendered",
    "lfw": "the middle 128 of the 250 pixels of LFW's images",
    "paper": "a face found and aligned as by `trsfnet align`",
}


# Of the network's settings.
_NUMBERS = ("embedding_size", "dropout", "input_size", "width", "scale_init", "slope_init", "bn_momentum")


@dataclass(frozen=True)
class Description:
    """What a network is, what it expects, and where it is from.

    Attributes:
        name: the run's id, or the name of the file.
        origin: who named the tensors: `trsfnet`, `facenet-pytorch`, `timm` or `facenet`.
        settings: arguments of `InceptionResnet`.
        preprocessing: from a face crop to its input.
        data_terms: the licence of the data that it was trained on, in words.
        training: of a run of ours its settings, seed, track, data and code; empty for others.
        metrics: of a run of ours its final numbers by name; empty for others.
        thresholds: of a run of ours the cosines above which it accepts a pair, by the FAR (`1e-3`) at which
            they lie on its own evaluation; empty for others.
    """

    name: str
    origin: str
    settings: Mapping[str, Any]
    preprocessing: Preprocessing
    data_terms: str = UNKNOWN_TERMS
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def to_metadata(self) -> dict[str, str]:
        """Text by name, for the header of a file: JSON where it is not plain words."""
        return {
            "format": "pt",  # whose tensors; other readers of safetensors want to know
            "trsfnet": trsfnet.__version__,
            "schema": SCHEMA,
            "name": self.name,
            "origin": self.origin,
            "architecture": json.dumps(dict(self.settings)),
            "preprocessing": json.dumps(self.preprocessing.to_dict()),
            "licence_of_the_data": self.data_terms,
            "training": json.dumps(dict(self.training)),
            "metrics": json.dumps(dict(self.metrics)),
            "thresholds": json.dumps(dict(self.thresholds)),
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], source: str) -> Description:
        """From the header of a file.

        Raises:
            DataError: it is not what `to_metadata` wrote; the sentence names `source`.
        """
        if metadata.get("schema", SCHEMA) != SCHEMA:
            raise DataError(
                f"{source} has format {metadata['schema']}, this version of trsfnet reads {SCHEMA}."
            )
        try:
            settings = json.loads(metadata["architecture"])
            _check_numbers({n: v for n, v in dict(settings).items() if n in _NUMBERS and v is not None})
            with torch.device("meta"):
                InceptionResnet(**settings)
            found = cls(
                name=metadata["name"],
                origin=metadata["origin"],
                settings=settings,
                preprocessing=Preprocessing.from_dict(json.loads(metadata["preprocessing"])),
                data_terms=metadata["licence_of_the_data"],
                training=dict(json.loads(metadata["training"])),
                metrics=dict(json.loads(metadata["metrics"])),
                thresholds=dict(json.loads(metadata["thresholds"])),
            )
            _check_numbers(found.metrics | found.thresholds)
            if found.training and not isinstance(found.training.get("track"), str):
                raise ValueError("training is without a track")
            return found
        except ConfigError as error:
            raise DataError(f"{source} describes no Inception-ResNet: {error}") from error
        # PyTorch raises the last two for sizes that no memory holds.
        except (LookupError, TypeError, ValueError, OverflowError, RuntimeError) as error:
            raise DataError(
                f"{source} does not say what network it holds: expected trsfnet's header."
            ) from error


def _check_numbers(values: Mapping[str, Any]) -> None:
    """A ValueError for what is no finite number."""
    for name, value in values.items():
        if type(value) not in (int, float) or not math.isfinite(value):
            raise ValueError(f"{name} must be a number, got {value!r}")


def of_run(record: Record) -> Description:
    """What the record of a run says about its network."""
    config = TrainConfig.from_parameters(record.config)
    known = ("command", "version", "git_commit", "source_hash", "data", "finished")
    training = {name: record.info[name] for name in known if record.info.get(name) is not None}
    return Description(
        name=record.run_id,
        origin="trsfnet",
        settings=network_settings(config),
        preprocessing=Preprocessing(config.image_size, crop=CROPS[config.track]),
        data_terms=DATA_TERMS[config.train_set or config.track],
        training={"track": config.track, "seed": config.seed, "config": record.config, **training},
        metrics=record.metrics,
        thresholds=_thresholds(record),
    )


def _thresholds(record: Record) -> dict[str, float]:
    """The thresholds of a run by FAR, as far down as its scores can tell; none if it has not finished."""
    found = {}
    for far in FARS:
        with suppress(TrsfnetError):
            found[far_name(far)] = threshold(record, far)
    return found


def network_settings(config: TrainConfig) -> dict[str, Any]:
    """Arguments of `InceptionResnet` for the network that `build_model` makes of a resolved `config`."""
    scale = ("channel" if config.trsf_per_channel else "trainable") if config.trsf else "fixed"
    settings = {
        "version": config.arch,
        "embedding_size": config.embedding_size,
        "dropout": config.dropout,
        "input_size": config.image_size,
        "width": config.width,
        "residual_scale": scale,
        "scale_init": config.scale_init,
        "activation": config.activation,
        "slope_init": config.slope_init,
        "removed_pool": config.removed_pool,
        "bn_momentum": config.bn_momentum,
    }
    return {name: value for name, value in settings.items() if value is not None}
