"""Read weights from many sources: a run, a trsfnet file, facenet-pytorch, timm or facenet."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Mapping
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
    """A network that has not been built yet.

    Attributes:
        description: the network's description.
        state: tensors under trsfnet's names; without a bottleneck if the network was trained on ImageNet.
        folder: folder of the file or checkpoint; None for a network from memory.
        record: record of the run that trained the network; None for others.
        trained: how long that run was trained, in words; None for others.
        notes: sentences on what was unwrapped, stripped or left out to read the weights.
    """

    description: Description
    state: Mapping[str, Tensor]
    folder: Path | None = None
    record: Record | None = None
    trained: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def has_bottleneck(self) -> bool:
        """True if the network produces embeddings, False if only feature maps."""
        return has_bottleneck(self.state)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of everything that determines the embeddings: tensors, settings and preprocessing."""
        built = repr((sorted(self.description.settings.items()), self.description.preprocessing))
        return hashlib.sha256((fingerprint(self.state) + built).encode()).hexdigest()[:16]

    def made_trainable(self, *, trsf: bool = False, activation: str | None = None) -> Weights:
        """Return weights of the same function with trainable scales or slopes; see `load_network`."""
        settings, state = made_trainable(
            self.description.settings, self.state, trsf=trsf, activation=activation
        )
        return Weights(replace(self.description, settings=settings), state)

    def build(self) -> InceptionResnet:
        """Build the network on the CPU in training mode; a missing bottleneck is freshly initialised.

        Raises:
            DataError: if the tensors do not match the described network.
            RecordError: if those of a run's checkpoint do not match.
        """
        name, settings = self.description.name, self.description.settings
        bottleneck = self.has_bottleneck or self.description.origin not in ("timm", "facenet")
        # Check without allocating storage first: the described network may be far larger than the actual
        # tensors.
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
        # Assign the tensors directly instead of initialising parameters that would be overwritten at once.
        model.load_state_dict(
            {name: _own(self.state.get(name), empty) for name, empty in model.state_dict().items()},
            assign=True,
        )
        return model


def _own(tensor: Tensor | None, empty: Tensor) -> Tensor:
    """Copy `tensor` in the network's type; a missing counter becomes zeros."""
    if tensor is None:
        return torch.zeros(empty.shape, dtype=empty.dtype)
    return tensor.detach().to("cpu", empty.dtype, copy=True)


Source = str | Path | Mapping[str, Tensor] | nn.Module | Weights
"""Anything that `read_weights` accepts."""


def read_weights(source: Source) -> Weights:
    """Read weights and their description; no code in a file is executed.

    Args:
        source: one of
            the folder of a trsfnet run with its checkpoint;
            `vggface2` or `casia-webface`, facenet-pytorch's pretrained v1, downloaded once;
            a file: a `.safetensors` written by trsfnet; a state dict of facenet-pytorch's v1 or timm's v2 as
            `.pt`, `.pth`, `.pth.tar` or `.safetensors`, which may be nested in a container and have the
            prefixes of wrappers in its names; a facenet checkpoint's variables as `.npz` (see
            `trsfnet.models.slim_names`);
            such a state dict itself, for example `timm.create_model(..., pretrained=True).state_dict()`;
            a network in memory: an `InceptionResnet`, facenet-pytorch's v1 or timm's v2, also after
            `make_trainable`, by itself or within `DataParallel` or `torch.compile`;
            a result of this function, which is returned unchanged.

    Raises:
        ConfigError: if a network in memory is none of these, or some of its modules were replaced.
        DataError: if the source does not exist or is damaged, is a pickle of more than tensors, which is not
            read, or is on the meta device.
        RecordError: if the folder contains no run, or the run has no saved network.
    """
    if isinstance(source, Weights):
        return source
    if isinstance(source, nn.Module):
        return _of_module(source)
    if isinstance(source, Mapping):
        tensors = tensors_in(source, "The state dict")
        _refuse_meta(tensors.by_name.values(), "The state dict")
        return _foreign(tensors, "The state dict")
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
    return _foreign(tensors, utf8(path.name), folder=path.parent)  # the name is written to headers and cards


