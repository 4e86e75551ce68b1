"""Damaged and malicious files: no reader lets anything escape but the declared error, one clear sentence.

Here hypothesis damages valid files, the same way on every run; `tests/fuzz.py` looks for as long as asked.
"""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.targets import attacks, deeds, read_verification_set
from tests.data.text_targets import ijb_files
from tests.model_targets import (
    FITTING,
    REACHING_OUT,
    attacking_torch_files,
    onnx_files,
    read_torch,
    run_records,
    safetensors_files,
)
from tests.targets import TARGETS
from trsfnet.errors import TrsfnetError
from trsfnet.experiments.record import read_record


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """`content` after one to four accidents."""
    at = st.integers(0, len(content))
    edge = st.sampled_from(
        [0, 1, 2**24, 2**29, 2**31 - 1, 2**31, 2**32 - 4, 2**32 - 1, 0x7FC00000, 0x7F800000]
    )
    accident = st.one_of(
        st.tuples(st.just("flip"), at, st.integers(0, 7)),
        st.tuples(st.just("cut"), at, st.none()),
        st.tuples(st.just("drop"), at, st.integers(1, 40)),
        st.tuples(st.just("repeat"), at, st.integers(1, 40)),
        st.tuples(st.just("insert"), at, st.binary(min_size=1, max_size=8)),
        st.tuples(st.just("word"), at, edge),
    )

    def apply(accidents: list[tuple[str, int, object]]) -> bytes:
        data = bytearray(content)
        for kind, at, what in accidents:
            if kind == "flip" and at < len(data):
                data[at] ^= 1 << what
            elif kind == "cut":
                del data[at:]
            elif kind == "drop":
                del data[at : at + what]
            elif kind == "repeat":
                data[at:at] = data[at : at + what]
            elif kind == "insert":
                data[at:at] = what
            elif kind == "word":
                data[at // 4 * 4 : at // 4 * 4 + 4] = struct.pack("<I", what)
        return bytes(data)

    return st.lists(accident, min_size=1, max_size=4).map(apply)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Where to write; with a cache that refuses to be one, so that nothing is remembered."""
    monkeypatch.setenv("TRSFNET_CACHE", "/dev/null")
    return tmp_path


@pytest.mark.parametrize("name", TARGETS)
def test_the_valid_files_are_read(name, folder):
    for content in TARGETS[name].seeds():
        if REACHING_OUT not in content:
            TARGETS[name].read(content, folder)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_the_declared_error_escapes(name, folder):
    target = TARGETS[name]

    @settings(derandomize=True, database=None, max_examples=60, deadline=3000)
    @given(st.sampled_from(target.seeds()).flatmap(damaged))
    def survives(content: bytes) -> None:
        target.survives(content, folder)

    survives()


@pytest.mark.parametrize("name", TARGETS)
@settings(
    derandomize=True,
    database=None,
    max_examples=20,
    deadline=3000,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=st.binary(max_size=200))
def test_nor_on_any_other_bytes(name, folder, content):
    TARGETS[name].survives(content, folder)


@pytest.mark.parametrize("content", attacks())
def test_a_verification_set_runs_no_code(content, folder):
    with pytest.raises(TrsfnetError):
        read_verification_set(content, folder)


@pytest.mark.parametrize("content", attacking_torch_files())
def test_a_state_dict_runs_no_code(content, folder):
    with pytest.raises(TrsfnetError, match="could run code"):
        read_torch(content, folder)


@pytest.mark.parametrize(
    "changes",
    [{"status": "dong"}, {"status": 5}, {"config": []}, {"run_id": 5}, {"seed": "0"}, {"metrics": None}],
)
def test_what_the_search_found_in_records_is_refused(changes, folder):
    (whole,) = run_records()
    (folder / "run.json").write_text(json.dumps(json.loads(whole) | changes))
    with pytest.raises(TrsfnetError, match=r"is damaged: its (status|config|run_id|seed|metrics) cannot be"):
        read_record(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list", b"b.jpg\n" + b"x" * 300),  # a name longer than file systems take
        ("checkpoint", FITTING + b"\x80\x02]."),  # a list, where a state is a dict
        ("ijb", ijb_files()[0].replace(b"1.png", b"a,b")),  # Arrow quotes lines, ends of lines included
        ("onnx", onnx_files()[2].replace(b"../secret", b"..\xafsecret")),  # text that is not UTF-8
        ("list", b"x" * 300 + b"\0"),  # and from here on: what is quoted in a sentence is cut
        ("list", b"~ /" + b"x" * 300),
        ("safetensors", safetensors_files()[2].replace(b"F32", b"x" * 300)),
        ("pairs", b"x" * 600),
        ("people", b"1\n" + b"x/" * 300 + b"\t1\n"),
        ("identity_meta", b"x" * 600),
        ("onnx", onnx_files()[1].replace(b"weights.data", b"weights\ndata")),
        (
            "onnx",
            onnx_files()[0].replace(b"\x08\x02\x12\x13", b"\x08\x42\x12\x13"),
        ),  # a type that is not known
    ],
)
def test_what_the_blind_search_found_is_read_or_refused(name, content, folder):
    TARGETS[name].survives(content, folder)


def test_the_watch_on_deeds_works():
    deeds().clear()
    pickle.loads(attacks()[0])
    assert deeds()
