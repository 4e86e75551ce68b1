"""A run's network on test sets on disk: the numbers are those of the protocols, step by step."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from benchmarks.ijb_set import Shape, write_set
from tests.data.memory import MemorySource, encoded, pattern
from tests.data.test_lfw import jpeg
from tests.data.test_paper_track import faces, write
from tests.data.verification_files import write_verification_bin
from tests.evaluation import ijb_reference
from tests.experiments.untrained import write_run
from trsfnet.data import lfw
from trsfnet.data.faces import Pairs
from trsfnet.data.ijb_meta import read_pairs
from trsfnet.data.lfw import LfwImages, load_people
from trsfnet.data.lfw_files import Person
from trsfnet.data.sources import open_source
from trsfnet.data.warp import TEMPLATE, warp_face
from trsfnet.errors import ConfigError, DataError, RecordError
from trsfnet.evaluation import CONVENTIONS, read_scores
from trsfnet.evaluation.embed import embed
from trsfnet.evaluation.protocol import evaluate as evaluate_track
from trsfnet.experiments.record import CHECKPOINT
from trsfnet.inference.embedder import Embedder
from trsfnet.inference.evaluate import EvaluationOptions, EvaluationReport, evaluate, images, subject_of
from trsfnet.inference.evaluate import features as features_module
from trsfnet.training.checkpoint import load_checkpoint, save_checkpoint

SHAPE = Shape(images=70, subjects=12, probes=40, impostor_pairs=300, dimensions=1)

pytestmark = pytest.mark.usefixtures("one_thread", "few_replicates")


def evaluate_run(
    run: Path,
    path: Path,
    options: EvaluationOptions = EvaluationOptions(),  # noqa: B008 - frozen
) -> EvaluationReport:
    return evaluate(subject_of(run, precision="float32"), path, options)


def outputs_of(model: nn.Module, crops: np.ndarray) -> list[np.ndarray]:
    """A network's outputs for crops, and for their mirror images."""
    views = crops, crops[:, :, ::-1]
    return [embed(model, view, dtype=torch.float32, normalised=False) for view in views]


@pytest.fixture
def trained(tmp_path, tiny_config):
    """A run, and its network."""
    return write_run(tmp_path / "runs", tiny_config)


@pytest.fixture(scope="module")
def aligned(tmp_path_factory) -> Path:
    """Twenty people with two crops of 80 pixels each, and a pair of each kind in every fold."""
    root = tmp_path_factory.mktemp("aligned")
    write(root / "faces", faces(20, 2))
    lines = ["10\t1"]
    for fold in range(10):
        left, right = (f"n{2 * fold + i:06d}" for i in range(2))
        lines += [f"{left}\t1\t2", f"{left}\t1\t{right}\t2"]
    (root / "pairs.txt").write_text("\n".join(lines) + "\n")
    return root / "faces"


def fold_pairs() -> Pairs:
    """The pairs of `aligned` as indices."""
    left = np.repeat(np.arange(0, 40, 4), 2)
    return Pairs(left, left + np.tile([1, 3], 10), np.tile([True, False], 10), np.repeat(np.arange(10), 2))


@pytest.mark.parametrize("name", list(CONVENTIONS))
def test_ten_folds_of_an_aligned_folder(aligned, trained, tmp_path, name):
    run, model = trained
    file = tmp_path / "scores.parquet"
    report = evaluate_run(run, aligned, EvaluationOptions(convention=name, scores=file))
    source = open_source(aligned)
    small = [Image.fromarray(source.image(i)).resize((75, 75), Image.Resampling.BICUBIC) for i in range(40)]
    outputs = outputs_of(model, np.stack([np.asarray(image) for image in small]))
    expected = CONVENTIONS[name].score(fold_pairs(), source.labels, *outputs)
    values = {estimate.name: estimate.value for estimate in report.results.estimates}
    assert values == pytest.approx(expected.metrics())
    again = read_scores(pd.read_parquet(file))
    assert again.metrics() == values
    np.testing.assert_allclose(again.distances, expected.distances, atol=1e-5)
    assert again.identities == 20
    assert report.results.options["pairs"] == str(aligned.parent / "pairs.txt")


