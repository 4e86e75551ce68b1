"""What users give as paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from trsfnet.data.files import user_path
from trsfnet.errors import ConfigError


def test_a_leading_tilde_is_the_home_folder_and_nothing_else_changes(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert user_path("~/lfw") == Path("/home/ada/lfw")
    assert user_path(Path("~")) == Path("/home/ada")
    for path in ("lfw", "./~/lfw", "a~b", "/data/it's a & b"):
        assert user_path(path) == Path(path)


def test_a_home_folder_that_does_not_exist_is_one_sentence():
    with pytest.raises(ConfigError, match=r"no home folder ~nobody-at-all: .* write \./~nobody-at-all/x"):
        user_path("~nobody-at-all/x")
