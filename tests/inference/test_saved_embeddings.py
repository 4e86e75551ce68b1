"""Embeddings that any program wrote go through the protocols by the names of their images."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.test_paper_track import faces, write
from tests.inference.test_evaluate import ijbb  # noqa: F401
from trsfnet.cli import main
from trsfnet.data.sources import open_source
from trsfnet.errors import ConfigError, DataError
from trsfnet.inference.evaluate import EvaluationOptions, evaluate, subject_of
from trsfnet.inference.evaluate.saved import read_embeddings
from trsfnet.interop.preprocessing import Preprocessing

pytestmark = pytest.mark.usefixtures("few_replicates")

PEOPLE, EACH = 20, 2


@pytest.fixture(scope="module")
def aligned(tmp_path_factory) -> Path:
    """Twenty people with two images each, and a pair of each kind in each of ten folds."""
    root = tmp_path_factory.mktemp("aligned")
    write(root / "faces", faces(PEOPLE, EACH))
    lines = ["10\t1"]
    for fold in range(10):
        left, right = (f"n{2 * fold + i:06d}" for i in range(2))
        lines += [f"{left}\t1\t2", f"{left}\t1\t{right}\t2"]
    (root / "pairs.txt").write_text("\n".join(lines) + "\n")
    return root / "faces"


def rows(wrong: int = 0) -> np.ndarray:
    """An embedding for each image that tells all people apart, but for the `wrong` first pairs of people."""
    found = np.repeat(np.eye(PEOPLE, dtype=np.float32), EACH, axis=0) + 0.01
    for fold in range(wrong):
        found[4 * fold + 3] = found[4 * fold]
    return found


def names(folder: Path) -> list[str]:
    source = open_source(folder)
    return [source.name(i) for i in range(len(source))]


def accuracy(file: Path, folder: Path) -> float:
    report = evaluate(subject_of(file), folder)
    json.dumps(report.to_dict(), allow_nan=False)
    return report.results.estimates[0].value


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".npy"])
def test_every_kind_of_file_gives_the_same(aligned, tmp_path, suffix):
    folder = tmp_path / "saved"
    folder.mkdir()
    file, order = folder / f"faces{suffix}", np.random.default_rng(0).permutation(PEOPLE * EACH)
    listed = [names(aligned)[i] for i in order]
    if suffix == ".parquet":
        pd.DataFrame({"name": listed, "embedding": list(rows(2)[order])}).to_parquet(file)
    elif suffix == ".npz":
        np.savez(file, names=listed, embeddings=rows(2)[order].astype(np.float64))
    else:
        np.save(file, rows(2)[order])
        file.with_suffix(".txt").write_text("\n".join(listed))
    assert accuracy(file, aligned) == 0.9
    # Whatever the name of its folder: under `LC_ALL=C`, Python may keep bytes of it, too.
    folder = folder.rename(tmp_path / os.fsdecode(b"caf\xe9"))
    assert accuracy(folder / file.name, aligned) == 0.9


def test_names_are_matched_by_their_ends(aligned, tmp_path):
    file = tmp_path / "faces.npz"
    whole = names(aligned)
    for changed in (
        [f"/data/lfw/{name}" for name in whole],
        [Path(name).with_suffix(".png").as_posix() for name in whole],
        [Path(name).stem for name in whole],
        [f"C:\\data\\{Path(name).parent}\\{Path(name).name}" for name in whole],
    ):
        np.savez(file, names=changed, embeddings=rows(1))
        assert accuracy(file, aligned) == 0.95


def test_one_embedding_is_not_taken_for_two_images(tmp_path):
    write(tmp_path / "faces", faces(2, 2))
    for person in (tmp_path / "faces").iterdir():
        for number, file in enumerate(sorted(person.iterdir()), start=1):
            file.rename(person / f"{number}.jpg")
    np.savez(tmp_path / "faces.npz", names=["1.jpg", "2.jpg"], embeddings=np.eye(2))
    source = open_source(tmp_path / "faces")
    saved = read_embeddings(tmp_path / "faces.npz")
    with pytest.raises(DataError, match=r"one embedding, 1\.jpg, for both n000000/1\.jpg and n000001/1\.jpg"):
        saved.of_images(source, np.arange(4), mirror=False)
    assert saved.of_images(source, np.arange(2), mirror=False).shape == (1, 2, 2)


def test_without_names_the_order_is_the_sources(aligned, tmp_path):
    np.save(tmp_path / "faces.npy", rows(1))
    assert accuracy(tmp_path / "faces.npy", aligned) == 0.95
    np.save(tmp_path / "faces.npy", rows()[:-1])
    with pytest.raises(DataError, match="has 39 embeddings without names for 40 images"):
        accuracy(tmp_path / "faces.npy", aligned)


def test_mirror_images_are_needed_where_the_convention_says_so(aligned, tmp_path):
    file, options = tmp_path / "faces.npz", EvaluationOptions(convention="insightface")
    np.savez(file, names=names(aligned), embeddings=rows())
    with pytest.raises(ConfigError, match="has no embeddings of the mirror images"):
        evaluate(subject_of(file), aligned, options)
    np.savez(file, names=names(aligned), embeddings=rows(2), mirrored=rows(2))
    assert evaluate(subject_of(file), aligned, options).results.estimates[0].value == 0.9


def test_an_image_without_an_embedding_is_named(aligned, tmp_path):
    file = tmp_path / "faces.npz"
    np.savez(file, names=names(aligned)[1:], embeddings=rows()[1:])
    with pytest.raises(DataError, match=r"no embedding, or several, for 1 of the 30 .*n000000_0001\.jpg"):
        accuracy(file, aligned)
    np.savez(file, names=[*names(aligned)[:-1], names(aligned)[0]], embeddings=rows())
    with pytest.raises(DataError, match="no embedding, or several, for"):
        accuracy(file, aligned)


def test_the_worst_pairs_are_named(aligned, tmp_path, capsys):
    file = tmp_path / "faces.npz"
    np.savez(file, names=names(aligned), embeddings=rows(1))
    assert main(["evaluate", str(file), str(aligned), "--worst", "1", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["embeddings"] == str(file)
    assert [pair["same"] for pair in report["worst"]] == [True, False]
    assert report["worst"][1]["left"] == "n000000/n000000_0001.jpg"
    assert report["worst"][1]["right"] == "n000001/n000001_0002.jpg"
    assert report["worst"][1]["similarity"] == 0
    assert main(["evaluate", str(file), str(aligned), "--worst", "1"]) == 0
    assert "Most similar pairs of two people (minus the distance, images):" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"name": ["a"], "vector": [[1.0]]}, "has the columns name, vector: expected"),
        ({"name": [1], "embedding": [[1.0]]}, "every name must be text, got int64"),
        ({"name": ["a"], "embedding": ["x"]}, "must be a list of floating-point numbers, got string"),
        ({"name": ["a"], "embedding": [[1]]}, "must be a list of floating-point numbers, got list"),
        ({"name": ["a", "b"], "embedding": [[1.0], [1.0, 2.0]]}, "must have the same length in every row"),
        ({"name": ["a", "b"], "embedding": [[1.0], None]}, "must have the same length in every row"),
        ({"name": ["a"], "embedding": [[0.0, 0.0]]}, "the embedding of a is zero"),
        ({"name": ["a"], "embedding": [[float("nan")]]}, "the embedding of a is not finite"),
        ({"name": ["a", None], "embedding": [[1.0], [1.0]]}, "every name must be text"),
        ({"name": ["a"], "embedding": [[1.0]], "mirrored": [[0.0]]}, "the embedding of a is zero"),
        ({"name": pa.array([b"caf\xe9"]).view("string"), "embedding": [[1.0]]}, "every name must be UTF-8"),
    ],
)
def test_a_parquet_of_other_types_is_refused(tmp_path, table, says):
    pq.write_table(pa.table(table), tmp_path / "odd.parquet")
    with pytest.raises(DataError, match=says):
        read_embeddings(tmp_path / "odd.parquet")


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    columns = [pa.array(["a"]), pa.array([[1.0]]), pa.array([[2.0]])]
    table = pa.Table.from_arrays(columns, ["name", "embedding", "embedding"])
    pq.write_table(table, tmp_path / "odd.parquet")
    with pytest.raises(DataError, match="has more than one column embedding"):
        read_embeddings(tmp_path / "odd.parquet")


class Payload:
    """What runs when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def test_nothing_in_a_file_of_embeddings_is_run(tmp_path):
    proof = tmp_path / "ran"
    hidden = np.array([Payload(proof)], dtype=object)
    np.savez(tmp_path / "evil.npz", names=hidden, embeddings=np.ones((1, 2)))
    np.save(tmp_path / "evil.npy", hidden)
    (tmp_path / "evil.parquet").write_bytes(pickle.dumps(Payload(proof)))
    for name in ("evil.npz", "evil.npy", "evil.parquet"):
        with pytest.raises(DataError, match=f"{name} is damaged"):
            read_embeddings(tmp_path / name)
    assert not proof.exists()


