"""The command line as a user meets it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from tests.report.fakes import fake_run
from trsfnet.cli import info, main
from trsfnet.data.align import Face
from trsfnet.data.sources import open_source


def trsfnet(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trsfnet", *words], capture_output=True, text=True, check=False
    )


def unread() -> int:
    """A pipe that nobody reads any more, as after `| head`."""
    reader, pipe = os.pipe()
    os.close(reader)
    return pipe


FULL = "trsfnet: the output: No space left on device.\n"
PLACES = pytest.mark.parametrize(
    ("place", "code", "says"),
    [(lambda: os.open("/dev/full", os.O_WRONLY), 2, FULL), (unread, 0, "")],
    ids=["full", "unread"],
)


@PLACES
def test_an_output_that_takes_no_more_is_one_sentence_or_none(
    place, code, says, tmp_path, monkeypatch, capsys
):
    fake_run(tmp_path)
    with open(place(), "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(["runs", str(tmp_path)]) == code
        assert main(["runs", f"{tmp_path}/nowhere"]) == 2
    assert capsys.readouterr().err.startswith(f"{says}trsfnet: There is no folder ")


@PLACES
def test_so_is_one_that_takes_no_help(place, code, says):
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-m", "trsfnet", "train", "--help"]
    with open(place(), "w") as stdout:
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=buffered)
    assert (done.returncode, done.stderr) == (code, says)


def test_a_name_that_no_file_can_have_is_one_sentence(capsys):
    name = "n" * 300
    for command, says in (("runs", f"{name}: File name"), ("info", f"Cannot read {name}: File name")):
        assert main([command, name]) == 2
        said = capsys.readouterr().err
        assert said.startswith("trsfnet: ")
        assert said.endswith(f"{says} too long.\n")
        assert said.count("\n") == 1


def test_a_name_that_a_library_cannot_handle_is_one_sentence(capsys, monkeypatch):
    monkeypatch.setattr(info, "run", lambda given: given.model.encode())
    assert main(["info", "caf\udce9.pt"]) == 2
    says = r"the name 'caf\udce9.pt' must be UTF-8 and of this locale; try LC_ALL=C.UTF-8."
    assert capsys.readouterr().err == f"trsfnet: {says}\n"


def test_a_home_that_nobody_has_is_a_place_that_is_not_there(capsys):
    assert main(["info", "~nobody-at-all/v1.safetensors"]) == 2
    assert capsys.readouterr().err.startswith("trsfnet: There is no ~nobody-at-all/v1.safetensors: expected ")


def test_a_terminal_that_does_not_know_a_sign_gets_another(tmp_path, monkeypatch):
    fake_run(tmp_path, status="running")
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, "latin-1"))
    assert main(["runs", str(tmp_path)]) == 0
    assert b"?" in shown.getvalue()


def test_help_and_version_wait_for_no_large_library():
    loaded = "{'torch', 'numpy', 'pandas'} & set(sys.modules)"
    parsed = "import sys, trsfnet.cli as cli; cli.parse(['merge'])"
    code = f"{parsed}; assert not {loaded}; cli.main(['--version'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("trsfnet 0."), done.stderr
    assert "papermill --help-notebook" in trsfnet("train", "--help").stdout
    for command in ("align", "pack"):
        assert f"trsfnet {command} ~/datasets/lfw" in trsfnet(command, "--help").stdout


@pytest.fixture
def photographs(tmp_path):
    """Two images each of two people, with a square as the face."""
    for number in range(4):
        pixels = np.full((60, 60, 3), 40 * number, dtype=np.uint8)
        pixels[20:40, 20:40] = 255
        path = tmp_path / "photographs" / f"person{number // 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return tmp_path / "photographs"


class SquareDetector:
    """Stands in for MTCNN; finds the squares."""

    def __init__(self, device: str) -> None:
        pass

    def __call__(self, images: np.ndarray) -> list[list[Face]]:
        return [[Face(np.array([20, 20, 40, 40]), np.zeros((5, 2)), 1.0)] for _ in images]


def test_align_then_pack(photographs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("trsfnet.data.align.Mtcnn", SquareDetector)
    (photographs / "person0" / "empty.jpg").touch()
    crops, pack = tmp_path / "crops", tmp_path / "pack"
    assert main(["align", str(photographs), str(crops), "--size", "32", "--margin", "8"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"aligned 4 images into {crops}: one face in 4, ")
    assert "left out: " in said.err
    assert "empty.jpg is empty" in said.err
    assert main(["pack", str(crops), str(pack), "--size", "32", "--quality", "90"]) == 0
    assert capsys.readouterr().out.startswith(f"packed 4 images of 2 identities into {pack}; left out 0")
    source = open_source(pack)
    assert source.identities == ("person0", "person1")
    assert source.labels.tolist() == [0, 0, 1, 1]
    assert source.image(1)[16, 16].min() > 240
    assert source.image(0)[0].max() < 60


def test_a_command_that_writes_files_completes_them_though_nobody_reads_its_output(
    photographs, tmp_path, monkeypatch
):
    (photographs / "nobody").mkdir()  # which is said on standard error before the work begins
    with open(unread(), "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        monkeypatch.setattr(sys, "stderr", pipe)
        assert main(["pack", str(photographs), str(tmp_path / "pack"), "--skip-corrupt"]) == 0
    assert (tmp_path / "pack" / "pack.json").is_file()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["align", "SOURCE", "SOURCE/crops"], "TARGET must be outside SOURCE, got SOURCE/crops in"),
        (["align", "SOURCE", "TARGET", "--crop", "warp", "--margin", "3"], "--margin needs --crop margin"),
        (["align", "SOURCE", "TARGET", "--size", "3"], "size must be from 16 to 1024 pixels, got 3."),
        (["align", "/nowhere", "TARGET"], "There is no /nowhere"),
        (["pack", "SOURCE", "TARGET", "--quality", "0"], "quality must be from 1 to 100, got 0."),
        (["pack", "SOURCE/person0/0.png", "TARGET"], "SOURCE/person0/0.png is not a source of faces"),
    ],
)
def test_wrong_input_to_align_and_pack_is_one_sentence(photographs, tmp_path, capsys, words, says):
    places = {"SOURCE": str(photographs), "TARGET": str(tmp_path / "target")}
    for place, path in places.items():
        words, says = [word.replace(place, path) for word in words], says.replace(f"{place}/", f"{path}/")
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"trsfnet: {says}")
    assert said.count("\n") == 1
    assert not (tmp_path / "target").exists()


def test_a_picture_that_is_too_large_is_one_sentence(photographs, tmp_path, capsys):
    Image.new("1", (9500, 9500)).save(photographs / "person0" / "large.png")
    with warnings.catch_warnings(record=True) as warned:
        assert main(["pack", str(photographs), str(tmp_path / "pack")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("trsfnet: person0/large.png claims to be 9500 x 9500 pixels large: expected")
    assert said.count("\n") == 1
    assert not warned


def test_an_interruption_is_exit_code_130_and_the_same_command_goes_on(photographs, tmp_path, monkeypatch):
    class Interrupted(SquareDetector):
        def __call__(self, images: np.ndarray) -> list[list[Face]]:
            raise KeyboardInterrupt

    command = ["align", str(photographs), str(tmp_path / "crops")]
    monkeypatch.setattr("trsfnet.data.align.Mtcnn", Interrupted)
    assert main(command) == 130
    monkeypatch.setattr("trsfnet.data.align.Mtcnn", SquareDetector)
    assert main(command) == 0
    assert len(list((tmp_path / "crops").rglob("*.png"))) == 4