def existing(source: str | Path, understood: str) -> Path:
    """Return the file or folder that `source` refers to.

    Raises:
        DataError: if it does not exist; the message says what was expected.
    """
    path = user_path(source)
    try:
        there = path.exists()
    except (OSError, ValueError) as error:  # the name is too long or contains a NUL
        raise DataError(f"Cannot read {path}: {getattr(error, 'strerror', None) or error}.") from error
    if not there:
        names = " or ".join(PRETRAINED)
        raise DataError(f"There is no {path}: expected the folder of a run, {understood}, {names}.")
    return path


def load_network(source: Source, *, trsf: bool = False, activation: str | None = None) -> InceptionResnet:
    """Load a network for further training; it computes exactly the same function as before.

    What was unwrapped, stripped or left out to read the weights is said in warnings.

    Args:
        source: see `read_weights`.
        trsf: make the residual scales trainable (TRSF) if they are constant; training starts from the
            constants.
        activation: `prelu` makes the slopes trainable if they are not; they start at 0 for ReLU and at the
            constant slope for Leaky ReLU. None leaves the activations unchanged.

    Returns:
        The network on the CPU, in training mode. A network of timm receives a freshly initialised bottleneck.

    Raises:
        ConfigError: if the activation would change the function.
        DataError: see `read_weights`; or tensors are missing, unknown or of the wrong shape.
        RecordError: see `read_weights`.
    """
    weights = read_weights(source)
    for note in weights.notes:
        warnings.warn(note, stacklevel=2)
    return weights.made_trainable(trsf=trsf, activation=activation).build()


def _of_run(path: Path) -> Weights:
    saved = saved_network(path)
    return Weights(of_run(saved.record), saved.state, path / "checkpoints", saved.record, saved.age)


def _of_module(model: nn.Module) -> Weights:
    _refuse_meta(model.state_dict().values(), "The network")
    found = identify(model)
    preprocessing = _usual_preprocessing(found.settings["input_size"], found.state)
    return Weights(Description("network", found.origin, found.settings, preprocessing), found.state)


def _refuse_meta(tensors: Iterable[Tensor], what: str) -> None:
    if any(tensor.is_meta for tensor in tensors):
        raise DataError(
            f"{what} is on the meta device, where tensors have no values: load its weights first."
        )


def _usual_preprocessing(size: int, state: Mapping[str, Tensor]) -> Preprocessing:
    """Return the usual preprocessing of face networks, or of ImageNet networks, which lack a bottleneck."""
    return Preprocessing(size) if has_bottleneck(state) else Preprocessing(size, 127.5, 127.5, "a photo")


def _foreign(tensors: Tensors, name: str, terms: str = UNKNOWN_TERMS, folder: Path | None = None) -> Weights:
    """Create weights from tensors under a port's or facenet's names; others are rejected."""
    origin = origin_of(tensors.by_name)
    if origin == "trsfnet":
        raise DataError(
            f"{name} contains a network of trsfnet without its settings, such as scales and activation: save "
            "the network with `trsfnet.export(network, 'network.safetensors')`, or load the state dict into "
            "an `InceptionResnet` with the same settings first."
        )
    if origin is None:
        raise DataError(
            f"{name} contains no supported weights: expected facenet-pytorch's Inception-ResNet v1, "
            "timm's v2, a facenet checkpoint, or a file that trsfnet wrote, with its header."
        )
    state = rename(tensors.by_name, origin)
    settings: dict[str, Any] = settings_of(state)
    preprocessing = _usual_preprocessing(settings["input_size"], state)
    description = Description(name, origin, settings, preprocessing, terms)
    return Weights(description, state, folder, notes=tensors.notes)