def test_what_is_no_file_of_embeddings_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", names=np.array([1.0]), embeddings=np.ones((1, 2)))
    np.savez(tmp_path / "b.npz", names=["a"], embeddings=np.ones((1, 2), int))
    np.save(tmp_path / "c.npy", np.ones(3))
    np.savez(tmp_path / "d.npz", names=["a"], embeddings=np.ones((1, 2)), mirrored=np.zeros((3, 2)))
    np.savez(tmp_path / "e.npz", names=np.array([b"caf\xe9"]), embeddings=np.ones((1, 2)))
    np.savez(tmp_path / "f.npz", names=np.array("a"), embeddings=np.ones((1, 2)))
    shutil.copy(tmp_path / "f.npz", tmp_path / "g.npy")
    for name, says in {
        "d.npz": r"has mirrored embeddings of shape \(3, 2\) for embeddings of shape \(1, 2\)",
        "e.npz": "every name must be UTF-8",
        "f.npz": "must hold the arrays names, of text, and embeddings",
        "g.npy": r"is an \.npz file by its content",
        "a.npz": "must hold the arrays names, of text, and embeddings",
        "b.npz": "must be floating-point numbers, got int64",
        "c.npy": r"must be \[images, length\], got \[3\]",
        "nowhere.npz": "There is no .*nowhere.npz",
    }.items():
        with pytest.raises(DataError, match=says):
            read_embeddings(tmp_path / name)


