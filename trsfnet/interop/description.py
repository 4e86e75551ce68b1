"""Description of a network beyond its weights, stored as text in a file's header."""

from __future__ import annotations

import functools
import json
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import torch

import trsfnet
from trsfnet.errors import ConfigError, DataError
from trsfnet.experiments.record import Record
from trsfnet.interop.header import check, fields, text
from trsfnet.interop.preprocessing import LARGEST_SIZE, Preprocessing
from trsfnet.models import InceptionResnet
from trsfnet.models.inception_resnet import EMBEDDING_SIZE, MIN_INPUT_SIZE
from trsfnet.training.config import TrainConfig
from trsfnet.training.network import network_settings

SCHEMA = "1"
UNKNOWN_TERMS = "Not stated in the file; ask the authors of the network."
_VGGFACE2_TERMS = (
    "VGGFace2 was for research; it was withdrawn in 2020, and its terms went offline with its page."
)
# Terms of use of the data that a network was trained on, by track or training set.
DATA_TERMS = {
    "synthetic": "The faces are rendered by this project's code, under its MIT licence, and show nobody.",
    "lfw": (
        "LFW was published to help research in face verification. The photographs belong to their "
        "photographers; the people shown were not asked for consent."
    ),
    "vggface2": _VGGFACE2_TERMS,
    "ms1mv2": "MS-Celeb-1M, and MS1MV2 made of it, were for non-commercial research; withdrawn in 2019.",
    "casia-webface": "CASIA-WebFace was distributed for non-commercial research.",
}
# How the crops of each training set were made, in words, and the sets whose faces were warped.
CROPS = {
    "synthetic": "a rendered face, as rendered",
    "lfw": "the central 128 of the 250 pixels of LFW's images",
    "vggface2": "a face detected and aligned as by `trsfnet align`",
    "ms1mv2": "a face with its five landmarks at ArcFace's positions, as by `trsfnet align --crop warp`",
}
_WARPED = ("ms1mv2",)

# The arguments of `InceptionResnet` with their types; words and ranges are checked by the network itself.
_HINTS = {k: v for k, v in get_type_hints(InceptionResnet.__init__).items() if k != "return"}
_NUMBERS = {name for name, hint in _HINTS.items() if get_origin(hint) is tuple}
_SETTINGS = {n: list if n in _NUMBERS else next(iter(get_args(hint)), hint) for n, hint in _HINTS.items()}
# The fields of `trsfnet.interop.int8.Loss`.
_LOSS = {"metric": str, "float32": float, "low": float, "high": float, "int8": float, "faces": int}
_OPTIONAL = {name for name, hint in _HINTS.items() if NoneType in get_args(hint)}


