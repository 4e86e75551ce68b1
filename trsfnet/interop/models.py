"""One way from what a user calls a model to a network, whichever command or function takes it."""

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
"""A network that is read but not built."""

ModelSource = str | Path | Mapping[str, Tensor] | nn.Module | Model
"""See `read_model`."""


def read_model(source: ModelSource, preprocessing: Preprocessing | None = None) -> Model:
    """The network that `source` is, with what is known about it. Nothing that is in a file is run.

    Args:
        source: whatever `read_weights` takes, or an `.onnx` file, ours or another's.
        preprocessing: from a face to the network's input, for an `.onnx` file that does not state it.

    Raises:
        ConfigError: `preprocessing` is missing, or given for a network whose own is known.
        DataError: there is no such thing, it is damaged, or it is no network from images to embeddings.
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
