"""Read a network from any source that the commands and functions accept as a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from trsfnet.errors import ConfigError
from trsfnet.interop.files import UNDERSTOOD
from trsfnet.interop.onnx_file import SUFFIX, OnnxModel, read_onnx
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.pretrained import PRETRAINED
from trsfnet.interop.weights import Weights, existing, read_weights

Model = Weights | OnnxModel
"""A network that has been read but not built."""

ModelSource = str | Path | Mapping[str, Tensor] | nn.Module | Model
"""Anything that `read_model` accepts."""


def read_model(source: ModelSource, preprocessing: Preprocessing | None = None) -> Model:
    """Read a network and its description; no code in a file is executed.

    Args:
        source: any source accepted by `read_weights`, or an `.onnx` file, exported by trsfnet or not.
        preprocessing: how a face becomes the network's input, for an `.onnx` file that does not
            state it.

    Raises:
        ConfigError: if `preprocessing` is missing, or given for a network whose own is known.
        DataError: if the source does not exist, is damaged, or is not a network from images to embeddings.
        RecordError: see `read_weights`.
    """
    if isinstance(source, OnnxModel):
        return source
    if isinstance(source, str | Path) and str(source) not in PRETRAINED:
        path = existing(source, f"{UNDERSTOOD}, {SUFFIX}")
        if path.suffix == SUFFIX and path.is_file():
            return read_onnx(path, preprocessing)
    if preprocessing is not None:
        raise ConfigError(f"The preprocessing of {source} is known: omit yours.")
    return read_weights(source)
