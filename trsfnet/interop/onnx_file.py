"""Read networks from ONNX files, exported by trsfnet or not, without trusting the files.

An ONNX file is data, but it may refer to other files on the machine or loop forever. Here, tensors must be
stored in the file or next to it, loops are rejected, and the graph must map images to embeddings.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from trsfnet.data.files import utf8
from trsfnet.errors import ConfigError, DataError, excerpt
from trsfnet.interop.description import Description
from trsfnet.interop.preprocessing import LARGEST_SIZE, Preprocessing

SUFFIX = ".onnx"
# Control flow that may never end; face networks do not need it.
_LOOPS = ("Loop", "Scan")
_LARGEST = 2**31  # bytes; the limit of a single file
_STATE_IT = (
    "does not state its preprocessing: give it as --preprocessing SIZE,MEAN,DIVISOR (and ,BGR for networks "
    "made with OpenCV), or as Preprocessing(...) in Python"
)


@dataclass(frozen=True)
class OnnxModel:
    """A network in an ONNX file; it computes embeddings but can be neither trained nor folded.

    Attributes:
        description: the network's description; for networks not exported by trsfnet, only name and
            preprocessing are known.
        content: the file's content, including tensors from files next to it.
        interface: the graph's input and output.
        parameters: number of values in its tensors.
        notes: always empty: nothing is left out of an ONNX file.
    """

    description: Description
    content: bytes
    interface: Interface
    parameters: int

    notes: tuple[str, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """Hash of everything that determines the embeddings: graph and preprocessing."""
        built = repr(self.description.preprocessing).encode()
        return hashlib.sha256(hashlib.sha256(self.content).digest() + built).hexdigest()[:16]


@dataclass(frozen=True)
class Interface:
    """Input and output of an ONNX graph.

    Attributes:
        input: name of the input, the images.
        output: name of the output, the embeddings.
        channels_first: True if the input is [N, 3, size, size], False if it is [N, size, size, 3].
        pixels: True if the input is uint8 and preprocessing is part of the graph, as in trsfnet's exports.
        batch: fixed batch size; None for any.
        size: side of the images in pixels; None if the file leaves it open.
        width: length of an embedding; None if the file does not state it.
        bgr: True if the input is in the order BGR.
    """

    input: str
    output: str
    channels_first: bool
    pixels: bool
    batch: int | None
    size: int | None
    width: int | None
    bgr: bool = False


def read_onnx(path: Path, preprocessing: Preprocessing | None = None) -> OnnxModel:
    """Read the network in an ONNX file.

    Args:
        path: the file.
        preprocessing: preprocessing from a face to the network's input. Files exported by trsfnet state it,
            others do not.

    Raises:
        ConfigError: if the preprocessing is missing, given for a file that states its own, or scales pixels
            for a graph that takes them as they are; or the onnx package is missing.
        DataError: if the file is damaged, is not a network from images to embeddings, or refers to files
            elsewhere.
    """
    model = _parsed(path)
    _refuse_other_text(model, path)
    _refuse_loops(model, path)
    _include_external_data(model, path)
    interface = _interface(model, path)
    header = {entry.key: entry.value for entry in model.metadata_props}
    if "trsfnet" in header:
        if preprocessing is not None:
            raise ConfigError(f"{path} states its own preprocessing: omit yours.")
        description = Description.from_metadata(header, str(path))
    else:
        description = _of_others(path, interface, preprocessing)
        interface = replace(interface, bgr=description.preprocessing.channels == "BGR")
    size = description.preprocessing.size
    if interface.size not in (None, size):
        raise DataError(f"{path} takes images of {interface.size} pixels, not of {size}.")
    parameters = sum(_count(tensor) for tensor in model.graph.initializer)
    return OnnxModel(description, model.SerializeToString(), interface, parameters)


def states_preprocessing(path: Path) -> bool:
    """Return whether an ONNX file was exported by trsfnet and so states its preprocessing.

    Raises:
        ConfigError: if the onnx package is missing.
        DataError: if the file is damaged.
    """
    return any(entry.key == "trsfnet" for entry in _parsed(path).metadata_props)


def _parsed(path: Path) -> Any:
    try:
        import onnx  # optional: in the extra `export`
    except ImportError as error:
        raise ConfigError("Reading .onnx needs two more packages: pip install 'trsfnet[export]'.") from error
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except Exception as error:  # protobuf's exception types change between versions
        raise DataError(f"{path} is damaged or not an ONNX file.") from error
    if not model.graph.node:
        raise DataError(f"{path} is damaged or not an ONNX file: it computes nothing.")
    return model


def _refuse_other_text(model: Any, path: Path) -> None:
    """Reject strings that are not UTF-8, which protobuf returns as bytes."""
    from google.protobuf.message import Message  # optional: comes with onnx

    for part in (model, *_parts(model, Message)):
        for field, value in part.ListFields():
            if field.type == field.TYPE_STRING and not all(
                isinstance(text, str) for text in ([value] if isinstance(value, str | bytes) else value)
            ):
                raise DataError(f"{path} is damaged: its {field.name} is not UTF-8.")


def _refuse_loops(model: Any, path: Path) -> None:
    from onnx import NodeProto  # optional: in the extra `export`

    for node in _parts(model, NodeProto):
        if node.op_type in _LOOPS:
            raise DataError(
                f"{path} contains a {node.op_type}, which may never end; face networks do not need one."
            )


def _include_external_data(model: Any, path: Path) -> None:
    """Replace every tensor stored in a file next to the model with its content.

    Raises:
        DataError: if that file is in another folder, does not exist, or is too short, or the total size is
            too large.
    """
    from onnx import TensorProto  # optional: in the extra `export`

    taken = 0
    for tensor in _parts(model, TensorProto):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        place = {entry.key: entry.value for entry in tensor.external_data}
        name = place.get("location", "")
        if not name or os.path.basename(name) != name or name in (".", ".."):
            raise DataError(
                f"{path} stores tensors in {excerpt(name)}: only files in its own folder are read."
            )
        tensor.raw_data = _external_data(path, name, place)
        taken += len(tensor.raw_data)
        if taken > _LARGEST:  # many tensors may refer to the same data
            raise DataError(f"{path} is larger than {_LARGEST / 2**30:g} GiB; no face network is.")
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _external_data(path: Path, name: str, place: dict[str, str]) -> bytes:
    file = path.with_name(name)
    try:
        offset, length = int(place.get("offset", 0)), int(place.get("length", -1))
        # A link could lead anywhere, and reading a pipe might never end.
        if file.is_symlink() or not file.is_file():
            raise DataError(
                f"{path} stores tensors in {excerpt(name)}, but there is no such file next to it."
            )
        with file.open("rb") as opened:
            rest = opened.seek(0, os.SEEK_END) - offset
            length = rest if length < 0 else length
            if offset < 0 or length > rest:
                raise DataError(f"{path} is damaged: {excerpt(name)} is shorter than it says.")
            opened.seek(offset)
            return opened.read(length)
    except ValueError as error:
        raise DataError(
            f"{path} is damaged: it does not say where in {excerpt(name)} a tensor is."
        ) from error
    except OSError as error:
        raise DataError(f"Cannot read {file}: {error.strerror}.") from error


def _interface(model: Any, path: Path) -> Interface:
    from onnx import TensorProto  # optional: in the extra `export`

    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    if len(inputs) != 1 or not model.graph.output:
        raise DataError(f"{path} must have images as its only input, but has {len(inputs)} inputs.")
    shape, kind = _shape(inputs[0]), inputs[0].type.tensor_type.elem_type
    names = {number: name for name, number in TensorProto.DataType.items()}
    if len(shape) != 4 or 3 not in (shape[1], shape[3]) or kind not in (TensorProto.UINT8, TensorProto.FLOAT):
        raise DataError(
            f"{path} must take images of float32 or uint8, [N, 3, size, size] or [N, size, size, 3], got "
            f"{names.get(kind, 'an unknown type')} {shape}."
        )
    channels_first = shape[1] == 3
    sides = set(shape[2:] if channels_first else shape[1:3])
    if len(sides) > 1 or not all(side is None or 1 <= side <= LARGEST_SIZE for side in sides):
        raise DataError(f"{path} must take square images of up to {LARGEST_SIZE} pixels, got {shape}.")
    output = _shape(model.graph.output[0])
    if len(output) not in (0, 2):
        raise DataError(f"{path} must give embeddings [N, length], got {output}.")
    return Interface(
        input=inputs[0].name,
        output=model.graph.output[0].name,
        channels_first=channels_first,
        pixels=kind == TensorProto.UINT8,
        batch=shape[0],
        size=sides.pop(),
        width=output[1] if output else None,
    )


def _of_others(path: Path, interface: Interface, preprocessing: Preprocessing | None) -> Description:
    if preprocessing is not None and interface.pixels:
        mean, divisor = preprocessing.mean, preprocessing.divisor
        if (mean, divisor) != (0, 1):
            raise ConfigError(
                f"{path} takes pixels as they are: MEAN must be 0 and DIVISOR 1, got {mean:g} and "
                f"{divisor:g}."
            )
    if preprocessing is None and interface.pixels and interface.size is not None:
        preprocessing = Preprocessing(interface.size)  # only the size matters: the graph takes raw pixels
    if preprocessing is None:
        raise ConfigError(f"{path} {_STATE_IT}.")
    return Description(utf8(path.name), "onnx", {}, preprocessing)


def _shape(value: Any) -> list[int | None]:
    """Return the lengths of the dimensions; None where a length is left open."""
    dimensions = value.type.tensor_type.shape.dim
    return [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in dimensions]


def _count(tensor: Any) -> int:
    count = 1
    for length in tensor.dims:
        count *= length
    return count


def _parts(message: Any, kind: type) -> Iterator[Any]:
    """Yield all messages of a kind within `message`, at any depth, since graphs and functions are nested."""
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        for part in [value] if hasattr(value, "ListFields") else value:
            if isinstance(part, kind):
                yield part
            yield from _parts(part, kind)
