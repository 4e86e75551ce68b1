"""insightface's verification sets: every pickle that exists of them is read, and no other."""

from __future__ import annotations

import os
import pickle
import struct
import sys

import numpy as np
import pytest
from sklearn.model_selection import KFold

from trsfnet.data.verification_bin import VerificationBin
from trsfnet.errors import DataError

IMAGES = [bytes([0xFF, 0xD8, i, 0x00]) + b"\n'\\" * i for i in range(46)]
SAME = [i % 3 == 0 for i in range(23)]


def read(tmp_path, content: bytes) -> VerificationBin:
    path = tmp_path / "set.bin"
    path.write_bytes(content)
    return VerificationBin(path)


def python_2(images: list[bytes], same: list[bool], protocol: int) -> bytes:
    """The pickle that Python 2 makes of (list of str, list of bool), byte strings being its `str`."""
    if protocol == 0:
        strings = "".join(f"S{repr(image)[1:]}\np{i}\na" for i, image in enumerate(images, start=3))
        truths = "".join(f"I0{int(s)}\na" for s in same)
        return f"((lp1\n{strings}(lp2\n{truths}tp0\n.".encode("ascii")
    strings = b"".join(b"T" + struct.pack("<i", len(image)) + image + b"q\x05" for image in images)
    truths = b"".join(b"\x88" if s else b"\x89" for s in same)
    return b"\x80\x02]q\x01(" + strings + b"e]q\x02(" + truths + b"e\x86q\x03."


def arrays(protocol: int, *, numpy_1: bool = False) -> bytes:
    content = pickle.dumps(([np.frombuffer(bytearray(x), np.uint8) for x in IMAGES], SAME), protocol)
    if numpy_1 and protocol < 4:  # the name is its own line, whatever its length
        content = content.replace(b"numpy._core.", b"numpy.core.")
    return content


@pytest.mark.parametrize(
    "content",
    [
        *[pickle.dumps((IMAGES, SAME), protocol) for protocol in range(6)],
        *[arrays(protocol) for protocol in range(6)],
        *[arrays(protocol, numpy_1=True) for protocol in range(3)],
        python_2(IMAGES, SAME, 0),
        python_2(IMAGES, SAME, 2),
        pickle.dumps([IMAGES, [int(s) for s in SAME]]),
    ],
)
def test_every_form_of_the_pickle_gives_the_same_pairs(tmp_path, content):
    source = read(tmp_path, content)
    assert [source.encoded(i) for i in range(len(source))] == IMAGES
    assert source.pairs.left.tolist() == list(range(0, 46, 2))
    assert source.pairs.right.tolist() == list(range(1, 46, 2))
    assert source.pairs.same.tolist() == SAME
    assert len(set(source.identities)) == len(source) == 46
    assert source.name(12) == "set.bin/000012"


def test_folds_are_insightfaces(tmp_path):
    folds = read(tmp_path, pickle.dumps((IMAGES, SAME))).pairs.folds
    for k, (_, test) in enumerate(KFold(n_splits=10, shuffle=False).split(np.arange(23))):
        assert np.flatnonzero(folds == k).tolist() == test.tolist()


def test_the_version_follows_the_content(tmp_path):
    one = read(tmp_path, pickle.dumps((IMAGES, SAME))).version
    assert read(tmp_path, pickle.dumps((IMAGES, SAME))).version == one
    assert read(tmp_path, pickle.dumps((IMAGES[::-1], SAME))).version != one