def test_an_npz_that_holds_no_network_is_taken_for_one_of_embeddings(tmp_path):
    np.savez(tmp_path / "features.npz", files=["a"], features=np.ones((1, 2)))
    (tmp_path / "damaged.npz").write_bytes(b"no")
    content = bytearray((tmp_path / "features.npz").read_bytes())
    content[content.index(b"PK\1\2") + 6] = 200  # needs a version of zip that does not exist
    (tmp_path / "version.npz").write_bytes(content)
    for name, says in {
        "features.npz": "must hold the arrays names, of text, and embeddings",
        "damaged.npz": r"is damaged or contains Python objects: expected a \.parquet",
        "version.npz": r"is damaged or contains Python objects: expected a \.parquet",
        "nowhere.npz": r"There is no .*nowhere\.npz: expected a \.parquet",
    }.items():
        with pytest.raises(DataError, match=says):
            subject_of(tmp_path / name)
    np.savez(tmp_path / "facenet.npz", **{"InceptionResnetV1/Conv2d_1a_3x3/weights": np.ones((3, 3, 3, 32))})
    with pytest.raises(DataError, match=r"facenet\.npz produces no embeddings"):
        subject_of(tmp_path / "facenet.npz")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"preprocessing": Preprocessing(112)}, "preprocessing"),
        ({"engine": "torch", "precision": "float32"}, "engine and precision"),
    ],
)
def test_embeddings_take_no_options_of_a_network(options, named, tmp_path):
    np.savez(tmp_path / "a.npz", names=["a"], embeddings=np.ones((1, 2)))
    with pytest.raises(ConfigError, match=rf"a\.npz holds embeddings, not a network: omit the {named}\."):
        subject_of(tmp_path / "a.npz", **options)


def test_embeddings_go_through_ijb_and_a_note_says_that_unit_lengths_carry_no_quality(ijbb, tmp_path):  # noqa: F811
    source = open_source(ijbb)
    images = [source.name(image) for image in range(len(source))]
    raw = np.random.default_rng(0).normal(size=(len(images), 8))
    options = EvaluationOptions(flip=False)
    for embeddings, noted in ((raw, False), (raw / np.linalg.norm(raw, axis=1, keepdims=True), True)):
        np.savez(tmp_path / "faces.npz", names=images, embeddings=embeddings)
        report = evaluate(subject_of(str(tmp_path / "faces.npz")), ijbb, options)
        assert any("All embeddings have length 1" in note for note in report.notes) is noted
    np.savez(tmp_path / "faces.npz", names=images[1:], embeddings=raw[1:])
    with pytest.raises(DataError, match=rf"no embedding, or several, for 1 of .* such as {images[0]}"):
        evaluate(subject_of(str(tmp_path / "faces.npz")), ijbb, options)
