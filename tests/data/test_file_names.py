"""Names of files in any locale: sound ones stay as they are, others become names that can be printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from trsfnet.data.files import check_name, utf8
from trsfnet.errors import DataError


def kept(name: bytes) -> str:
    """`name` as Python has it in a locale that knows ASCII alone, such as C without UTF-8 mode."""
    return name.decode("ascii", "surrogateescape")


def test_a_sound_name_is_sound_in_any_locale():
    assert utf8(kept("café.png".encode())) == utf8("café.png") == "café.png"
    assert utf8(kept(b"caf\xe9.png")) == "caf%E9.png"


def test_a_name_that_cannot_be_written_says_whether_the_locale_or_the_name_is_at_fault():
    check_name(Path("café.parquet"))
    with pytest.raises(DataError, match=r"This locale has no 'caf\\xe9\.parquet': set LC_ALL=C\.UTF-8 or"):
        check_name(Path(kept("café.parquet".encode())))
    with pytest.raises(DataError, match=r"must be UTF-8, got caf%E9\.parquet\."):
        check_name(Path(kept(b"caf\xe9.parquet")))
