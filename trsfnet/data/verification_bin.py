"""insightface's verification sets: `lfw.bin`, `calfw.bin`, `cplfw.bin`, `agedb_30.bin`, `cfp_fp.bin`.

Such a file is a pickle of two lists: 2N encoded images, pair after pair, and N booleans that mark same-person
pairs. Because a pickle may contain code, it is read by an unpickler that supports only lists, tuples, bytes,
numbers and NumPy arrays of them. Old files come from Python 2, and the tools that create them wrap booleans
and images in many ways.

Source: insightface, `recognition/arcface_torch/eval/verification.py`.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from trsfnet.data.faces import Pairs
from trsfnet.data.source import Source
from trsfnet.errors import DataError

FOLDS = 10


class VerificationBin(Source):
    """The images and pairs of one verification set, held in memory (LFW's takes about 60 MB).

    The file does not identify the people in its images, nor repeated images: every image counts as an
    identity of its own, and only `pairs` tells which images show the same person.

    Attributes:
        pairs: images 2i and 2i + 1 form pair i; ten contiguous folds, as in insightface (scikit-learn's
            `KFold` without shuffling). Nothing in the file keeps a person within one fold.
    """

    def __init__(self, path: Path) -> None:
        """Read the file at `path`.

        Raises:
            DataError: if it cannot be read, is damaged, is not a verification set, or has fewer pairs than
                folds.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DataError(f"Cannot read {path}: {error.strerror}.") from error
        self._images, same = _parse(content, path)
        self._path, self._file = path, path.name
        self._version = f"{path.stem}-{hashlib.sha256(content).hexdigest()[:16]}"
        self.labels = np.arange(len(self._images))
        self.identities = tuple(map(self.name, range(len(self._images))))
        folds = [np.full(len(part), k) for k, part in enumerate(np.array_split(same, FOLDS))]
        self.pairs = Pairs(self.labels[0::2], self.labels[1::2], same, np.concatenate(folds))

    @property
    def version(self) -> str:
        """The file's name and a hash of its content."""
        return self._version

    def name(self, index: int) -> str:
        """Return the image's file and position, such as `lfw.bin/000012`."""
        return f"{self._file}/{index:06d}"

    def file(self, index: int) -> Path:
        """Return the path of the file that contains all images."""
        return self._path

    def encoded(self, index: int) -> bytes:
        """Return the content of one image."""
        return self._images[index]


def _parse(content: bytes, path: Path) -> tuple[list[bytes], np.ndarray]:
    """Return the 2N images and N booleans of a verification set, checking every item."""
    stream = io.BytesIO(content)
    try:
        return _checked(_Unpickler(stream, encoding="bytes").load(), path)
    except DataError:
        raise
    except _Refused as error:
        raise DataError(f"{path} {error}: a verification set needs no such thing.") from error
    except Exception as error:  # malicious files raise many types of exceptions
        raise DataError(
            f"{path} is damaged near byte {stream.tell()} of {len(content)}, or is not a pickle: expected "
            "one of insightface's verification sets."
        ) from error


def _checked(loaded: object, path: Path) -> tuple[list[bytes], np.ndarray]:
    parts = loaded if isinstance(loaded, list | tuple) else ()
    if len(parts) != 2 or not all(isinstance(part, list | tuple | _Array) for part in parts):
        raise DataError(
            f"{path} is a pickle of something else: expected a list of images and a list of booleans."
        )
    given, truths = map(_items, parts)
    if len(given) != 2 * len(truths):
        raise DataError(f"{path} has {len(given)} images for {len(truths)} pairs: expected twice as many.")
    if len(truths) < FOLDS:
        raise DataError(f"{path} has {len(truths)} pairs: expected at least one for each of {FOLDS} folds.")
    images = []
    for i, image in enumerate(given):
        content = _single(image)
        if isinstance(image, _Array) and not isinstance(content, bytes):
            raise DataError(f"{path}, image {i} holds an array of type {image.code!r} instead of uint8.")
        if not isinstance(content, bytes):
            raise DataError(f"{path}, image {i}: expected bytes, got {_described(content)}.")
        images.append(content)
    same = [_single(truth) for truth in truths]
    for i, truth in enumerate(same):
        if not isinstance(truth, int | float) or truth not in (0, 1):
            raise DataError(f"{path}, pair {i}: expected True or False, got {_described(truth)}.")
    return images, np.array(same, dtype=bool)


def _items(part: list[object] | tuple[object, ...] | _Array) -> list[object]:
    """Return the items of a list, a tuple or an array."""
    return part.items() if isinstance(part, _Array) else list(part)


def _single(item: object) -> object:
    """Return the bytes or number of an item, unwrapping it if necessary."""
    if isinstance(item, list | tuple) and len(item) == 1:
        (item,) = item
    if isinstance(item, _Array):
        if item.code == "u1" and isinstance(item.data, bytes) and len(item.data) != 1:
            return item.data
        found = item.items()
        return found[0] if len(found) == 1 else item
    return item


def _described(item: object) -> str:
    kind = "an array" if isinstance(item, _Array) else type(item).__name__
    return f"{kind} {item:g}" if isinstance(item, int | float) else kind


class _Refused(pickle.UnpicklingError):
    """The pickle is intact, but requests more than the format needs."""


class _Dtype:
    """Stands in for a NumPy data type: bytes, booleans, numbers or objects."""

    def __init__(self, code: str | bytes, *_: object) -> None:
        self.code = code.decode("latin1") if isinstance(code, bytes) else code
        self.order = "|"
        if self.code not in _CODES and not _BYTES_CODE.fullmatch(self.code):
            raise _Refused(f"holds an array of type {code!r:.40}")

    def __setstate__(self, state: object) -> None:
        """Set the byte order; other fields of the state are ignored."""
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else "|"
        self.order = order.decode("latin1") if isinstance(order, bytes) else str(order)


_CODES = ("u1", "b1", "i1", "i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8", "O8", "O4", "O")
_BYTES_CODE = re.compile(r"S[1-9]\d{0,8}")  # images of an array of bytes, padded to the longest


class _Array:
    """Stands in for a NumPy array or number: its type and its bytes, or its objects."""

    code: str = "u1"
    order: str = "|"
    data: object = None

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _version, _shape, dtype, _fortran, data = state
        self.fill(dtype, data)

    def fill(self, dtype: object, data: object) -> None:
        if not isinstance(dtype, _Dtype):
            raise _Refused("holds an array without a type")
        self.code, self.order, self.data = dtype.code, dtype.order, data

    def items(self) -> list[object]:
        """Return the numbers, bytes or objects in the array.

        Raises:
            _Refused: if the data do not match the type.
        """
        if self.code.startswith("O"):
            if not isinstance(self.data, list):
                raise _Refused("holds an array of objects without its objects")
            return list(self.data)
        order = self.order if self.order in "<>" else ""
        size = int(self.code[1:])
        if not isinstance(self.data, bytes) or len(self.data) % size:
            raise _Refused("holds an array whose data are cut short")
        return np.frombuffer(self.data, f"{order}{self.code}").tolist()


def _reconstruct(*_: object) -> _Array:
    """Stands in for NumPy's function in pickle protocols 0 to 4; the state is set afterwards."""
    return _Array()


def _frombuffer(data: object, dtype: object, *_: object) -> _Array:
    """Stands in for NumPy's function in pickle protocol 5."""
    return _scalar(dtype, data)


def _scalar(dtype: object, data: object) -> _Array:
    """Stands in for NumPy's function for a single number."""
    array = _Array()
    array.fill(dtype, data)
    return array


# Allowed globals, under the names of NumPy 1 and NumPy 2.
_KNOWN: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.numeric", "_frombuffer"): _frombuffer,
    ("numpy._core.numeric", "_frombuffer"): _frombuffer,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
}

