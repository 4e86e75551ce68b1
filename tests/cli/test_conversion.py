"""`trsfnet align` and `trsfnet pack`: what they say, and how they end."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from trsfnet.cli import main
from trsfnet.data import align


@pytest.fixture
def no_detector(monkeypatch):
    """Without MTCNN's networks, which no test here gets to."""
    monkeypatch.setattr(align, "Mtcnn", lambda device: lambda images: [[] for _ in images])


def test_align_of_a_list_whose_every_picture_fails_ends_with_2(no_detector, tmp_path, capsys):
    (tmp_path / "page.jpg").write_bytes(b"<html>")
    (tmp_path / "list.txt").write_text("page.jpg\nnot_there.jpg\n")
    target = tmp_path / "faces"
    assert main(["align", str(tmp_path / "list.txt"), str(target)]) == 2
    said = capsys.readouterr()
    assert "failed 2" in said.out
    assert said.err.startswith("trsfnet: None of the 2 images could be cropped")
    assert said.err.count("\n") == 1
    assert (target / "report.csv").read_text().count(",failed,") == 2


def test_pack_names_what_it_leaves_out_once(tmp_path, capsys):
    folder = tmp_path / "faces" / "ann"
    folder.mkdir(parents=True)
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(folder / "0.png")
    (folder / "1.png").write_bytes(b"<html>")
    (folder / "2.png").write_bytes(b"")
    assert main(["pack", str(tmp_path / "faces"), str(tmp_path / "pack"), "--skip-corrupt"]) == 0
    said = capsys.readouterr()
    assert said.out.endswith("left out 2\n")
    lines = [line for line in said.err.splitlines() if "left out" in line]
    assert len(lines) == 2
    assert "ann/1.png is not an image" in said.err
    assert "2.png is empty" in said.err
