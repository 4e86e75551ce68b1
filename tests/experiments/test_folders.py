"""The folders of run records are found from wherever a notebook runs; a wrong one says where it looked."""

from __future__ import annotations

from pathlib import Path

import pytest

from trsfnet.errors import RecordError
from trsfnet.experiments import folders
from trsfnet.experiments.folders import find_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout with both folders."""
    root = tmp_path / "checkout"
    for name in ("trsfnet", "notebooks", "results", "runs"):
        (root / name).mkdir(parents=True)
    (root / "trsfnet" / "__init__.py").touch()
    return root


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """The package as if a wheel had installed it: no checkout around it."""
    monkeypatch.setattr(folders, "__file__", str(tmp_path / "site-packages" / "trsfnet" / "folders.py"))


@pytest.mark.parametrize("place", [".", "notebooks", "notebooks/deep"])
@pytest.mark.usefixtures("installed")
def test_upwards_from_where_a_notebook_runs(checkout, monkeypatch, place):
    (checkout / place).mkdir(exist_ok=True)
    monkeypatch.chdir(checkout / place)
    assert find_folder("results") == checkout / "results"
    assert find_folder("runs", must_exist=False) == checkout / "runs"


def test_around_the_package_when_the_notebook_is_elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert find_folder("results") == ROOT / "results"


def test_a_folder_that_is_there_comes_before_the_checkouts(checkout, monkeypatch):
    own = checkout / "notebooks" / "runs"
    own.mkdir()
    monkeypatch.chdir(own.parent)
    assert find_folder("runs") == own
    monkeypatch.setenv("HOME", str(checkout))
    assert find_folder("~/runs") == find_folder(checkout / "runs") == checkout / "runs"


def test_a_folder_of_the_name_that_is_in_no_checkout_is_not_taken(checkout, installed, monkeypatch, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(RecordError, match="There is no folder results"):
        find_folder("results")
    (checkout / "results").rmdir()
    monkeypatch.chdir(checkout / "notebooks")
    with pytest.raises(RecordError) as error:
        find_folder("results")
    for looked in (checkout / "notebooks" / "results", checkout / "results"):
        assert str(looked) in str(error.value)


@pytest.mark.parametrize("name", ["/nowhere/results", "../../results"])
def test_a_path_that_can_mean_one_folder_alone_is_looked_for_there_alone(checkout, monkeypatch, name):
    monkeypatch.chdir(checkout)
    with pytest.raises(RecordError) as error:
        find_folder(name)
    assert str(error.value).count("results") == 3, "what was asked, where it was looked for, what is usual"


def test_what_is_to_be_made_is_made_in_the_working_folder(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    assert find_folder("mine", must_exist=False) == Path("mine")