# Allowed opcodes: all except those for dicts, sets, instances, persistent and extension objects.
_OPCODES = (
    pickle.PROTO + pickle.FRAME + pickle.STOP + pickle.MARK + pickle.POP + pickle.POP_MARK + pickle.DUP
    + pickle.PUT + pickle.BINPUT + pickle.LONG_BINPUT + pickle.MEMOIZE
    + pickle.GET + pickle.BINGET + pickle.LONG_BINGET
    + pickle.LIST + pickle.EMPTY_LIST + pickle.APPEND + pickle.APPENDS
    + pickle.TUPLE + pickle.EMPTY_TUPLE + pickle.TUPLE1 + pickle.TUPLE2 + pickle.TUPLE3
    + pickle.NONE + pickle.NEWTRUE + pickle.NEWFALSE
    + pickle.INT + pickle.BININT + pickle.BININT1 + pickle.BININT2 + pickle.LONG + pickle.LONG1
    + pickle.FLOAT + pickle.BINFLOAT
    + pickle.STRING + pickle.BINSTRING + pickle.SHORT_BINSTRING
    + pickle.BINBYTES + pickle.SHORT_BINBYTES + pickle.BINBYTES8 + pickle.BYTEARRAY8
    + pickle.UNICODE + pickle.BINUNICODE + pickle.SHORT_BINUNICODE + pickle.BINUNICODE8
    + pickle.GLOBAL + pickle.STACK_GLOBAL + pickle.REDUCE + pickle.BUILD
)  # fmt: skip


# Based on the unpickler written in Python: it keeps its memo in a dict, whereas the C version allocates as
# much memory as an index in the file claims; and its opcodes can be restricted.
class _Unpickler(pickle._Unpickler):
    """An unpickler for verification sets only, whose memory use is proportional to the file's size."""

    dispatch = {code: pickle._Unpickler.dispatch[code] for code in _OPCODES}  # noqa: RUF012

    def __init__(self, stream: io.BytesIO, encoding: str) -> None:
        super().__init__(stream, encoding=encoding)
        self._spare = len(stream.getbuffer())

    def find_class(self, module: str, name: str) -> Callable[..., object]:
        """Return the stand-in for `module.name`."""
        if (module, name) == ("_codecs", "encode"):
            return self._encode
        if module in ("builtins", "__builtin__") and name in ("bytearray", "bytes"):
            return self._bytes
        if (module, name) not in _KNOWN:
            raise _Refused(f"asks for {f'{module}.{name}'[:80]!r}")
        return _KNOWN[module, name]

    def _encode(self, text: str, encoding: str) -> bytes:
        """Convert text to bytes, as Python 3 pickles bytes in old protocols; the total length is limited."""
        self._spare -= len(text)
        if encoding not in ("latin1", "latin-1") or self._spare < 0:
            raise _Refused("encodes text in a way that Python does not")
        return text.encode(encoding)

    def _bytes(self, content: bytes | str = b"", encoding: str = "latin1") -> bytes:
        """Stands in for `bytearray` and `bytes`, given their content; in old protocols, as text."""
        if isinstance(content, str):
            return self._encode(content, encoding)
        if not isinstance(content, bytes):
            raise _Refused("makes bytes from something that is neither bytes nor text")
        return content

    def load_bytearray8(self) -> None:
        """Load a bytearray as bytes, without first allocating memory for the length it claims."""
        content = self.read(int.from_bytes(self.read(8), "little"))  # type: ignore[attr-defined] # made by load
        self.append(content)  # type: ignore[attr-defined]

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8  # type: ignore[assignment]
