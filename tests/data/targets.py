"""Every reader of binary files as a target for damaged and malicious ones."""

from __future__ import annotations

import codecs
import functools
import hashlib
import io
import json
import pickle
import struct
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from trsfnet.data.decode import decode
from trsfnet.data.pack import PackSource
from trsfnet.data.pack.source import FORMAT
from trsfnet.data.recordio import RecordSource
from trsfnet.data.recordio.container import MARK, chunked, packed, read_index
from trsfnet.data.verification_bin import VerificationBin
from trsfnet.errors import TrsfnetError


@dataclass(frozen=True)
class Target:
    """A reader of files.

    Attributes:
        seeds: valid files, several small files joined into one where the format needs that.
        read: reads what stands in a file, given an empty folder or its own from before; an assertion fails
            if what it got cannot be.
    """

    seeds: Callable[[], list[bytes]]
    read: Callable[[bytes, Path], None]

    def survives(self, content: bytes, folder: Path) -> None:
        """Read `content`, whatever it is: raise if it is neither read rightly nor refused in one sentence."""
        with warnings.catch_warnings(action="ignore"):  # Pillow's, on odd but readable images
            self.accepts(content, folder)

    def accepts(self, content: bytes, folder: Path) -> bool:
        """The same, quicker: it leaves warnings alone, and tells whether `content` was read."""
        try:
            self.read(content, folder)
        except TrsfnetError as error:
            sentence = str(error)
            assert sentence.endswith("."), sentence
            assert "\n" not in sentence, sentence
            assert len(sentence) < 500, sentence
            return False
        return True


class Held(type(Path())):  # type: ignore[misc]
    """A path whose file is in memory, for readers that do nothing but open it: no disk slows the search."""

    content = b""

    def open(self, mode="r", buffering=-1, encoding=None, errors=None, newline=None):
        file = io.BytesIO(self.content)
        return file if "b" in mode else io.TextIOWrapper(file, encoding, errors, newline)


def held(name: str, content: bytes, folder: Path) -> Path:
    """`content` as the file of a name in a folder, without writing it."""
    path = Held(folder, name)
    path.content = content
    return path


# property, .idx and .rec in one. An index of `*` stands for one that fits: what it lists is looked up in the
# .rec, so that a change of length is not just the end of every record after it.
SPLIT = b"\n--\n"


def record_packs() -> list[bytes]:
    def pack(people: bytes, records: dict[int, bytes]) -> bytes:
        offset, lines = 0, []
        for key, record in records.items():
            lines.append(b"%d\t%d\n" % (key, offset))
            offset += len(record)
        return SPLIT.join([people, b"".join(lines), b"".join(records.values())])

    mark = struct.pack("<I", MARK)
    images = {1: (0, b"one"), 2: (0, b"long" + mark + mark + b"one"), 3: (1, b"third"), 4: (2, b"last!")}
    records = {key: chunked(packed(key, label, image)) for key, (label, image) in images.items()}
    listed = {3: chunked(packed(3, (1, 1), b"third"))}
    limits = {0: (5, 8), 5: (1, 3), 6: (3, 4), 7: (4, 5)}
    special = {key: chunked(packed(key, pair, b"")) for key, pair in limits.items()}
    insightface, im2rec = pack(b"3,112,112", records | listed | special), pack(b"", records)
    fitting = [SPLIT.join([b"3,112,112\n", b"*", whole.split(SPLIT)[2]]) for whole in (insightface, im2rec)]
    return [insightface, im2rec, *fitting]


def fitting_index(records: bytes) -> bytes:
    """What an `.idx` of these records says, the keys being those in their headers."""
    lines = []
    for at in range(0, len(records) - 23, 4):
        mark, word, key = struct.unpack_from("<II8xQ", records, at)
        if mark == MARK and word >> 29 < 2:
            lines.append(b"%d\t%d\n" % (key, at))
    return b"".join(lines)


def read_records(content: bytes, folder: Path) -> None:
    people, index, records = [*content.split(SPLIT, 2), b"", b""][:3]
    (folder / "property").unlink(missing_ok=True)
    if people:
        (folder / "property").write_bytes(people)
    (folder / "train.idx").write_bytes(fitting_index(records) if index == b"*" else index)
    (folder / "train.rec").write_bytes(records)
    source = RecordSource(folder)
    assert len(source) == len({source.name(i) for i in range(len(source))})
    assert source.labels.min() >= 0
    assert source.labels.max() < len(source.identities) <= len(source)
    for i in range(len(source)):
        image = source.encoded(i)
        assert image in records or struct.pack("<I", MARK) in image


def indexes() -> list[bytes]:
    return [b"1\t0\n2\t48\n3\t96\n", b"0\t0\r\n10\t64\r\n9\t128\r\n"]


