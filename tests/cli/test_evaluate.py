"""`trsfnet evaluate` as a user meets it."""

from __future__ import annotations

import errno
import json
import os
from functools import partial
from pathlib import Path

import pytest

from tests.data.test_paper_track import faces, write
from tests.experiments.untrained import write_run
from trsfnet.cli import main
from trsfnet.evaluation import estimates, intervals
from trsfnet.experiments.record import CHECKPOINT
from trsfnet.inference.evaluate import scores


@pytest.fixture
def run_and_faces(tmp_path, tiny_config, monkeypatch) -> tuple[str, str]:
    """An untrained network, and people whose pairs lie beside them."""
    monkeypatch.setattr(estimates, "intervals", partial(intervals, replicates=20))
    write(tmp_path / "faces", faces(4, 3))
    lines = ["2\t1"]
    for first in (0, 2):
        lines += [f"n{first:06d}\t1\t2", f"n{first:06d}\t1\tn{first + 1:06d}\t2"]
    (tmp_path / "pairs.txt").write_text("\n".join(lines) + "\n")
    return str(write_run(tmp_path, tiny_config)[0]), str(tmp_path / "faces")


@pytest.mark.usefixtures("one_thread")
def test_a_table_or_json(run_and_faces, capsys):
    assert main(["evaluate", *run_and_faces]) == 0
    table = capsys.readouterr().out.splitlines()
    assert " (2 of 2 epochs), by " in table[0]
    assert "ten-fold, convention facenet-training, pairs " in table[1]
    assert main(["evaluate", *run_and_faces, "--convention", "facenet", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["options"]["convention"] == "facenet"
    names = [number["name"] for number in report["numbers"]]
    assert names == ["accuracy", "tar@1e-2", "tar@1e-3"] == [line.split(" ")[0] for line in table[3:6]]
    assert [detail["far_target"] for detail in report["details"]] == [1e-2, 1e-3]


@pytest.mark.usefixtures("one_thread")
def test_what_embed_wrote_is_evaluated_as_its_network(run_and_faces, tmp_path, capsys):
    run, folder = run_and_faces
    assert main(["embed", run, folder, str(tmp_path / "faces.parquet")]) == 0
    capsys.readouterr()
    found = []
    for subject in (run, str(tmp_path / "faces.parquet")):
        assert main(["evaluate", subject, folder, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0]["numbers"] == found[1]["numbers"]
    assert found[1]["engine"] == found[0]["engine"]
    assert found[1]["weights"] == found[0]["network"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--no-flip"], "The protocol ten-fold takes no flip."),
        (["--protocol", "1:N"], "protocol for "),
        (["--pairs", "/nowhere"], "Cannot read /nowhere: No such file or directory."),
    ],
)
def test_wrong_input_is_one_sentence(run_and_faces, capsys, words, says):
    assert main(["evaluate", *run_and_faces, *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"trsfnet: {says}")
    assert said.count("\n") == 1


def test_numbers_are_printed_though_the_scores_cannot_be_written(
    run_and_faces, tmp_path, capsys, monkeypatch
):
    def full(_, file, **__):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(scores.pq, "write_table", full)
    assert main(["evaluate", *run_and_faces, "--scores", str(tmp_path / "scores.parquet")]) == 2
    said = capsys.readouterr()
    assert "tar@1e-3" in said.out
    assert said.err == f"trsfnet: Cannot write {tmp_path}/scores.parquet: No space left on device.\n"
    assert not list(tmp_path.glob("*scores.parquet*"))


def test_an_output_replaces_no_input_no_other_output_and_no_pipe(run_and_faces, tmp_path, capsys):
    run, folder = run_and_faces
    network = tmp_path / "network.safetensors"
    assert main(["export", run, str(network)]) == 0
    assert main(["embed", run, folder, str(tmp_path / "faces.parquet")]) == 0
    os.mkfifo(tmp_path / "pipe.svg")
    (tmp_path / "link.parquet").symlink_to(tmp_path / "faces.parquet")
    before = {file: file.read_bytes() for file in tmp_path.glob("*.*") if file.is_file()}
    capsys.readouterr()
    for model, words, named, why in [
        (network, ["--scores", str(network)], network, ", which is read: choose another name"),
        (run, ["--scores", f"{run}/scores.parquet"], f"{run}/scores.parquet", ", which is read"),
        (tmp_path / "faces.parquet", ["--scores", str(tmp_path / "link.parquet")], "", ", which is read"),
        (run, ["--scores", "e.svg", "--figure", "./e.svg"], "e.svg", ", which is another output"),
        (run, ["--figure", str(tmp_path / "pipe.svg")], "", "pipe.svg: it is a device or a pipe"),
    ]:
        assert main(["evaluate", str(model), folder, *words]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"trsfnet: Cannot write to {named}"), said
        assert why in said
        assert said.count("\n") == 1
    assert main(["export", str(network), str(network)]) == 2
    assert "which is read" in capsys.readouterr().err
    image = next(Path(folder).glob("*/*"))
    for file in (image, Path(run) / CHECKPOINT, tmp_path / "pairs.txt"):
        before[file] = file.read_bytes()
        assert main(["evaluate", run, folder, "--scores", str(file)]) == 2
        assert capsys.readouterr().err == f"trsfnet: The file of scores must end in .parquet, got {file}.\n"
    assert {file: file.read_bytes() for file in before} == before
    assert (tmp_path / "pipe.svg").is_fifo()


def test_a_run_that_is_none_is_one_sentence(tmp_path, capsys):
    assert main(["evaluate", str(tmp_path), "/nowhere"]) == 2
    assert "holds no run record: cannot read run.json" in capsys.readouterr().err
