"""Face packs: the format byte by byte, both layouts, what damage says, and sharing between processes."""

from __future__ import annotations

import io
import multiprocessing
import os
import pickle
import struct
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trsfnet.data.recordio import RecordSource, write_records
from trsfnet.data.recordio.container import chunked, joined
from trsfnet.data.recordio.index import _images_of_insightface, _Records
from trsfnet.data.source import Source
from trsfnet.errors import DataError

MARK = 0xCED7230A
ARCHIVE = Path(os.environ.get("TRSFNET_DATA", "nowhere"), "lfw", "lfw-deepfunneled.tar")


class Listed(Source):
    """Images from a list, for writing."""

    version = "1"

    def __init__(self, images: list[bytes], labels: list[int], identities: tuple[str, ...]) -> None:
        self.images = images
        self.labels = np.array(labels, dtype=np.int64)
        self.identities = identities

    def encoded(self, index: int) -> bytes:
        return self.images[index]

    def name(self, index: int) -> str:
        return f"image {index}"


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def faces() -> Listed:
    """Nine images of three people, not sorted; one holds the mark where the writer must cut, twice."""
    images = [png(i) for i in range(9)]
    mark = struct.pack("<I", MARK)
    images[4] += b"\0" * (-len(images[4]) % 4) + mark + mark + b"?" + mark + b"end"
    return Listed(images, [1, 0, 2, 0, 1, 0, 2, 2, 0], ("ann", "bo", "cy"))


@pytest.fixture
def pack(faces, tmp_path) -> Path:
    write_records(faces, tmp_path)
    return tmp_path


def chunk(payload: bytes, kind: int = 0) -> bytes:
    return struct.pack("<II", MARK, kind << 29 | len(payload)) + payload + b"\0" * (-len(payload) % 4)


def record(label: float, image: bytes = b"", *more: float, key: int = 0) -> bytes:
    """A record with one label, or with an array of `label` and `more`."""
    if not more:
        return chunk(struct.pack("<IfQQ", 0, label, key, 0) + image)
    labels = struct.pack(f"<{1 + len(more)}f", label, *more)
    return chunk(struct.pack("<IfQQ", 1 + len(more), 0.0, key, 0) + labels + image)


def save(folder: Path, records: dict[int, bytes], people: str | None = None) -> Path:
    """A pack of ready-made records, in the order given."""
    offset, index = 0, ""
    for key, data in records.items():
        index += f"{key}\t{offset}\n"
        offset += len(data)
    (folder / "train.idx").write_text(index)
    (folder / "train.rec").write_bytes(b"".join(records.values()))
    if people is not None:
        (folder / "property").write_text(people)
    return folder


def content(source: Source) -> list[tuple[bytes, str]]:
    return [(source.encoded(i), source.identities[label]) for i, label in enumerate(source.labels)]


# In insightface's order: record 0 between the images and the identity records.
INSIGHTFACE = {
    1: record(0.0, b"one", 1.0),
    2: record(0.0, b"second"),
    3: record(1.0, b"third"),
    0: record(4.0, b"", 6.0),
    4: record(1.0, b"", 3.0),
    5: record(3.0, b"", 4.0),
}
IM2REC = {5: record(1.0, b"five"), 2: record(0.0, b"two"), 2**24 + 1: record(0.0, b"large")}


def test_insightface_layout_byte_by_byte(tmp_path):
    assert INSIGHTFACE[2] == bytes.fromhex("0a23d7ce1e000000 00000000 00000000") + bytes(16) + b"second\0\0"
    source = RecordSource(save(tmp_path, INSIGHTFACE, "2,112,112"))
    assert content(source) == [(b"one", "0"), (b"second", "0"), (b"third", "1")]
    assert source.labels.dtype == np.int64
    assert [source.name(i) for i in range(2)] == [
        "train.rec, record 1 at byte 0",
        "train.rec, record 2 at byte 44",
    ]


def test_im2rec_layout_has_no_special_record(tmp_path):
    source = RecordSource(save(tmp_path, IM2REC) / "train.rec")
    assert content(source) == [(b"two", "0"), (b"five", "1"), (b"large", "0")]
    source = RecordSource(save(tmp_path, {0: record(0.0, b"zero"), 1: record(1.0, b"one", 7.0)}))
    assert content(source) == [(b"zero", "0"), (b"one", "1")]


