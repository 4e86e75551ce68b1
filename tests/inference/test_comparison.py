"""`trsfnet compare`: the difference of two models on the same pairs, and its picture."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import trsfnet
from tests.data.verification_files import write_verification_bin
from tests.inference.test_saved_embeddings import aligned, names, rows  # noqa: F401 - a fixture
from tests.interop.networks import tiny_weights
from tests.interop.onnx_files import others
from trsfnet.cli import main
from trsfnet.data.faces import Pairs
from trsfnet.data.sources import open_source
from trsfnet.evaluation import TemplateScores
from trsfnet.inference import evaluate
from trsfnet.inference.evaluate import subject_of
from trsfnet.report.verification import draw

pytestmark = pytest.mark.usefixtures("few_replicates")


@pytest.fixture
def two(aligned, tmp_path) -> list[str]:  # noqa: F811
    """Embeddings that mistake one pair of people for one person, and such as mistake four."""
    files = []
    for name, wrong in (("good", 1), ("bad", 4)):
        np.savez(tmp_path / f"{name}.npz", names=names(aligned), embeddings=rows(wrong))
        files.append(str(tmp_path / f"{name}.npz"))
    return files


def test_two_files_of_embeddings_and_their_picture(two, aligned, tmp_path, capsys):  # noqa: F811
    figure = tmp_path / "both.svg"
    command = ["compare", *two, "--on", str(aligned)]
    assert main([*command, "--json", "--figure", str(figure)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["a"], report["b"]) == ("good.npz", "bad.npz")
    accuracy = report["numbers"][0]
    assert (accuracy["name"], accuracy["a"], accuracy["b"]) == ("accuracy", 0.95, 0.8)
    assert accuracy["difference"]["value"] == pytest.approx(0.15)
    assert (accuracy["mcnemar"]["only_first"], accuracy["mcnemar"]["only_second"]) == (3, 0)
    drawn = figure.read_text()
    for words in ("good.npz", "bad.npz", "ROC", "DET"):
        assert words in drawn
    assert main(command) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[:2] == ["A: good.npz", "B: bad.npz"]
    assert table[4].split()[:4] == ["accuracy", "0.9500", "0.8000", "+0.1500"]


def test_saved_scores_give_the_same(two, aligned, tmp_path, capsys):  # noqa: F811
    saved = []
    for file in two:
        saved.append(str(tmp_path / f"{Path(file).stem}.parquet"))
        assert main(["evaluate", file, str(aligned), "--scores", saved[-1]]) == 0
    capsys.readouterr()
    found = []
    for command in ([*two, "--on", str(aligned)], saved):
        assert main(["compare", *command, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["numbers"])
    assert found[0] == found[1]


def test_our_onnx_is_compared_with_anothers(aligned, tmp_path, capsys):  # noqa: F811
    others(tmp_path / "others.onnx")
    trsfnet.export(tiny_weights(), tmp_path / "tiny.onnx")
    models = [str(tmp_path / name) for name in ("tiny.onnx", "others.onnx")]
    command = ["compare", *models, "--on", str(aligned), "--preprocessing", "8,100,60", "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["b"] == "others.onnx"
    command[2] = models[0]
    assert main(command) == 2
    assert "that does not state it, and neither A nor B is one." in capsys.readouterr().err


def test_two_models_of_one_name_are_told_apart(two, aligned, tmp_path, capsys):  # noqa: F811
    (tmp_path / "other").mkdir()
    other = str(shutil.copy(two[1], tmp_path / "other" / Path(two[0]).name))
    assert main(["compare", two[0], other, "--on", str(aligned)]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [f"A: {two[0]}", f"B: {other}"]


def test_without_people_mcnemar_decides_alone(two, aligned, tmp_path, capsys):  # noqa: F811
    left = np.repeat(np.arange(0, 40, 4), 2)
    pairs = Pairs(left, left + np.tile([1, 3], 10), np.tile([True, False], 10), np.repeat(np.arange(10), 2))
    write_verification_bin(tmp_path / "set.bin", open_source(aligned), pairs)
    files = []
    places = np.stack([pairs.left, pairs.right], axis=1).ravel()
    for wrong in (1, 4):
        np.save(tmp_path / f"{wrong}.npy", rows(wrong)[places])
        files.append(str(tmp_path / f"{wrong}.npy"))
    assert main(["compare", *files, "--on", str(tmp_path / "set.bin"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["numbers"][0]["difference"] is None
    assert report["numbers"][0]["mcnemar"]["only_first"] == 3
    assert "The people in the pairs are unknown" in report["notes"][0]


def test_one_model_is_drawn_with_its_histogram(two, aligned, tmp_path):  # noqa: F811
    figure = tmp_path / "one.svg"
    assert main(["evaluate", two[0], str(aligned), "--figure", str(figure)]) == 0
    assert "Scores of pairs" in figure.read_text()


def test_names_are_drawn_as_they_are(tmp_path):
    same = np.tile([True, False], 50)
    scores = TemplateScores(np.random.default_rng(0).random(100).astype(np.float32), same, None)
    draw([("_a $x^{", scores), ("b_$y$", scores)], tmp_path / "two.svg")
    drawn = (tmp_path / "two.svg").read_text()
    assert ">_a $x^{<" in drawn
    assert ">b_$y$<" in drawn


def test_an_error_of_nearly_all_pairs_is_not_named_100_percent(tmp_path):
    rng = np.random.default_rng(0)
    same = np.tile([True, False], 5000)
    models = []
    for name, gain in (("a", 0.1), ("b", 0.2)):  # hardly better than chance
        scores = (rng.normal(size=len(same)) + gain * same).astype(np.float32)
        models.append((name, TemplateScores(scores, same, None)))
    draw(models, tmp_path / "poor.svg")
    drawn = (tmp_path / "poor.svg").read_text()
    assert ">99.9%<" in drawn
    assert ">99%<" in drawn


def test_committed_runs_are_compared_by_their_ids(capsys):
    study = Path(__file__).parents[2] / "results" / "lfw-short"
    files = sorted((study / "scores").glob("*.parquet"))[:2]
    assert main(["compare", *(str(study / file.stem) for file in files), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["a"], report["b"]) == tuple(file.stem for file in files)


def test_an_engine_is_meant_for_the_network_that_is_compared_with_embeddings(
    two,
    aligned,  # noqa: F811
    monkeypatch,
):
    engines = {}

    def remembered(name, *, engine, preprocessing):
        engines[name] = engine
        return subject_of(two[0])

    monkeypatch.setattr(evaluate, "subject_of", remembered)
    assert main(["compare", two[0], "m.safetensors", "--on", str(aligned), "--engine", "torch"]) == 0
    assert engines == {two[0]: "auto", "m.safetensors": "torch"}


def test_what_cannot_be_compared_is_one_sentence(two, aligned, tmp_path, capsys):  # noqa: F811
    (tmp_path / "no.parquet").write_bytes(b"no")
    one = pa.table({"score": [1], "same": [True], "left_person": [0], "right_person": [0]})
    pq.write_table(one.replace_schema_metadata({b"trsfnet": b"[1]"}), tmp_path / "list.parquet")
    pq.write_table(pa.table({"fold": [0.5], "same": [True], "distance": [1.0]}), tmp_path / "half.parquet")
    for words, says in [
        ([*two, "--on", str(aligned), "--figure", "a.png"], "--figure must end in .svg, got a.png."),
        ([str(tmp_path / "no.parquet")] * 2, "is no parquet file of scores"),
        ([str(tmp_path / "list.parquet")] * 2, "list.parquet is no parquet file of scores"),
        ([str(tmp_path / "half.parquet")] * 2, "half.parquet is damaged. The column fold of saved scores"),
        ([str(tmp_path)] * 2, "holds no run record"),
        (["nowhere.parquet"] * 2, "There is no nowhere.parquet: expected a run, or what evaluate"),
        (two, "good.npz is no parquet file of scores: expected what evaluate --scores writes (networks and"),
        ([*two, "--on", "/nowhere"], "There is no /nowhere"),
        ([*two, "--on", str(aligned), "--engine", "torch"], "good.npz holds embeddings, not a network: omit"),
        ([*two, "--convention", "facenet"], "--convention needs --on: without it, saved scores are compared"),
        (
            [*two, "--on", str(aligned), "--preprocessing", "112,0,1"],
            "is for an .onnx file that does not state it, and neither A nor B",
        ),
        (["", "b.parquet"], "must"),
        ([two[0], "typo.onnx", "--on", str(aligned)], "There is no typo.onnx"),
        (
            [two[0], "typo.onnx", "--on", str(aligned), "--preprocessing", "112,127.5,127.5"],
            "There is no typo.onnx",
        ),
        ([*two, "--on", str(aligned), "--protocol", "1:N"], "The protocol 1:N searches galleries and has no"),
    ]:
        assert main(["compare", *words]) == 2
        said = capsys.readouterr().err
        assert says in said
        assert said.count("\n") == 1