class Command:
    """Runs a command when unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", range(6))
def test_code_is_refused_by_name_and_never_run(tmp_path, protocol):
    trap = tmp_path / "trap"
    content = pickle.dumps((IMAGES, [Command(f"touch {trap}"), *SAME[1:]]), protocol)
    with pytest.raises(DataError, match=r"set\.bin asks for '(posix|nt)\.system'"):
        read(tmp_path, content)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is damaged near byte 0 of 0"),
        (b"<html>404 Not Found</html>", "is damaged near byte"),
        (pickle.dumps((IMAGES, SAME))[:-100], "is damaged near byte"),
        (b"(S'touch trap'\nios\nsystem\n.", "is damaged near byte"),
        (pickle.dumps({"images": IMAGES}), "is damaged near byte"),
        (pickle.dumps(IMAGES), "is a pickle of something else"),
        (pickle.dumps(7), "is a pickle of something else"),
        (pickle.dumps((IMAGES, SAME[:-1])), "has 46 images for 22 pairs: expected twice as many"),
        (pickle.dumps((IMAGES[:18], SAME[:9])), "has 9 pairs: expected at least one for each of 10 folds"),
        (pickle.dumps(([*IMAGES[:-1], "text"], SAME)), "image 45: expected bytes, got str"),
        (pickle.dumps((IMAGES, [*SAME[:-1], 2])), "pair 22: expected True or False, got int"),
        (pickle.dumps((IMAGES, [*SAME[:-1], None])), "pair 22: expected True or False, got NoneType"),
        (
            pickle.dumps(([np.zeros(3, np.float64)] * 46, SAME)),
            "holds an array of type 'f8' instead of uint8",
        ),
        (pickle.dumps(([np.array([IMAGES], object)] * 46, SAME)), "holds an array of type 'O8'"),
    ],
)
def test_what_is_no_verification_set_is_told(tmp_path, content, says):
    with pytest.raises(DataError, match=says) as caught:
        read(tmp_path, content)
    assert "set.bin" in str(caught.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DataError, match="Cannot read"):
        VerificationBin(tmp_path / "none.bin")


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x8e" + struct.pack("<Q", 2**45) + b"x.",  # bytes of 32 TB
        b"\x8e" + struct.pack("<Q", 2**64 - 1) + b"x.",
        b"\x96" + struct.pack("<Q", 2**31) + b"x.",  # a bytearray of 2 GB, which Python clears at once
        b"\x95" + struct.pack("<Q", 2**45) + b"x.",  # a frame
        b"T" + struct.pack("<i", -5) + b"x.",
        b"]r\x00\x00\x00\x08.",  # a memo of 2**27 places, which Python doubles and clears
        b"(" * 10**5 + b".",
        b"\x80\x02c_codecs\nencode\nq\x00X\x00\x00\x10\x00" + b"a" * 2**20  # the same text, over and over
        + b"q\x01X\x06\x00\x00\x00latin1q\x02\x86q\x03000" + b"h\x00h\x03R" * 10**5 + b".",
    ],
)  # fmt: skip
def test_claims_of_size_cost_nothing(tmp_path, bomb):
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError):
        read(tmp_path, bomb)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200 * (2**20 if sys.platform == "darwin" else 2**10), "bytes on macOS, kilobytes elsewhere"


PLAIN = [b"image %d" % i for i in range(20)]
TRUE = [i % 3 == 0 for i in range(10)]
OBJECTS = np.empty(20, dtype=object)
OBJECTS[:] = [np.frombuffer(image, np.uint8) for image in PLAIN]

TRUTHS = {
    "NumPy's booleans": [np.bool_(truth) for truth in TRUE],
    "NumPy's numbers": [np.int64(truth) for truth in TRUE],
    "an array of booleans": np.array(TRUE),
    "an array of int64": np.array(TRUE, dtype=np.int64),
    "an array in the other byte order": np.array(TRUE, dtype=">i4"),
    "floats": [float(truth) for truth in TRUE],
    "an array of floats": np.array(TRUE, dtype=np.float32),
    "a tuple": tuple(TRUE),
    "tuples of one": [(truth,) for truth in TRUE],
    "arrays of one": [np.array([truth]) for truth in TRUE],
}
PAYLOADS = {
    "bytearrays": [bytearray(image) for image in PLAIN],
    "a tuple": tuple(PLAIN),
    "tuples of one": [(image,) for image in PLAIN],
    "arrays": [np.frombuffer(image, np.uint8) for image in PLAIN],
    "an array of objects": OBJECTS,
    "an array of bytes objects": np.array(PLAIN, dtype=object),
    "an array of bytes": np.array(PLAIN),
}


@pytest.mark.parametrize("protocol", range(6))
def test_sets_are_read_however_their_tools_wrapped_them(tmp_path, protocol):
    path = tmp_path / "set.bin"
    whole = [(images, TRUE) for images in PAYLOADS.values()] + [(PLAIN, same) for same in TRUTHS.values()]
    for images, same in whole:
        path.write_bytes(pickle.dumps((images, same), protocol))
        source = VerificationBin(path)
        assert source.pairs.same.tolist() == TRUE
        assert [source.encoded(i) for i in range(20)] == PLAIN


@pytest.mark.parametrize(
    ("same", "says"),
    [
        ([0.5] * 10, r"pair 0: expected True or False, got float 0\.5"),
        (np.full(10, 2), r"pair 0: expected True or False, got int 2"),
        ([None] * 10, "pair 0: expected True or False, got NoneType"),
        (np.array(["a"] * 10), "holds an array of type 'U1'"),
    ],
)
def test_what_is_no_truth_is_named(tmp_path, same, says):
    (tmp_path / "set.bin").write_bytes(pickle.dumps((PLAIN, same)))
    with pytest.raises(DataError, match=says):
        VerificationBin(tmp_path / "set.bin")