def test_a_verification_set_gives_the_same_without_knowing_its_people(aligned, trained, tmp_path):
    write_verification_bin(tmp_path / "lfw.bin", open_source(aligned), fold_pairs())
    report = evaluate_run(trained[0], tmp_path / "lfw.bin")
    from_folder = evaluate_run(trained[0], aligned)
    assert [(e.name, e.value) for e in report.results.estimates] == [
        (e.name, e.value) for e in from_folder.results.estimates
    ]
    assert {e.method for e in report.results.estimates} == {"wilson"}
    json.dumps(report.to_dict(), allow_nan=False)


def test_a_verification_set_with_a_fold_of_one_kind_is_named_first(aligned, trained, tmp_path):
    pairs = fold_pairs()
    write_verification_bin(tmp_path / "lfw.bin", open_source(aligned), replace(pairs, same=pairs.same | True))
    subject = subject_of(trained[0])
    subject.features = None
    with pytest.raises(DataError, match=r"lfw\.bin cannot be evaluated in folds: Fold 0 must contain both"):
        evaluate(subject, tmp_path / "lfw.bin")


def test_all_pairs_of_lfw_are_those_of_its_track(trained, tmp_path, monkeypatch):
    sets = [[Person(f"p{number}_{i}", 12) for i in range(3)] for number in range(10)]
    everyone = [person for people in sets for person in people]
    for module in (lfw, images):
        monkeypatch.setattr(module, "read_people", lambda: sets)
    root = tmp_path / "lfw-deepfunneled"
    shades = np.random.default_rng(0).integers(0, 256, (len(everyone), 12))
    names = {(p.name, n): f"{p.name}/{p.name}_{n:04d}.jpg" for p in everyone for n in range(1, 13)}
    write(root, {name: jpeg(int(shade)) for name, shade in zip(names.values(), shades.flat, strict=True)})
    run, model = trained
    report = evaluate_run(run, root, EvaluationOptions(protocol="all-pairs"))
    tested = sorted((p for people in sets[7:] for p in people), key=lambda person: person.name)
    crops = load_people(LfwImages(root, "deepfunneled"), tested, 75)
    expected = evaluate_track(crops, None, embed(model, crops.images, dtype=torch.float32))
    assert {e.name: e.value for e in report.results.estimates} == expected.metrics
    assert report.results.details == expected.details


def test_a_network_trained_on_lfw_says_so(aligned, tmp_path, tiny_config):
    config = replace(tiny_config, track="lfw", train_set="lfw", identities=0)
    run, _ = write_run(tmp_path, config)
    assert "all-pairs" in " ".join(evaluate_run(run, aligned).notes)
    for name, noted in (("lfw", True), ("calfw", True), ("cplfw", True), ("agedb_30", False)):
        write_verification_bin(tmp_path / f"{name}.bin", open_source(aligned), fold_pairs())
        notes = " ".join(evaluate_run(run, tmp_path / f"{name}.bin").notes)
        assert ("sets 1 to 7" in notes) is noted
        assert "all-pairs" not in notes, "such a file cannot be evaluated by it"


def test_all_pairs_count_the_images_that_are_missing(aligned, trained, monkeypatch):
    people = [Person(f"n{number:06d}", 2) for number in range(6)]
    options = EvaluationOptions(protocol="all-pairs")
    monkeypatch.setattr(images, "read_people", lambda: [[]] * 9 + [people])
    assert evaluate_run(trained[0], aligned, options).results.notes == []
    people += [Person("n000006", 3), Person("Nobody", 1)]
    (note,) = evaluate_run(trained[0], aligned, options).results.notes
    assert note.startswith("2 of the 16 images of LFW's sets 8 to 10 are missing, such as 1 of n000006's 3:")


