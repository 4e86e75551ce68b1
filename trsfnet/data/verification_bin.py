"""insightface's verification sets: `lfw.bin`, `calfw.bin`, `cplfw.bin`, `agedb_30.bin`, `cfp_fp.bin`.

Such a file is a pickle of two lists: 2N encoded images, pair after pair, and N booleans, whether a pair shows
one person. A pickle may carry code, so it is read by an unpickler that knows lists, byte strings, booleans
and numpy arrays of bytes, and nothing else. Old files come from Python 2.

Source: insightface, `recognition/arcface_torch/eval/verification.py`.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

from trsfnet.data.faces import Pairs
from trsfnet.data.files import writing
from trsfnet.data.source import Source
from trsfnet.errors import DataError

FOLDS = 10


class VerificationBin(Source):
    """The images and pairs of one verification set, held in memory (LFW's takes about 60 MB).

    The file does not say who is in its images, nor whether two of them are the same: every image counts as an
    identity of its own, and only `pairs` says who is the same.

    Attributes:
        pairs: images 2i and 2i + 1 are pair i; ten contiguous folds, as insightface cuts them (scikit-learn's
            `KFold` without shuffling). Nothing in the file keeps a person within one fold.
    """

    def __init__(self, path: Path) -> None:
        """Read the file at `path`.

        Raises:
            DataError: it cannot be read, is damaged, holds anything but a verification set, or has fewer
                pairs than folds.
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
        """The file's name and a hash of all its bytes."""
        return self._version

    def name(self, index: int) -> str:
        """File and place, such as `lfw.bin/000012`."""
        return f"{self._file}/{index:06d}"

    def file(self, index: int) -> Path:
        """The one file of all images."""
        return self._path

    def encoded(self, index: int) -> bytes:
        """The bytes of one image."""
        return self._images[index]


def write_verification_bin(path: Path, source: Source, pairs: Pairs) -> None:
    """Write `pairs` of `source` in the form that insightface and `VerificationBin` read.

    The format has no folds: whoever reads it cuts the pairs, in their order, into ten equal parts.

    Args:
        path: the file, usually ending in `.bin`; replaced if it exists.
        source: the images; their bytes are copied as they are.
        pairs: indices into `source`.

    Raises:
        DataError: an image cannot be read, or the file cannot be written.
    """
    if not path.absolute().parent.is_dir():
        raise DataError(f"There is no folder {path.absolute().parent} to write to.")
    images = [source.encoded(i) for i in np.stack([pairs.left, pairs.right], axis=1).ravel().tolist()]
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path):
        try:
            aside.write_bytes(pickle.dumps((images, pairs.same.tolist()), protocol=4))
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


def _parse(content: bytes, path: Path) -> tuple[list[bytes], np.ndarray]:
    """The 2N images and N truths of a verification set, every item checked."""
    stream = io.BytesIO(content)
    try:
        loaded = _Unpickler(stream, encoding="bytes").load()
    except _Refused as error:
        raise DataError(f"{path} {error}: a verification set needs no such thing.") from error
    except Exception as error:  # hostile bytes raise many types
        raise DataError(
            f"{path} is damaged near byte {stream.tell()} of {len(content)}, or no pickle: expected one of "
            "insightface's verification sets."
        ) from error
    if not (isinstance(loaded, (tuple, list)) and [type(part) for part in loaded] == [list, list]):
        raise DataError(
            f"{path} is a pickle of something else: expected a list of images and a list of truths."
        )
    images, truths = loaded
    if len(images) != 2 * len(truths):
        raise DataError(f"{path} has {len(images)} images for {len(truths)} pairs: expected twice as many.")
    if len(truths) < FOLDS:
        raise DataError(f"{path} has {len(truths)} pairs: expected at least one for each of {FOLDS} folds.")
    for i, image in enumerate(images):
        if isinstance(image, _Array):
            images[i] = image = image.data
        if not isinstance(image, bytes):
            raise DataError(f"{path}, image {i}: expected bytes, got {type(image).__name__}.")
    for i, truth in enumerate(truths):
        if not isinstance(truth, int) or truth not in (0, 1):
            raise DataError(f"{path}, pair {i}: expected True or False, got {type(truth).__name__}.")
    return images, np.array(truths, dtype=bool)