@dataclass(frozen=True)
class Description:
    """A network's settings, its expected input, and its origin.

    Attributes:
        name: the run's id, or the name of the file.
        origin: the project whose tensor names the weights use: `trsfnet`, `facenet-pytorch`, `timm` or
            `facenet`; `onnx` for an ONNX file not exported by trsfnet.
        settings: arguments of `InceptionResnet`.
        preprocessing: preprocessing from a face crop to the network's input.
        data_terms: terms of use of the training data, in words.
        training: settings, seed, track, data and code of a trsfnet run; empty for other networks.
        metrics: final metrics of a trsfnet run, by name; empty for other networks.
        thresholds: in a file exported from a trsfnet run, the cosines above which a pair is accepted, by
            FAR (such as `1e-3`) as measured in the run's own evaluation; empty for other networks.
    """

    name: str
    origin: str
    settings: Mapping[str, Any]
    preprocessing: Preprocessing
    data_terms: str = UNKNOWN_TERMS
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Length of an embedding of a network with these settings."""
        return int(self.settings.get("embedding_size", EMBEDDING_SIZE))

    @property
    def warped(self) -> bool | None:
        """Whether the faces of the training were warped to ArcFace's five points; None if that is unknown."""
        if self.origin == "onnx" or (self.origin == "trsfnet" and not self.training):
            return None
        return self.training.get("config", {}).get("train_set") in _WARPED

    def to_metadata(self) -> dict[str, str]:
        """Return the fields as text for the header of a file; structured fields are encoded as JSON."""
        return {
            "format": "pt",  # the framework of the tensors, which other safetensors readers expect
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
        """Read a description from the header of a file.

        Raises:
            DataError: if the header was not written by `to_metadata`; the message names `source`.
        """
        if metadata.get("schema", SCHEMA) != SCHEMA:
            raise DataError(
                f"{source} has format {metadata['schema']}, but this version of trsfnet reads {SCHEMA}."
            )
        try:
            settings = _architecture(metadata)
            found = cls(
                name=text(metadata, "name"),
                origin=text(metadata, "origin"),
                settings=settings,
                preprocessing=Preprocessing.from_dict(fields(metadata, "preprocessing")),
                data_terms=text(metadata, "licence_of_the_data"),
                training=fields(metadata, "training"),
                metrics=fields(metadata, "metrics"),
                thresholds=fields(metadata, "thresholds"),
            )
            _check_size(settings, found.preprocessing.size)
            _check_training(found.training)
            for part in ("metrics", "thresholds"):
                for name, value in getattr(found, part).items():
                    check(f"{part}: {name}", value, float)
        except ConfigError as error:
            raise DataError(f"The header of {source} does not describe a network: {error}") from error
        return found


def _architecture(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the network's settings; a ConfigError if one is unknown, missing or of another type."""
    settings = {"version": None, **fields(metadata, "architecture")}
    for name, value in settings.items():
        if name not in _SETTINGS:
            raise ConfigError(f"architecture has the unknown setting {reprlib.repr(name)}.")
        if value is not None or name not in _OPTIONAL:
            check(name, value, _SETTINGS[name])
        if name in _NUMBERS:
            for number in value:
                check(name, number, float)
            settings[name] = tuple(value)
    return settings


def _check_size(settings: Mapping[str, Any], size: int) -> None:
    """Raise a ConfigError unless `settings` define a network that accepts images of this size."""
    smallest = _smallest_size(tuple(settings.items()))
    if not smallest <= size <= LARGEST_SIZE:
        raise ConfigError(f"size must be {smallest} to {LARGEST_SIZE} pixels, got {reprlib.repr(size)}.")


@functools.lru_cache(maxsize=64)
def _smallest_size(settings: tuple[tuple[str, Any], ...]) -> int:
    """Return the smallest image size of the network with these settings; a ConfigError if it is too large."""
    try:
        with torch.device("meta"):
            removed = InceptionResnet(**dict(settings)).removed_pool
    # Exceptions that PyTorch raises for numbers outside its range.
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise ConfigError("architecture describes a network that exceeds any memory.") from error
    return MIN_INPUT_SIZE[removed]


def _check_training(training: Mapping[str, Any]) -> None:
    """Raise a ConfigError unless `training` is empty or has the fields that model cards show."""
    if not training:
        return
    check("training: track", training.get("track"), str)
    check("training: config", training.get("config"), dict)
    data = training.get("data", {})
    check("training: data", data, dict)
    if "int8" in training:
        check("training: int8", training["int8"], dict)
        if set(training["int8"]) != set(_LOSS):
            raise ConfigError(f"training: int8 must have the fields {', '.join(_LOSS)}.")
        for name, kind in _LOSS.items():
            check(f"training: int8: {name}", training["int8"][name], kind)
    if data.get("train"):
        check("training: data: train", data["train"], dict)
        for name in ("images", "identities"):
            check(f"training: data: train: {name}", data["train"].get(name), int)


def of_run(record: Record) -> Description:
    """Describe the network of a run from its record."""
    config = TrainConfig.from_parameters(record.config)
    known = ("command", "version", "git_commit", "source_hash", "data", "finished")
    training = {name: record.info[name] for name in known if record.info.get(name) is not None}
    return Description(
        name=record.run_id,
        origin="trsfnet",
        settings=network_settings(config),
        preprocessing=Preprocessing(config.image_size, crop=CROPS[config.train_set]),
        data_terms=DATA_TERMS[config.train_set],
        training={"track": config.track, "seed": config.seed, "config": record.config, **training},
        metrics=record.metrics,
    )