@pytest.fixture
def ijbb(tmp_path) -> Path:
    """A small IJB-B with images: a pattern per subject, each with its face somewhere else."""
    root = tmp_path / "IJBB"
    write_set(root, "ijbb", SHAPE)
    rng = np.random.default_rng(0)
    lines, content = [], {}
    for number in range(1, SHAPE.images + 1):
        points = TEMPLATE + rng.uniform(-3, 3, TEMPLATE.shape)
        coordinates = " ".join(f"{x:.3f}" for x in points.ravel())
        lines.append(f"{number}.jpg {coordinates} {rng.uniform(0.5, 1):.3f}")
        content[f"{number}.jpg"] = encoded(pattern(number, 120), "PNG")
    (root / "meta" / "ijbb_name_5pts_score.txt").write_text("\n".join(lines) + "\n")
    write(root / "loose_crop", content)
    return root


@pytest.mark.parametrize(("flip", "norm", "detector"), [(True, True, True), (False, False, False)])
def test_ijb_from_images_to_tar(ijbb, trained, tmp_path, flip, norm, detector):
    run, model = trained
    file = tmp_path / "scores.parquet"
    chosen = {"flip": flip, "norm_score": norm, "detector_score": detector}
    report = evaluate_run(run, ijbb, EvaluationOptions(**chosen, scores=file))
    source = open_source(ijbb)
    t = source.templates
    crops = np.stack([warp_face(source.image(i), t.landmarks[i], 75) for i in range(len(source))])
    plain, mirrored = outputs_of(model, crops)
    pooled = ijb_reference.pool(plain, t, mirrored if flip else None, norm, detector)
    saved = read_scores(pd.read_parquet(file))
    pairs = read_pairs(ijbb, "ijbb", t)
    np.testing.assert_allclose(saved.scores, ijb_reference.scores(pooled, pairs), atol=1e-5)
    for estimate, detail in zip(report.results.estimates, report.results.details, strict=True):
        assert estimate.value == ijb_reference.tar(saved.scores, pairs.same, detail["far_target"])
        assert estimate.method == "people"
    assert saved.metrics() == {e.name: e.value for e in report.results.estimates}


def test_a_killed_ijb_goes_on_and_is_scored_again_without_the_network(ijbb, trained, monkeypatch, tmp_path):
    run, _ = trained
    seen = []
    monkeypatch.setattr(features_module, "_CHUNK", 16)

    computed_by = Embedder.outputs

    def until(images: int):
        def outputs(self, pixels):
            if len(seen) + len(pixels) > 2 * images:  # each image, and its mirror image
                raise KeyboardInterrupt
            seen.extend(range(len(pixels)))
            return computed_by(self, pixels)

        return outputs

    file = tmp_path / "features.npy"
    options = EvaluationOptions(features=file)
    for images_before_the_end, computed in ((5, 0), (35, 32)):
        monkeypatch.setattr(Embedder, "outputs", until(images_before_the_end))
        with pytest.raises(KeyboardInterrupt):
            evaluate_run(run, ijbb, options)
        assert len(seen) == 2 * computed
    monkeypatch.setattr(Embedder, "outputs", until(1000))
    report = evaluate_run(run, ijbb, options)
    assert len(seen) == 2 * SHAPE.images
    whole = evaluate_run(run, ijbb)  # into the run's own folder, in one go
    assert whole.results == replace(report.results, scores=whole.results.scores)
    np.testing.assert_array_equal(np.load(file), np.load(next((run / "features").glob("ijbb-*.npy"))))
    monkeypatch.setattr(Embedder, "outputs", None)
    searched = evaluate_run(run, ijbb, replace(options, protocol="1:N", flip=False))
    names = [estimate.name for estimate in searched.results.estimates]
    assert {"open set rank 1", "open set tpir@1e-2 insightface", "closed set recall@1e-1"} <= set(names)
    json.dumps(searched.to_dict(), allow_nan=False)


