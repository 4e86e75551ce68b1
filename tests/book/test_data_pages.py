"""What the pages on the data tell a reader to type and to lay out is what the package takes."""

from __future__ import annotations

import re
import shlex
from types import SimpleNamespace

import nbformat
import pytest

from tests.book.conftest import ROOT
from trsfnet import cli
from trsfnet.data.tracks import TRAIN_SETS, images_version
from trsfnet.errors import DataError

NAMES = ("data", "data_synthetic", "data_lfw", "data_paper")


def text(name: str) -> str:
    cells = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


COMMANDS = [line for name in NAMES for line in re.findall("^trsfnet .+", text(name), flags=re.M)]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_understood(line, monkeypatch):
    trained = []

    def train(config, **others):
        trained.append(config.track)
        return SimpleNamespace(status="done", path="", info={"message": ""})

    monkeypatch.setattr("trsfnet.experiments.run.run", train)
    for name, module in cli.COMMANDS.items():
        if name != "train":
            monkeypatch.setattr(module, "run", lambda given: 0)
    words = shlex.split(line)[1:]
    assert cli.main(words) == 0
    if words[0] == "train":
        assert trained == ["paper" if "--preset" in words else "lfw"]


def test_every_command_on_data_is_shown():
    assert {line.split()[1] for line in COMMANDS} == {"train", "evaluate", "align", "pack"}


@pytest.mark.parametrize("train_set", TRAIN_SETS)
def test_the_layout_names_what_the_track_looks_for(train_set, tmp_path):
    layout = re.search("```text\n(.+?)```", text("data_paper"), flags=re.S)[1]
    with pytest.raises(DataError, match=f"{tmp_path}/{train_set}:"):
        images_version("paper", root=tmp_path, train_set=train_set)
    assert f"{train_set}/ " in layout
    for name in ("train.rec", "train.idx", "property", "lfw.bin", "lfw-aligned/", "pairs.txt", "loose_crop/"):
        assert name in layout


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_and_hold_no_results(name):
    for cell in nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells:
        assert len(cell.source.splitlines()) <= 8
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