class _Refused(pickle.UnpicklingError):
    """The pickle is whole, but asks for more than the format needs."""


class _Dtype:
    """In the place of a numpy data type, which must be that of bytes."""

    def __init__(self, code: str | bytes, *_: object) -> None:
        if code not in ("u1", b"u1"):
            raise _Refused(f"holds an array of type {code!r:.40} instead of uint8")

    def __setstate__(self, state: object) -> None:
        """Byte order and fields, which bytes have not."""


class _Array:
    """In the place of a numpy array: only its bytes matter."""

    data: object = None

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _version, _shape, _dtype, _fortran, self.data = state


def _reconstruct(*_: object) -> _Array:
    """In the place of what numpy pickles in protocols 0 to 4; the state follows."""
    return _Array()


def _frombuffer(data: object, *_: object) -> _Array:
    """In the place of what numpy pickles in protocol 5."""
    array = _Array()
    array.data = data
    return array


# What may be named, by the names of numpy 1 and numpy 2.
_KNOWN: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.numeric", "_frombuffer"): _frombuffer,
    ("numpy._core.numeric", "_frombuffer"): _frombuffer,
}

# What may be done: everything but dicts, sets, floats, instances, persistent and extension objects.
_OPCODES = (
    pickle.PROTO + pickle.FRAME + pickle.STOP + pickle.MARK + pickle.POP + pickle.POP_MARK + pickle.DUP
    + pickle.PUT + pickle.BINPUT + pickle.LONG_BINPUT + pickle.MEMOIZE
    + pickle.GET + pickle.BINGET + pickle.LONG_BINGET
    + pickle.LIST + pickle.EMPTY_LIST + pickle.APPEND + pickle.APPENDS
    + pickle.TUPLE + pickle.EMPTY_TUPLE + pickle.TUPLE1 + pickle.TUPLE2 + pickle.TUPLE3
    + pickle.NONE + pickle.NEWTRUE + pickle.NEWFALSE
    + pickle.INT + pickle.BININT + pickle.BININT1 + pickle.BININT2 + pickle.LONG + pickle.LONG1
    + pickle.STRING + pickle.BINSTRING + pickle.SHORT_BINSTRING
    + pickle.BINBYTES + pickle.SHORT_BINBYTES + pickle.BINBYTES8 + pickle.BYTEARRAY8
    + pickle.UNICODE + pickle.BINUNICODE + pickle.SHORT_BINUNICODE + pickle.BINUNICODE8
    + pickle.GLOBAL + pickle.STACK_GLOBAL + pickle.REDUCE + pickle.BUILD
)  # fmt: skip


# The one written in Python: it keeps its memo in a dict, where the one in C takes as much memory as an index
# in the file claims, and its opcodes can be restricted.
class _Unpickler(pickle._Unpickler):
    """An unpickler for verification sets alone, whose memory stays in proportion to the file's size."""

    dispatch = {code: pickle._Unpickler.dispatch[code] for code in _OPCODES}  # noqa: RUF012

    def __init__(self, stream: io.BytesIO, encoding: str) -> None:
        super().__init__(stream, encoding=encoding)
        self._spare = len(stream.getbuffer())

    def find_class(self, module: str, name: str) -> Callable[..., object]:
        """What stands for `module.name`."""
        if (module, name) == ("_codecs", "encode"):
            return self._encode
        if (module, name) not in _KNOWN:
            raise _Refused(f"asks for {f'{module}.{name}'[:80]!r}")
        return _KNOWN[module, name]

    def _encode(self, text: str, encoding: str) -> bytes:
        """Python 3's way to write bytes in old protocols: as text, once each."""
        self._spare -= len(text)
        if encoding != "latin1" or self._spare < 0:
            raise _Refused("encodes texts otherwise than Python does")
        return text.encode(encoding)

    def load_bytearray8(self) -> None:
        """As bytes, and without setting aside first what a length claims."""
        self.append(self.read(int.from_bytes(self.read(8), "little")))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8
