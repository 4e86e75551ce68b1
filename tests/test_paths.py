"""What a user gives as a path means the same everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trsfnet.cli import main
from trsfnet.data.cache import cache_root
from trsfnet.data.image_list import read_list
from trsfnet.data.lfw import fetched_lfw
from trsfnet.data.sources import open_source
from trsfnet.data.tracks import data_root
from trsfnet.errors import ConfigError, DataError
from trsfnet.experiments.run import run
from trsfnet.interop.pretrained import pretrained_file
from trsfnet.paths import user_path
from trsfnet.training.config import TrainConfig


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A home directory, and another folder to stand in."""
    (tmp_path / "home").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "home"


@pytest.fixture
def homeless(monkeypatch) -> None:
    """No HOME, and a user whom the system does not know."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for variable in ("TRSFNET_CACHE", "TORCH_HOME", "SCIKIT_LEARN_DATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)


def test_a_tilde_is_the_home_directory(home):
    assert user_path("~/x") == home / "x"
    assert user_path(Path("~")) == home
    for path in ("x/~", "./~/lfw", "a~b", "/data/it's a & b"):
        assert user_path(path) == Path(path)
    assert user_path("x", folder=home) == home / "x"
    assert user_path("/x", folder=home) == Path("/x")


def test_an_unknown_user_is_no_folder_to_make(home):
    with pytest.raises(
        ConfigError,
        match=r"^There is no ~nobody-at-all/x: .*; .*write \./~nobody",
    ):
        user_path("~nobody-at-all/x")
    Path("~backup.jpg").touch()
    assert user_path("~backup.jpg") == Path("~backup.jpg")


def test_the_message_says_where_an_unknown_user_stands(home, monkeypatch):
    monkeypatch.setenv("TRSFNET_DATA", "~nobody-at-all/x")
    with pytest.raises(ConfigError, match=r"^TRSFNET_DATA: ~nobody-at-all/x cannot be found: "):
        data_root()
    Path("list.txt").write_text("a.png\n\n~nobody-at-all/b.png\n")
    with pytest.raises(ConfigError, match=r"^list\.txt, line 3: ~nobody-at-all/b\.png cannot be found"):
        read_list(Path("list.txt"))


@pytest.mark.parametrize("given", ["", None, 5, True])
def test_what_is_no_path_is_refused(given):
    with pytest.raises(ConfigError, match=r"^runs must be the path of a file or folder, got "):
        user_path(given, "runs")


@pytest.mark.parametrize("variable", ["TRSFNET_CACHE", "XDG_CACHE_HOME", "TRSFNET_DATA"])
def test_variables_know_the_tilde(home, monkeypatch, variable):
    monkeypatch.delenv("TRSFNET_CACHE", raising=False)
    (home / "there").mkdir()
    monkeypatch.setenv(variable, "~/there")
    found = data_root() if variable == "TRSFNET_DATA" else cache_root()
    assert found is not None
    assert found.is_relative_to(home / "there")


def test_lists_know_the_tilde(home):
    Path("list.txt").write_text("~/faces/a.png\nb.png\n")
    (home / "faces").mkdir()
    (home / "faces" / "a.png").write_bytes(b"a")
    source = read_list(Path("list.txt"))
    assert source.encoded(0) == b"a"
    assert source.name(0) == "~/faces/a.png"


def test_sources_and_records_know_the_tilde(home):
    with pytest.raises(DataError, match=f"^There is no {home}/faces"):
        open_source("~/faces")
    tiny = TrainConfig(epochs=1, identities=4, images_per_identity=4, image_size=75, width=0.125)
    with pytest.raises(DataError, match=f"must name an existing folder, got {home}/data"):
        run(tiny, runs="~/runs", data_root="~/data")
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--runs=~/there"],
        ["runs", "~/there"],
        ["align", "~/there", "~/target"],
        ["embed", "vggface2", "~/there", "~/x.parquet"],
        ["info", "~/there"],
    ],
)
@pytest.mark.usefixtures("homeless")
def test_without_a_home_every_command_says_so(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(words)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    said = capsys.readouterr().err
    assert "no home folder ~;" in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("homeless")
def test_without_a_home_the_cache_needs_a_place():
    with pytest.raises(ConfigError, match="no home folder for the cache: set TRSFNET_CACHE to a folder that"):
        cache_root()


@pytest.mark.usefixtures("homeless")
def test_without_a_home_downloads_need_a_place():
    with pytest.raises(
        ConfigError, match="no home folder for pretrained networks: set TORCH_HOME to a folder"
    ):
        pretrained_file("vggface2")
    with pytest.raises(ConfigError, match="no home folder for LFW: set SCIKIT_LEARN_DATA to a folder that"):
        fetched_lfw()
