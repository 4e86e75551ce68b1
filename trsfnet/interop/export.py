"""Export networks to files: safetensors for further training, ONNX and PyTorch programs for inference."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from trsfnet.data.files import check_name, replacing, writing
from trsfnet.data.output import check_output
from trsfnet.errors import ConfigError
from trsfnet.experiments.threshold import thresholds
from trsfnet.interop.description import Description
from trsfnet.interop.embedding_network import embedding_network, folded
from trsfnet.interop.int8 import quantised
from trsfnet.interop.model_card import card
from trsfnet.interop.models import ModelSource, read_model
from trsfnet.interop.onnx_file import OnnxModel
from trsfnet.interop.onnx_graph import build_graph
from trsfnet.interop.weights import Weights
from trsfnet.paths import user_path

# Description of an exported program's input and output, stored in its header.
_INPUT = "images: uint8 [N, {size}, {size}, 3], RGB, 0 to 255; preprocessing is part of the program"
_OUTPUT = "embeddings: float32 [N, {width}], rows of unit length"


def export(source: ModelSource, path: Path | str, *, int8: bool = False) -> Path:
    """Write a network to a file in the format given by its suffix, and a model card (`.md`) next to it.

    - `.safetensors`: all weights as trained, for `trsfnet.load` and `trsfnet.load_network`.
    - `.onnx`: the folded network with its preprocessing, from uint8 images (any batch size) to unit-length
      embeddings.
    - `.pt2`: the same as a `torch.export` program, for `torch.export.load`.

    The header of each file contains the network's `Description`.

    Args:
        source: see `read_model`; an `.onnx` file cannot be exported again.
        path: the file to write; an existing file is replaced.
        int8: compute in 8-bit integers, only for `.onnx`; see `trsfnet.interop.int8`. The model card states
            the effect on TAR.

    Returns:
        The path of the model card.

    Raises:
        ConfigError: if the suffix is not supported, the source is an `.onnx` file, `int8` is requested for a
            network whose TAR it changes too much or that does not come from a run, or a package is missing.
        DataError: see `read_model`; or the file cannot be written.
        RecordError: see `read_model`.
    """
    path = user_path(path)
    if path.suffix not in FORMATS:
        raise ConfigError(f"The file to export to must end in one of {', '.join(FORMATS)}, got {path}.")
    if int8 and path.suffix != ".onnx":
        raise ConfigError(f"Only an .onnx file can be in int8, got {path}.")
    check_name(path)
    card_path = path.with_suffix(".md")
    read = [user_path(source)] if isinstance(source, str | Path) else []
    for file in (path, card_path):
        check_output(file, read)
    model = read_model(source)
    if isinstance(model, OnnxModel):
        raise ConfigError(
            f"{model.description.name} is already exported: an .onnx file cannot be turned back into weights."
        )
    weights = _with_thresholds(model)
    with writing(path), replacing(card_path) as card_aside, replacing(path) as aside:
        if int8:
            graph, weights = quantised(weights)
            _write_graph(graph, weights, aside)
        else:
            FORMATS[path.suffix](weights, aside)
        card_aside.write_text(card(weights.description, path.name), encoding="utf-8")
    return card_path


def _with_thresholds(weights: Weights) -> Weights:
    """Add the thresholds to a run's network; they can only be derived from the run's scores."""
    if weights.record is None:
        return weights
    description = replace(weights.description, thresholds=thresholds(weights.record))
    return replace(weights, description=description)


def _write_safetensors(weights: Weights, path: Path) -> None:
    model = weights.build() if weights.has_bottleneck else None
    state = model.state_dict() if model else weights.state
    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    # `save_file` would create files that only their owner can read.
    path.write_bytes(save(tensors, weights.description.to_metadata()))


def _write_onnx(weights: Weights, path: Path) -> None:
    _write_graph(build_graph(folded(weights), weights.description.preprocessing, unit=True), weights, path)


def _write_graph(model: Any, weights: Weights, path: Path) -> None:
    for name, value in _header(weights.description).items():
        model.metadata_props.add(key=name, value=value)
    path.write_bytes(model.SerializeToString())


def _write_program(weights: Weights, path: Path) -> None:
    preprocessing = weights.description.preprocessing
    network = embedding_network(weights).to(memory_format=torch.contiguous_format)
    # With a batch of one, the batch size would become a constant.
    example = torch.zeros(2, preprocessing.size, preprocessing.size, 3, dtype=torch.uint8)
    program = torch.export.export(network, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    header = json.dumps(_header(weights.description), indent=1)
    # Serialise in memory first: PyTorch's own writer aborts the process if the disk is full.
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={"trsfnet.json": header})
    path.write_bytes(buffer.getbuffer())


def _header(description: Description) -> dict[str, str]:
    size = description.preprocessing.size
    return {
        **description.to_metadata(),
        "input": _INPUT.format(size=size),
        "output": _OUTPUT.format(width=description.width),
    }


FORMATS: dict[str, Callable[[Weights, Path], None]] = {
    ".safetensors": _write_safetensors,
    ".onnx": _write_onnx,
    ".pt2": _write_program,
}
