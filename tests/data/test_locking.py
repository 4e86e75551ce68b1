"""What a system without POSIX locks is told."""

from __future__ import annotations

import pytest

from trsfnet.cli import main
from trsfnet.data import locking
from trsfnet.data.locking import locked_folder
from trsfnet.errors import DataError


def test_a_system_without_posix_locks_is_told_which_have_them(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(locking, "fcntl", None)
    with (
        pytest.raises(DataError, match=r"lacks POSIX locks\. .*Linux, macOS or WSL\.$"),
        locked_folder(tmp_path / "a"),
    ):
        pass
    assert not (tmp_path / "a").exists()
    command = ["train", "-p", "width", "0.03125", "-p", "epochs", "1", "--runs", str(tmp_path / "runs")]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.startswith("trsfnet: Cannot lock ")
    assert said.count("\n") == 1
