"""Files appear whole or not at all, whoever else writes them."""

from __future__ import annotations

import pytest

from trsfnet.data.files import replacing


def test_two_writers_of_one_file_at_once_each_write_a_whole_file(tmp_path):
    file = tmp_path / "scores.parquet"
    with replacing(file) as first, replacing(file) as second:
        first.write_text("first")
        second.write_text("second")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(file.name, "first")]


def fill_the_disk_while_writing(file):
    with replacing(file) as aside:
        aside.write_text("hal")
        raise OSError("the disk is full")


def test_what_cannot_be_written_whole_leaves_the_file_before(tmp_path):
    file = tmp_path / "roc.svg"
    file.write_text("before")
    with pytest.raises(OSError, match="full"):
        fill_the_disk_while_writing(file)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(file.name, "before")]
