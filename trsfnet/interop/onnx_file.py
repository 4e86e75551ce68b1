"""Networks in ONNX files, ours and others', read without trusting them.

An ONNX file is data, but it may point at other files of the machine, or loop for ever. Here a file's tensors
must lie in it or next to it, it must not loop, and it must take images and give embeddings.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from trsfnet.data.files import utf8
from trsfnet.errors import ConfigError, DataError, excerpt
from trsfnet.interop.description import Description
from trsfnet.interop.preprocessing import Preprocessing

SUFFIX = ".onnx"
# Control flow that need not end. A network for faces needs none.
_LOOPS = ("Loop", "Scan")
_LARGEST_SIZE = 4096  # side of an image in pixels
_LARGEST = 2**31  # bytes; more does not fit into one file
_STATE_IT = (
    "does not state its preprocessing: give it as --preprocessing SIZE,MEAN,DIVISOR (and ,BGR for networks "
    "made with OpenCV), or as Preprocessing(...) in Python"
)


@dataclass(frozen=True)
class OnnxModel:
    """A network in an ONNX file: it computes embeddings, and can be neither trained nor folded.

    Attributes:
        description: what it is; of others' networks only name and preprocessing are known.
        content: the file, and what lay next to it, in one.
        interface: what it takes and gives.
        parameters: how many numbers it holds.
    """

    description: Description
    content: bytes
    interface: Interface
    parameters: int

    notes: tuple[str, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that determines its embeddings: the graph and the preprocessing."""
        built = repr(self.description.preprocessing).encode()
        return hashlib.sha256(hashlib.sha256(self.content).digest() + built).hexdigest()[:16]


@dataclass(frozen=True)
class Interface:
    """What an ONNX graph takes and gives.

    Attributes:
        input: name of the images.
        output: name of the embeddings.
        channels_first: whether it takes [N, 3, size, size], not [N, size, size, 3].
        pixels: whether it takes uint8, and prepares the pixels itself, as our exports do.
        batch: how many images it takes at once; None for any number.
        size: side of the images; None if the file leaves it open.
        width: length of an embedding; None if the file does not say.
    """

    input: str
    output: str
    channels_first: bool
    pixels: bool
    batch: int | None
    size: int | None
    width: int | None


def read_onnx(path: Path, preprocessing: Preprocessing | None = None) -> OnnxModel:
    """The network in an ONNX file.

    Args:
        path: the file.
        preprocessing: from a face to the network's input. Our own files state it, others' do not.

    Raises:
        ConfigError: the preprocessing is missing, or given for a file that states its own; the package onnx
            is missing.
        DataError: the file is damaged, is no network from images to embeddings, or reaches for other files.
    """
    model = _parsed(path)
    _refuse_other_text(model, path)
    _refuse_loops(model, path)
    _take_in_what_lies_beside(model, path)
    interface = _interface(model, path)
    header = {entry.key: entry.value for entry in model.metadata_props}
    if "trsfnet" in header:
        if preprocessing is not None:
            raise ConfigError(f"{path} states its own preprocessing: omit yours.")
        description = Description.from_metadata(header, str(path))
    else:
        description = _of_others(path, interface, preprocessing)
    size = description.preprocessing.size
    if interface.size not in (None, size):
        raise DataError(f"{path} takes images of {interface.size} pixels, not of {size}.")
    parameters = sum(_count(tensor) for tensor in model.graph.initializer)
    return OnnxModel(description, model.SerializeToString(), interface, parameters)


def _parsed(path: Path) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise ConfigError("Reading .onnx needs two more packages: pip install 'trsfnet[export]'.") from error
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except Exception as error:  # protobuf has its own types, which change with its versions
        raise DataError(f"{path} is damaged or not an ONNX file.") from error
    if not model.graph.node:
        raise DataError(f"{path} is damaged or not an ONNX file: it computes nothing.")
    return model


def _refuse_other_text(model: Any, path: Path) -> None:
    """Refuse names that are not UTF-8, which protobuf hands over as bytes."""
    from google.protobuf.message import Message

    for part in (model, *_parts(model, Message)):
        for field, value in part.ListFields():
            if field.type == field.TYPE_STRING and not all(
                isinstance(text, str) for text in ([value] if isinstance(value, str | bytes) else value)
            ):
                raise DataError(f"{path} is damaged: its {field.name} is not UTF-8.")


def _refuse_loops(model: Any, path: Path) -> None:
    from onnx import NodeProto

    for node in _parts(model, NodeProto):
        if node.op_type in _LOOPS:
            raise DataError(
                f"{path} contains a {node.op_type}, which may never end; face networks do not need one."
            )


def _take_in_what_lies_beside(model: Any, path: Path) -> None:
    """Replace every tensor that is kept in a file next to the model by its content.

    Raises:
        DataError: the file lies elsewhere, is none, or is shorter than claimed; or it is too much.
    """
    from onnx import TensorProto

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
        tensor.raw_data = _beside(path, name, place)
        taken += len(tensor.raw_data)
        if taken > _LARGEST:  # many tensors may name the same place
            raise DataError(f"{path} is larger than {_LARGEST / 2**30:g} GiB; no face network is.")
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _beside(path: Path, name: str, place: dict[str, str]) -> bytes:
    file = path.with_name(name)
    try:
        offset, length = int(place.get("offset", 0)), int(place.get("length", -1))
        # A link may lead anywhere, and a pipe never ends.
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
            f"{path} is damaged: it does not say where in {excerpt(name)} a tensor lies."
        ) from error
    except OSError as error:
        raise DataError(f"Cannot read {file}: {error.strerror}.") from error


def _interface(model: Any, path: Path) -> Interface:
    from onnx import TensorProto

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
    if len(sides) > 1 or not all(side is None or 1 <= side <= _LARGEST_SIZE for side in sides):
        raise DataError(f"{path} must take square images of up to {_LARGEST_SIZE} pixels, got {shape}.")
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
    if preprocessing is None and interface.pixels and interface.size is not None:
        preprocessing = Preprocessing(interface.size)  # only the size counts: it takes the pixels as they are
    if preprocessing is None:
        raise ConfigError(f"{path} {_STATE_IT}.")
    return Description(utf8(path.name), "onnx", {}, preprocessing)


def _shape(value: Any) -> list[int | None]:
    """Lengths of the dimensions; None for one that is left open."""
    dimensions = value.type.tensor_type.shape.dim
    return [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in dimensions]


def _count(tensor: Any) -> int:
    count = 1
    for length in tensor.dims:
        count *= length
    return count


def _parts(message: Any, kind: type) -> Iterator[Any]:
    """Every message of a kind within `message`, however deep: graphs hold graphs, and functions nodes."""
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        for part in [value] if hasattr(value, "ListFields") else value:
            if isinstance(part, kind):
                yield part
            yield from _parts(part, kind)