def test_a_record_in_several_chunks_is_joined_with_the_mark(tmp_path):
    mark = struct.pack("<I", MARK)
    head = struct.pack("<IfQQ", 0, 0.0, 3, 0)
    chunks = chunk(head + b"four", 1) + chunk(b"", 2) + chunk(b"more", 2) + chunk(b"end", 3)
    payload = head + b"four" + mark + mark + b"more" + mark + b"end"
    source = RecordSource(save(tmp_path, {3: chunks, 4: record(1.0, b"next")}))
    assert content(source) == [(payload[24:], "0"), (b"next", "1")]
    assert chunked(payload) == chunks


def test_only_marks_at_multiples_of_four_cut():
    mark = struct.pack("<I", MARK)
    for payload, cuts in [(b"", 0), (mark, 1), (b"?" + mark + mark, 0), (mark * 3, 3), (b"?" * 6 + mark, 0)]:
        data = chunked(payload)
        assert joined(data, 0, "x") == (payload, len(data))
        assert len(data) == 8 * (1 + cuts) + -(-(len(payload) - 4 * cuts) // 4) * 4


def test_a_label_may_be_the_mark_itself(tmp_path):
    """The header is cut like anything else: here its second word is the mark."""
    payload = struct.pack("<IIQQ", 1, MARK, 1, 0) + struct.pack("<f", 0.0) + b"image"
    source = RecordSource(save(tmp_path, {1: chunk(payload[:4], 1) + chunk(payload[8:], 3)}))
    assert content(source) == [(b"image", "0")]


def test_round_trip(faces, pack):
    source = RecordSource(pack)
    order = np.argsort(faces.labels, kind="stable")
    assert source.identities == ("0", "1", "2")
    assert (source.labels == faces.labels[order]).all()
    assert [source.encoded(i) for i in range(9)] == [faces.images[i] for i in order]
    np.testing.assert_array_equal(source.image(0), faces.image(1))
    assert (pack / "property").read_text() == "3,6,5\n"
    assert sorted(os.listdir(pack)) == ["property", "train.idx", "train.rec"]


def test_the_writer_makes_insightfaces_records(tmp_path):
    write_records(Listed([png(0), png(1), png(2)], [0, 0, 1], ("a", "b")), tmp_path)
    data = (tmp_path / "train.rec").read_bytes()
    records = [record(0.0, png(0), key=1), record(0.0, png(1), key=2), record(1.0, png(2), key=3)]
    records += [record(4.0, b"", 6.0), record(1.0, b"", 3.0, key=4), record(3.0, b"", 4.0, key=5)]
    assert data == b"".join(records)
    offsets = np.cumsum([0, *map(len, records)])
    lines = [f"{key}\t{offset}\n" for key, offset in zip([1, 2, 3, 0, 4, 5], offsets, strict=False)]
    assert (tmp_path / "train.idx").read_text() == "".join(lines)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (Listed([png(0)], [0], ("a", "b")), "The identity b has no image"),
        (Listed([], [], ()), "no image"),
        (Listed([png(0), b""], [0, 0], ("a",)), "image 1 is empty"),
        (Listed([b"html"], [0], ("a",)), "image 0 is not an image"),
    ],
)
def test_what_cannot_be_written_leaves_the_old_pack(faces, tmp_path, source, says):
    write_records(faces, tmp_path)
    before = (tmp_path / "train.rec").read_bytes()
    with pytest.raises(DataError, match=says):
        write_records(source, tmp_path)
    assert (tmp_path / "train.rec").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["property", "train.idx", "train.rec"]


def test_more_images_than_float32_counts():
    """Where float32 rounds the end of the images up, still no identity record is taken for one."""
    last = 2**24 + 2
    keys = np.arange(last + 3)
    assert int(np.float32(last + 1)) == last + 2
    labels = np.broadcast_to(np.float32(0), len(keys)).copy()
    labels[0], labels[last], labels[last + 1], labels[last + 2] = last + 1, 1, 1, last
    same = np.broadcast_to(np.int64(64), len(keys))
    filled = (keys > 0) & (keys <= last)
    images = _images_of_insightface(_Records(Path("train.rec"), keys, same, same, labels, filled))
    assert (len(images.keys), images.keys[-1]) == (last, last)


def replaced(**records: bytes | None) -> dict[int, bytes]:
    changed = INSIGHTFACE | {int(key[1:]): data for key, data in records.items()}
    return {key: data for key, data in changed.items() if data is not None}


