"""Weights from anywhere: a run, a file of ours, facenet-pytorch's, timm's, facenet's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from trsfnet.data.files import utf8
from trsfnet.errors import DataError, RecordError
from trsfnet.experiments.network import saved_network
from trsfnet.experiments.record import Record
from trsfnet.interop.description import DATA_TERMS, UNKNOWN_TERMS, Description, of_run
from trsfnet.interop.files import UNDERSTOOD, Tensors, read_tensors, tensors_in
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.pretrained import PRETRAINED, pretrained_file
from trsfnet.models import InceptionResnet
from trsfnet.models.retrofit import identify
from trsfnet.models.weights import (
    check_weights,
    fingerprint,
    has_bottleneck,
    load_weights,
    made_trainable,
    origin_of,
    rename,
    settings_of,
)
from trsfnet.paths import user_path


@dataclass(frozen=True)
class Weights:
    """A network that is not built yet.

    Attributes:
        description: what it is.
        state: its tensors under our names; no bottleneck if it was trained on ImageNet.
        folder: of the file or run that it is from; None for what is from memory.
        record: of the run that it is from; None for others.
        trained: how long that run was trained, in words; None for others.
        notes: what had to be opened, stripped or left out to read it, in sentences.
    """

    description: Description
    state: Mapping[str, Tensor]
    folder: Path | None = None
    record: Record | None = None
    trained: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def has_bottleneck(self) -> bool:
        """Whether it makes embeddings, or only feature maps."""
        return has_bottleneck(self.state)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that determines its embeddings: tensors, settings and preprocessing."""
        built = repr((sorted(self.description.settings.items()), self.description.preprocessing))
        return hashlib.sha256((fingerprint(self.state) + built).encode()).hexdigest()[:16]

    def made_trainable(self, *, trsf: bool = False, activation: str | None = None) -> Weights:
        """The same function with scales or slopes that can be trained on; see `load_network`."""
        settings, state = made_trainable(
            self.description.settings, self.state, trsf=trsf, activation=activation
        )
        return Weights(replace(self.description, settings=settings), state)

    def build(self) -> InceptionResnet:
        """The network, on the CPU and in training mode. A missing bottleneck is freshly initialised.

        Raises:
            DataError: the tensors are not those of the network that is described.
            RecordError: so, in the checkpoint of a run.
        """
        name, settings = self.description.name, self.description.settings
        bottleneck = self.has_bottleneck or self.description.origin not in ("timm", "facenet")
        # First without storage: what is described may be far larger than what is there.
        with torch.device("meta"):
            model = InceptionResnet(**settings)
        try:
            check_weights(model, self.state, name, bottleneck=bottleneck)
        except DataError as error:
            if self.record is None:
                raise
            raise RecordError(
                f"The checkpoint of {self.record.path} does not hold the network that its run.json "
                f"describes: {error}"
            ) from error
        if not bottleneck:
            model = InceptionResnet(**settings)
            load_weights(model, self.state, name, bottleneck=False)
            return model
        # Nothing is initialised that is overwritten at once.
        model.load_state_dict(
            {name: _own(self.state.get(name), empty) for name, empty in model.state_dict().items()},
            assign=True,
        )
        return model


def _own(tensor: Tensor | None, empty: Tensor) -> Tensor:
    """A copy of `tensor` in the type that the network has it in; zeros for a count that is missing."""
    if tensor is None:
        return torch.zeros(empty.shape, dtype=empty.dtype)
    return tensor.detach().to("cpu", empty.dtype, copy=True)


Source = str | Path | Mapping[str, Tensor] | nn.Module | Weights
"""See `read_weights`."""