def test_an_ijb_image_replaced_by_one_as_large_is_computed_again(ijbb, trained, monkeypatch, tmp_path):
    first, second = ijbb / "loose_crop" / "1.jpg", ijbb / "loose_crop" / "2.jpg"
    size = max(first.stat().st_size, second.stat().st_size)
    for image in (first, second):  # bytes after the end of an image are ignored
        image.write_bytes(image.read_bytes().ljust(size, b"\0"))
    file = tmp_path / "features.npy"
    evaluate_run(trained[0], ijbb, EvaluationOptions(features=file))
    before = np.load(file)
    first.write_bytes(second.read_bytes())
    os.utime(first, ns=(0, first.stat().st_mtime_ns + 1_000_000_000))
    seen, outputs = [], Embedder.outputs
    monkeypatch.setattr(Embedder, "outputs", lambda self, x: seen.append(len(x)) or outputs(self, x))
    evaluate_run(trained[0], ijbb, EvaluationOptions(features=file))
    evaluate_run(trained[0], ijbb, EvaluationOptions(features=file))
    assert seen == [1, 1], "once the image and its mirror image"
    assert np.flatnonzero((np.load(file) != before).any(axis=(0, 2))).tolist() == [0]


def test_features_leave_a_file_of_the_users_alone_and_their_earlier_note_counts(
    ijbb, trained, monkeypatch, tmp_path
):
    options = EvaluationOptions(features=tmp_path / "features.npy")
    mine, note = tmp_path / "features.json", tmp_path / "features.npy.json"
    mine.write_text('{"mine": 1}')
    report = evaluate_run(trained[0], ijbb, options)
    assert mine.read_text() == '{"mine": 1}'
    note.rename(mine)  # its name in earlier versions
    monkeypatch.setattr(Embedder, "outputs", None)
    assert evaluate_run(trained[0], ijbb, options).results.details == report.results.details


def test_features_of_another_network_or_of_nobody_are_refused(ijbb, trained, tiny_config, tmp_path):
    file = tmp_path / "features.npy"
    options = EvaluationOptions(features=file)
    evaluate_run(trained[0], ijbb, options)
    other, _ = write_run(tmp_path / "runs", replace(tiny_config, seed=1))
    with pytest.raises(DataError, match=r"features\.npy holds features of other network: choose another"):
        evaluate_run(other, ijbb, options)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"features\.npy is damaged"):
        evaluate_run(trained[0], ijbb, options)
    note = tmp_path / "features.npy.json"
    note.write_text("[1]")
    with pytest.raises(DataError, match=r"features\.npy\.json is not the note of features\.npy"):
        evaluate_run(trained[0], ijbb, options)
    note.unlink()
    with pytest.raises(DataError, match=r"exists, but features\.npy\.json"):
        evaluate_run(trained[0], ijbb, options)
    with pytest.raises(DataError, match=r"must end in \.npy"):
        evaluate_run(trained[0], ijbb, EvaluationOptions(features=tmp_path / "features"))


def test_features_that_were_kept_by_default_do_not_stop_an_evaluation_after_more_training(ijbb, trained):
    run, model = trained
    evaluate_run(run, ijbb)
    earlier = set((run / "features").iterdir())
    version, *_ = next(iter(earlier)).name.rsplit("-", 3)  # before network, engine and precision
    unnamed = run / "features" / f"{version}.npy"  # as earlier versions named them
    unnamed.touch()
    with torch.no_grad():
        model.last_linear.weight.mul_(2)
    further = load_checkpoint(run / CHECKPOINT) | {"training": {"model": model.state_dict()}}
    save_checkpoint(run / CHECKPOINT, further)
    evaluate_run(run, ijbb)
    later = set((run / "features").iterdir())
    assert not unnamed.exists()
    assert {file.suffix for file in later - earlier} == {".npy", ".json", ".times"}
    assert not {file for file in earlier & later if file.suffix == ".npy"}, (
        "those of other weights are removed"
    )
    evaluate(subject_of(run, precision="bfloat16"), ijbb)
    assert later < set((run / "features").iterdir())


def test_an_ijb_without_people_has_intervals_of_counts(ijbb, trained):
    (ijbb / "meta" / "ijbb_1N_probe_mixed.csv").unlink()
    report = evaluate_run(trained[0], ijbb)
    assert {e.method for e in report.results.estimates} == {"wilson"}
    assert "The people in the pairs are unknown: Cannot read" in report.notes[0]