@pytest.mark.parametrize(
    ("records", "people", "says"),
    [
        (
            IM2REC,
            "3,112,112",
            r"property says 3 people, but the labels in train.rec go from 0 to 1: expected 2",
        ),
        (IM2REC, "1,112,112", r"property says 1 people.*expected 2"),
        (IM2REC, "2,112", r"property: expected one line like 85742,112,112, got b'2,112'"),
        (IM2REC, "two,112,112", r"property: expected one line"),
        (IM2REC, "0,112,112", r"property: expected one line"),
        (IM2REC, "2,112,112\n3,112,112\n", r"property: expected one line"),
        (IM2REC, "9" * 5000, r"property: expected one line"),
        (
            {1: record(float("nan"), b"x")},
            None,
            r"record 1 at byte 0 has the label nan, expected a whole number",
        ),
        ({1: record(float("inf"), b"x")}, None, r"the label inf"),
        ({1: record(-1.0, b"x")}, None, r"the label -1.0"),
        ({1: record(0.5, b"x")}, None, r"the label 0.5"),
        (
            {1: record(2.0**24, b"x")},
            None,
            r"the label 16777216.0, expected a whole number from 0 to 16777215",
        ),
        (
            {1: record(0, b"x"), 2: record(7.0, b"x")},
            None,
            r"record 2 at byte 36 has the label 7, .* only 2 images",
        ),
        ({0: record(0, b"x"), 3: record(0.0)}, None, r"record 3 at byte 36 holds no image"),
        ({0: record(1.0, b"", 1.0)}, None, r"train.rec holds no image"),
        (
            {1: chunk(b"x" * 23)},
            None,
            r"record 1 at byte 0 is outside of the file, which has 32 bytes|too short",
        ),
        (
            {1: chunk(struct.pack("<IfQQ", 9, 0, 0, 0) + bytes(35))},
            None,
            r"too short for its header and labels",
        ),
        ({1: chunk(struct.pack("<IfQQ", 2**32 - 1, 0, 0, 0) + bytes(35))}, None, r"too short for its header"),
        ({1: chunk(bytes(32), 2)}, None, r"record 1 at byte 0 is damaged or not there"),
        ({1: chunk(bytes(28), 1) + chunk(b"x")}, None, r"record 1 at byte 0 is damaged: no part 2"),
        ({1: chunk(bytes(28), 1)}, None, r"record 1 at byte 0 is cut short: its part 2 is missing"),
        ({1: chunk(bytes(28), 1) + chunk(b"long", 3)[:-2]}, None, r"part 2 should have 4 bytes"),
        (
            {1: chunk(bytes(8), 1) + chunk(bytes(8), 3)},
            None,
            r"16|20 bytes are too few for a record's header",
        ),
        ({1: record(0, b"x") + b"....", 2: record(0, b"x")}, None, r"record 1 .* followed by bytes of which"),
        ({1: record(0, b"x")[:-4], 2: record(0, b"x")}, None, r"record 1 .* runs into the next"),
        (
            replaced(_0=record(3.0, b"", 6.0)),
            None,
            r"says that images end before key 3.0, but record 3 is the last",
        ),
        (replaced(_0=record(float("nan"), b"", 6.0)), None, r"images end before key nan"),
        (replaced(_2=record(0.0)), None, r"record 2 at byte 44 holds no image"),
        (replaced(_2=record(1.0, b"x")), None, r"record 2 .*begins person 2 by its label, .*record 3 does"),
        (replaced(_3=record(0.0, b"x")), None, r"1 people by its labels, but 2 identity records"),
        (
            replaced(_5=record(2.0, b"", 4.0)),
            None,
            r"record 3 .*begins person 2 by its label, .*record 2 does",
        ),
        (replaced(_5=record(float("inf"), b"", 4.0)), None, r"by the identity records record inf does"),
        (replaced(_2=None), None, r"train.idx does not list the image record 2"),
    ],
)
def test_records_that_lie(tmp_path, records, people, says):
    save(tmp_path, records, people)
    with pytest.raises(DataError, match=says) as refused:
        RecordSource(tmp_path)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("index", "says"),
    [
        ("", "train.idx is empty"),
        ("\n", r"line 1: expected a key, a tab and a byte offset, got b'\\n'"),
        ("1 0\n", "line 1: expected a key"),
        ("1\t0\n2\tx\n", r"line 2: expected .* got b'2\\tx"),
        ("1\t0\n2\t1e3\n", "line 2: expected"),
        ("1\t0\n\n2\t40\n", "line 2: expected"),
        ("1\t0\t\n", "line 1: expected"),
        ("1\t99999999999999999999\n", "line 1: expected"),
        ("1\t0\n2\t-4\n", "line 2: the offset -4 is negative"),
        ("-1\t0\n", "line 1: the key -1 is negative"),
        ("1\t0\n2\t40\n1\t80\n", "line 3: the key 1 stands in line 1 already"),
        ("1\t0\n2\t0\n", "line 2: the offset 0 stands in line 1 already"),
        ("1\t0\n2\t4000\n", "record 2 at byte 4000 is outside of the file, which has 244 bytes"),
        ("1\t0\n2\t46\n", "record 2 at byte 46 cannot be there: records begin at multiples of 4"),
        ("1\t0\n2\t48\n", "record 2 at byte 48 is damaged or not there"),
        ("1\t0\n2\t44\n", "record 2 at byte 44 is followed by bytes of which the .idx knows nothing"),
    ],
)
def test_an_index_that_lies(tmp_path, index, says):
    save(tmp_path, INSIGHTFACE)
    (tmp_path / "train.idx").write_text(index)
    with pytest.raises(DataError, match=says):
        RecordSource(tmp_path)


