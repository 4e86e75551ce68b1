"""Face packs that are damaged or lie: one sentence says what is wrong and where."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.data.recordio_files import IM2REC, INSIGHTFACE, chunk, record, save
from trsfnet.data.recordio import RecordSource
from trsfnet.errors import DataError


@pytest.fixture
def pack(tmp_path, monkeypatch) -> Path:
    """A pack that may be changed faster than its time tells: nothing is kept in the cache."""
    monkeypatch.setenv("TRSFNET_CACHE", "/dev/null")
    return save(tmp_path, INSIGHTFACE, "2,112,112")


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
        ({1: record(0, b"x") + b"....", 2: record(0, b"x")}, None, r"record 1 .* followed by bytes that"),
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
        (replaced(_2=record(float("nan"), b"x")), None, r"record 2 at byte 44 has the label nan"),
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
        ("1\t0\n2\t40\n1\t80\n", "line 3: the key 1 is already in line 1"),
        ("1\t0\n2\t0\n", "line 2: the offset 0 is already in line 1"),
        ("1\t0\n2\t4000\n", "record 2 at byte 4000 is outside of the file, which has 244 bytes"),
        ("1\t0\n2\t46\n", "record 2 at byte 46 cannot be there: records begin at multiples of 4"),
        ("1\t0\n2\t48\n", "record 2 at byte 48 is damaged or not there"),
        ("1\t0\n2\t44\n", "record 2 at byte 44 is followed by bytes that the .idx does not list"),
    ],
)
def test_an_index_that_lies(tmp_path, index, says):
    save(tmp_path, INSIGHTFACE)
    (tmp_path / "train.idx").write_text(index)
    with pytest.raises(DataError, match=says):
        RecordSource(tmp_path)


def test_any_shortening_of_the_file_is_noticed(pack):
    whole = (pack / "train.rec").read_bytes()
    for size in range(len(whole)):
        (pack / "train.rec").write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"train\.rec.* record \d+ at byte \d+ is (outside|cut short)"):
            RecordSource(pack)


def test_no_single_flipped_bit_changes_a_label(pack):
    """Identity records and `property` show damage to labels, as long as a person has several images."""
    whole = (pack / "train.rec").read_bytes()
    labels = RecordSource(pack).labels.tolist()
    refused = 0
    for bit in range(0, 8 * len(whole), 3):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        (pack / "train.rec").write_bytes(damaged)
        try:
            assert RecordSource(pack).labels.tolist() == labels
        except DataError:
            refused += 1
    assert refused > 200


def test_missing_files(pack):
    with pytest.raises(DataError, match=r"Cannot read .*none\.rec: No such file"):
        RecordSource(pack / "none.rec")
    (pack / "train.rec").write_bytes(b"")
    (pack / "train.idx").unlink()
    with pytest.raises(DataError, match=r"train\.rec is empty: expected records"):
        RecordSource(pack)


def test_a_record_that_changed_since_it_was_indexed_is_refused(pack):
    source = RecordSource(pack)
    with (pack / "train.rec").open("r+b") as file:
        file.seek(44 + 12)
        file.write(struct.pack("<f", 1.0))
    assert source.encoded(0) == b"one"
    with pytest.raises(DataError, match=r"record 2 at byte 44 is not the record that was indexed"):
        source.encoded(1)
    (pack / "train.rec").write_bytes(b"")
    with pytest.raises(DataError, match=r"record 1 at byte 0 is cut short"):
        source.encoded(0)