def read_weights(source: Source) -> Weights:
    """Weights and what is known about them. Nothing that is in a file is run.

    Args:
        source: one of
            the folder of a run of ours, with its checkpoint;
            `vggface2` or `casia-webface`, facenet-pytorch's pretrained v1, downloaded once;
            a file: our `.safetensors`; a state dict of facenet-pytorch's v1 or timm's v2 as `.pt`, `.pth`,
            `.pth.tar` or `.safetensors`, alone or among other things, whatever wrappers have put before its
            names; a facenet checkpoint's variables as `.npz` (see `trsfnet.models.slim_names`);
            such a state dict itself, for example `timm.create_model(..., pretrained=True).state_dict()`;
            a network in memory: an `InceptionResnet`, facenet-pytorch's v1 or timm's v2, also after
            `make_trainable`, by itself or within `DataParallel` or `torch.compile`;
            what this function gave, which is given back.

    Raises:
        ConfigError: a network in memory that is none of these.
        DataError: there is no such thing, or it is damaged; a pickle of more than tensors is not read.
        RecordError: the folder holds no run, or no network of it.
    """
    if isinstance(source, Weights):
        return source
    if isinstance(source, nn.Module):
        return _of_module(source)
    if isinstance(source, Mapping):
        return _foreign(tensors_in(source, "The state dict"), "The state dict")
    if str(source) in PRETRAINED:
        path = pretrained_file(str(source))
        return _foreign(read_tensors(path), path.name, DATA_TERMS[str(source)], path.parent)
    path = existing(source, UNDERSTOOD)
    if path.is_dir():
        return _of_run(path)
    tensors = read_tensors(path)
    if "trsfnet" in tensors.header:
        description = Description.from_metadata(tensors.header, str(path))
        return Weights(description, tensors.by_name, path.parent)
    return _foreign(tensors, utf8(path.name), folder=path.parent)  # the name goes into headers and cards


def existing(source: str | Path, understood: str) -> Path:
    """The file or folder that the user means by `source`.

    Raises:
        DataError: there is none; the sentence says what was expected.
    """
    path = user_path(source)
    try:
        there = path.exists()
    except (OSError, ValueError) as error:  # of a name that is too long, or has a NUL
        raise DataError(f"Cannot read {path}: {getattr(error, 'strerror', None) or error}.") from error
    if not there:
        names = " or ".join(PRETRAINED)
        raise DataError(f"There is no {path}: expected the folder of a run, {understood}, {names}.")
    return path


def load_network(source: Source, *, trsf: bool = False, activation: str | None = None) -> InceptionResnet:
    """A network to train further, which computes exactly what it did.

    Args:
        source: see `read_weights`.
        trsf: give it trainable residual scales (TRSF), if it has none; they start at its constants.
        activation: `prelu` gives it trainable slopes, if it has none; they start at 0 for ReLU, at the slope
            of Leaky ReLU. None leaves the activations.

    Returns:
        The network on the CPU, in training mode. timm's gets a bottleneck, freshly initialised.

    Raises:
        ConfigError: an activation that would change the function.
        DataError: see `read_weights`; or tensors are missing, unknown or misshapen.
        RecordError: see `read_weights`.
    """
    return read_weights(source).made_trainable(trsf=trsf, activation=activation).build()


def _of_run(path: Path) -> Weights:
    saved = saved_network(path)
    return Weights(of_run(saved.record), saved.state, path / "checkpoints", saved.record, saved.age)


def _of_module(model: nn.Module) -> Weights:
    found = identify(model)
    preprocessing = _usual_preprocessing(found.settings["input_size"], found.state)
    return Weights(Description("network", found.origin, found.settings, preprocessing), found.state)


def _usual_preprocessing(size: int, state: Mapping[str, Tensor]) -> Preprocessing:
    """What networks of faces expect, or those of ImageNet, which have no bottleneck."""
    return Preprocessing(size) if has_bottleneck(state) else Preprocessing(size, 127.5, 127.5, "a photo")


def _foreign(tensors: Tensors, name: str, terms: str = UNKNOWN_TERMS, folder: Path | None = None) -> Weights:
    """Weights in a port's or facenet's names, or in ours without our header."""
    origin = origin_of(tensors.by_name)
    if origin is None or origin == "trsfnet":
        raise DataError(
            f"{name} contains no supported weights: expected facenet-pytorch's Inception-ResNet v1, "
            "timm's v2, a facenet checkpoint, or a file that trsfnet wrote, with its header."
        )
    state = rename(tensors.by_name, origin)
    settings: dict[str, Any] = settings_of(state)
    preprocessing = _usual_preprocessing(settings["input_size"], state)
    description = Description(name, origin, settings, preprocessing, terms)
    return Weights(description, state, folder, notes=tensors.notes)