def read_idx(content: bytes, folder: Path) -> None:
    (folder / "train.idx").write_bytes(content)
    keys, offsets = read_index(folder / "train.idx")
    assert len(set(keys.tolist())) == len(set(offsets.tolist())) == len(keys) == len(offsets) > 0
    assert min(keys.min(), offsets.min()) >= 0


def images() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    colours, grey = Image.fromarray(pixels), Image.fromarray(pixels[..., 0])
    turned = Image.Exif()
    turned[0x0112] = 6
    kinds: list[tuple[Image.Image, str, dict[str, object]]] = [
        (colours, "JPEG", {}),
        (colours, "JPEG", {"exif": turned, "progressive": True}),
        (colours.convert("CMYK"), "JPEG", {}),
        (grey, "PNG", {}),
        (colours.quantize(8), "PNG", {"transparency": 1}),
        (Image.fromarray(pixels[..., 0].astype(np.uint16) * 257), "PNG", {}),
        (colours, "BMP", {}),
        (colours, "GIF", {}),
        (colours, "WEBP", {}),
        (colours, "TIFF", {"compression": "tiff_lzw"}),
        (grey, "PPM", {}),
    ]
    files = []
    for image, kind, options in kinds:
        file = io.BytesIO()
        image.save(file, kind, **options)
        files.append(file.getvalue())
    return files


def read_image(content: bytes, folder: Path) -> None:
    pixels = decode(content, "image")
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3


class Attack:
    """Unpickled without care, it calls whatever it holds."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def verification_sets() -> list[bytes]:
    images, same = [b"image %d" % i for i in range(20)], [i % 2 == 0 for i in range(10)]
    arrays = [np.frombuffer(bytearray(image), np.uint8) for image in images]
    return [
        *(pickle.dumps((images, same), protocol) for protocol in range(6)),
        *(pickle.dumps((arrays, same), protocol) for protocol in (0, 2, 4, 5)),
    ]


def attacks() -> list[bytes]:
    """Verification sets that carry code."""
    calls = [Attack(eval, "1"), Attack(exec, "1"), Attack(__import__, "os"), Attack(getattr, b"", "join")]
    return [pickle.dumps(([call] * 20, [True] * 10), protocol) for call in calls for protocol in (0, 2, 4)]


# What Python tells its audit hooks when code from a file does anything.
_DEEDS = (
    "exec",
    "compile",
    "import",
    "os.",
    "subprocess.",
    "socket.",
    "shutil.",
    "ctypes.",
    "code.",
    "function.",
)


@functools.cache
def deeds() -> list[str]:
    """What this process did since the list was emptied; filled from the first call on."""
    done: list[str] = []
    for text in ("ascii", "latin1", "unicode_escape", "raw_unicode_escape"):
        codecs.lookup(text)  # pickles are written in these, and Python imports them on first use
    sys.addaudithook(lambda event, _: done.append(event) if event.startswith(_DEEDS) else None)
    return done


def read_verification_set(content: bytes, folder: Path) -> None:
    path = held("set.bin", content, folder)
    deeds().clear()
    try:
        source = VerificationBin(path)
    finally:
        assert not deeds(), f"reading did {deeds()}"
    assert len(source) == 2 * len(source.pairs.same)
    assert sum(len(source.encoded(i)) for i in range(len(source))) <= len(content)


# The files of a pack in the order in which they are joined. What pack.json should say of the others' content
# stands there as a name and is filled in, or the search would end at the first comparison.
PACK_FILES = ("pack.json", "labels.npy", "offsets.npy", "images.bin")


def packs() -> list[bytes]:
    def npy(values: list[int]) -> bytes:
        file = io.BytesIO()
        np.save(file, np.array(values, dtype=np.int64))
        return file.getvalue()

    names = {name: f"@{name}" for name in PACK_FILES[1:]}
    meta = {"format": FORMAT, "size": 9, "identities": ["ann", "bo"], "skipped": [], "sha256": names}
    files = [json.dumps(meta).encode(), npy([0, 0, 1]), npy([0, 3, 9, 14]), b"onesecondthird"]
    return [SPLIT.join(files)]


def read_pack(content: bytes, folder: Path) -> None:
    meta, *others = [*content.split(SPLIT, 3), b"", b"", b""][:4]
    for name, other in zip(PACK_FILES[1:], others, strict=True):
        (folder / name).write_bytes(other)
        meta = meta.replace(f"@{name}".encode(), hashlib.sha256(other).hexdigest().encode())
    (folder / "pack.json").write_bytes(meta)
    source = PackSource(folder)
    assert source.labels.min() >= 0
    assert source.labels.max() < len(source.identities)
    assert b"".join(source.encoded(i) for i in range(len(source))) == others[2]
    assert all(source.encoded(i) for i in range(len(source)))


TARGETS = {
    "recordio": Target(record_packs, read_records),
    "idx": Target(indexes, read_idx),
    "bin": Target(verification_sets, read_verification_set),
    "pack": Target(packs, read_pack),
    "decode": Target(images, read_image),
}
