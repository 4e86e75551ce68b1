"""Weights from anywhere: a run, a file of ours, facenet-pytorch's, timm's, facenet's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trsfnet.data.files import utf8
from trsfnet.errors import DataError
from trsfnet.interop.description import DATA_TERMS, UNKNOWN_TERMS, Description, of_run
from trsfnet.interop.files import UNDERSTOOD, read_tensors, tensors_in
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.pretrained import PRETRAINED, pretrained_file
from trsfnet.models import InceptionResnet
from trsfnet.models.weights import (
    check_weights,
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
    """

    description: Description
    state: Mapping[str, Tensor]

    @property
    def has_bottleneck(self) -> bool:
        """Whether it makes embeddings, or only feature maps."""
        return has_bottleneck(self.state)

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
        """
        name, settings = self.description.name, self.description.settings
        bottleneck = self.has_bottleneck or self.description.origin not in ("timm", "facenet")
        # First without storage: what is described may be far larger than what is there.
        with torch.device("meta"):
            check_weights(InceptionResnet(**settings), self.state, name, bottleneck=bottleneck)
        model = InceptionResnet(**settings)
        load_weights(model, self.state, name, bottleneck=bottleneck)
        return model


Source = str | Path | Mapping[str, Tensor] | Weights
"""See `read_weights`."""


def read_weights(source: Source) -> Weights:
    """Weights and what is known about them.

    Args:
        source: one of
            the folder of a run of ours, with its checkpoint;
            `vggface2` or `casia-webface`, facenet-pytorch's pretrained v1, downloaded once;
            a file: our `.safetensors`; a state dict of facenet-pytorch's v1 or timm's v2 as `.pt`, `.pth` or
            `.safetensors`; a facenet checkpoint's variables as `.npz` (see `trsfnet.models.slim_names`);
            such a state dict itself, for example `timm.create_model(..., pretrained=True).state_dict()`;
            what this function gave, which is given back.

    Raises:
        DataError: there is no such thing, or it is damaged; a pickle of more than tensors is not read.
        RecordError: the folder holds no run, or no network of it.
    """
    if isinstance(source, Weights):
        return source
    if isinstance(source, Mapping):
        return _foreign(tensors_in(source, "The state dict"), "The state dict")
    if str(source) in PRETRAINED:
        path = pretrained_file(str(source))
        return _foreign(read_tensors(path)[0], path.name, DATA_TERMS[str(source)])
    path = user_path(source)
    try:
        folder, there = path.is_dir(), path.exists()
    except OSError as error:  # of a name that is too long
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    if folder:
        return _of_run(path)
    if not there:
        names = " or ".join(PRETRAINED)
        raise DataError(f"There is no {path}: expected the folder of a run, {UNDERSTOOD}, {names}.")
    tensors, header = read_tensors(path)
    if "trsfnet" in header:
        return Weights(Description.from_metadata(header, str(path)), tensors)
    return _foreign(tensors, utf8(path.name))  # the name goes into headers and cards


def load_network(source: Source, *, trsf: bool = False, activation: str | None = None) -> InceptionResnet:
    """A network to go on training, which computes exactly what it did.

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
    from trsfnet.experiments.evaluate.network import load_network as load_run

    network = load_run(path)
    state = {name: tensor.cpu() for name, tensor in network.model.state_dict().items()}
    return Weights(of_run(network.record), state)


def _foreign(tensors: Mapping[str, Tensor], name: str, terms: str = UNKNOWN_TERMS) -> Weights:
    """Weights in a port's or facenet's names, or in ours without our header."""
    origin = origin_of(tensors)
    if origin is None or origin == "trsfnet":
        raise DataError(
            f"{name} holds no weights that are understood: expected facenet-pytorch's Inception-ResNet v1, "
            "timm's v2, a facenet checkpoint, or a file that trsfnet wrote, with its header."
        )
    state = rename(tensors, origin)
    settings: dict[str, Any] = settings_of(state)
    size = settings["input_size"]
    preprocessing = (
        Preprocessing(size) if has_bottleneck(state) else Preprocessing(size, 127.5, 127.5, "a photo")
    )
    return Weights(Description(name, origin, settings, preprocessing, terms), state)