def test_a_corrupt_image_is_named(ijbb, aligned, trained, tmp_path):
    (ijbb / "loose_crop" / "7.jpg").write_bytes(b"<html>")
    with pytest.raises(DataError, match=r"^7\.jpg is not an image"):
        evaluate_run(trained[0], ijbb)
    source = open_source(aligned)
    broken = {source.name(i): source.encoded(i) for i in range(40)} | {"n000000/n000000_0002.jpg": b"no"}
    write_verification_bin(tmp_path / "set.bin", MemorySource(broken), fold_pairs())
    with pytest.raises(DataError, match=r"^set\.bin/000001 is not an image"):
        evaluate_run(trained[0], tmp_path / "set.bin")


def test_a_network_that_has_diverged_is_named(aligned, tmp_path, tiny_config):
    run, _ = write_run(tmp_path, tiny_config)
    state = torch.load(run / CHECKPOINT, weights_only=True)
    next(v for k, v in state["training"]["model"].items() if k.endswith("weight")).fill_(float("nan"))
    torch.save(state, run / CHECKPOINT)
    with pytest.raises(DataError, match=r"n000000/n000000_0001\.jpg is not finite"):
        evaluate_run(run, aligned)


def test_a_run_without_its_network_is_named(aligned, trained, tmp_path):
    run, _ = trained
    info = json.loads((run / "run.json").read_text())
    config = info["config"] | {"embedding_size": 8}
    (run / "run.json").write_text(json.dumps(info | {"config": config}))
    with pytest.raises(RecordError, match="does not hold the network that"):
        evaluate_run(run, aligned)
    (run / "run.json").write_text(json.dumps(info | {"config": info["config"] | {"epochs": 9}}))
    with pytest.raises(RecordError, match=r"last\.pt is damaged"):  # an earlier epoch's
        evaluate_run(run, aligned)
    (run / "run.json").write_text(json.dumps(info | {"status": "failed"}))
    assert "The run is failed" in evaluate_run(run, aligned).notes[0]
    (run / CHECKPOINT).write_bytes(b"PK")
    with pytest.raises(RecordError, match=r"last\.pt is damaged"):
        evaluate_run(run, aligned)
    (run / CHECKPOINT).unlink()
    with pytest.raises(RecordError, match=r"contains no network .* retrain it with papermill it$"):
        evaluate_run(run, aligned)
    (run / "run.json").write_text(json.dumps(info | {"status": "collapsed", "message": "Loss became nan."}))
    with pytest.raises(RecordError, match="contains no network: its training collapsed: Loss became nan"):
        evaluate_run(run, aligned)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"protocol": "1:1"}, "must be one of 'ten-fold', 'all-pairs', got '1:1'"),
        ({"convention": "mine"}, "convention must be one of"),
        ({"flip": False}, "The protocol ten-fold takes no flip"),
        ({"protocol": "all-pairs", "pairs": Path("pairs.txt")}, "The protocol all-pairs takes no pairs"),
        ({"scores": Path("/nowhere/s.parquet")}, "There is no folder /nowhere to write to"),
        ({"scores": Path("/tmp")}, "Cannot write to /tmp: it is a folder"),
        ({"pairs": Path("/nowhere/pairs.txt")}, "Cannot read /nowhere/pairs.txt"),
        ({"protocol": "all-pairs"}, "has no image of the people in LFW's sets 8 to 10"),
    ],
)
def test_options_that_do_not_fit_are_named(aligned, trained, options, says):
    with pytest.raises((ConfigError, DataError), match=says):
        evaluate_run(trained[0], aligned, EvaluationOptions(**options))


def test_pairs_are_looked_for_and_must_have_folds(trained, tmp_path):
    write(tmp_path / "a" / "faces", faces(2, 2))
    with pytest.raises(DataError, match=r"LFW's pairs are needed: expected .*faces/pairs\.txt, .* --pairs"):
        evaluate_run(trained[0], tmp_path / "a" / "faces")
    (tmp_path / "a" / "lfw").mkdir()
    (tmp_path / "a" / "lfw" / "pairs.txt").write_text("1\nn000000\t1\t2\nn000000\t1\tn000001\t2\n")
    with pytest.raises(ConfigError, match=r"two folds or more, but .*lfw/pairs\.txt has one"):
        evaluate_run(trained[0], tmp_path / "a" / "faces")