def test_any_shortening_of_the_file_is_noticed(pack):
    whole = (pack / "train.rec").read_bytes()
    for size in [*range(0, 80), *range(len(whole) - 80, len(whole))]:
        (pack / "train.rec").write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"train\.rec.* record \d+ at byte \d+ is (outside|cut short)"):
            RecordSource(pack)


def test_missing_files(pack):
    with pytest.raises(DataError, match=r"Cannot read .*none\.rec: No such file"):
        RecordSource(pack / "none.rec")
    (pack / "train.idx").unlink()
    with pytest.raises(DataError, match=r"Cannot read .*train\.idx: No such file"):
        RecordSource(pack)


def test_the_index_is_kept_and_follows_the_file(pack, monkeypatch, tmp_path):
    monkeypatch.setenv("TRSFNET_CACHE", str(tmp_path / "cache"))
    first = RecordSource(pack)
    (stored,) = (tmp_path / "cache").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr("trsfnet.data.recordio.index._scan", lambda path: pytest.fail("scanned again"))
        assert content(RecordSource(pack)) == content(first)
    stored.write_bytes(stored.read_bytes()[:-30])
    assert content(RecordSource(pack)) == content(first)
    save(pack, {7: record(0, b"other")}, "1,1,1")
    assert content(RecordSource(pack)) == [(b"other", "0")]
    assert RecordSource(pack).version != first.version


def test_a_cache_that_cannot_be_written_costs_only_time(pack, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRSFNET_CACHE", str(tmp_path / "file" / "cache"))
    assert len(RecordSource(pack)) == 9


def test_a_record_that_changed_since_it_was_indexed_is_refused(pack):
    source = RecordSource(pack)
    with (pack / "train.rec").open("r+b") as file:
        file.seek(int(source._index.offsets[2]) + 12)
        file.write(struct.pack("<f", 1.0))
    assert source.encoded(1)
    with pytest.raises(DataError, match=r"record 3 at byte \d+ is not the one that was there"):
        source.encoded(2)
    (pack / "train.rec").write_bytes(b"")
    with pytest.raises(DataError, match=r"record 1 at byte 0 is cut short"):
        source.encoded(0)


KEPT: list[RecordSource] = []


def read_all(source: RecordSource | None = None) -> list[bytes]:
    """Every image many times over, from several threads; by default of the source from before the fork."""
    source = source or KEPT[0]
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(source.encoded, list(range(len(source))) * 50))


def test_threads_forks_and_pickling(pack):
    source = RecordSource(pack)
    expected = [source.encoded(i) for i in range(len(source))] * 50
    assert read_all(source) == expected
    with multiprocessing.get_context("fork").Pool(2, KEPT.append, (source,)) as pool:
        inherited = [pool.apply_async(read_all) for _ in range(4)]
        assert read_all(source) == expected
        assert all(result.get(60) == expected for result in inherited)
        assert pool.apply(read_all, (source,)) == expected
    copy = pickle.loads(pickle.dumps(source))
    assert (read_all(copy), copy.identities, copy.version) == (expected, source.identities, source.version)


@pytest.mark.skipif(not ARCHIVE.is_file(), reason="TRSFNET_DATA names no folder with the real LFW")
def test_a_pack_of_real_faces_is_what_it_was_made_from(tmp_path):
    images, people = [], []
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".jpg"):
                images.append(archive.extractfile(member).read())
                people.append(member.name.split("/")[-2])
            if len(images) == 40:
                break
    names = tuple(sorted(set(people)))
    faces = Listed(images, [names.index(person) for person in people], names)
    source = RecordSource(write_records(faces, tmp_path).parent)
    order = np.argsort(faces.labels, kind="stable")
    assert [(source.encoded(i), names[source.labels[i]]) for i in range(40)] == [
        (images[i], people[i]) for i in order
    ]
    np.testing.assert_array_equal(source.image(7), faces.image(int(order[7])))
    assert source.image(7).shape == (250, 250, 3)
    assert (tmp_path / "property").read_text() == f"{len(names)},250,250\n"
