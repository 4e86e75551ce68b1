"""`trsfnet embed`: what `trsfnet.load(...).embed` gives, in a file, however often it is interrupted."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

import trsfnet
from tests.experiments.untrained import write_run
from tests.interop.networks import images, tiny_weights
from trsfnet.cli import main
from trsfnet.data.folder import FolderSource
from trsfnet.data.warp import TEMPLATE
from trsfnet.inference import embeddings
from trsfnet.inference.embedder import Embedder

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    file = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    trsfnet.export(tiny_weights(), file)
    return str(file)


@pytest.fixture
def crops(tmp_path, monkeypatch):
    """Seven images of two people, in parts of three."""
    monkeypatch.setattr(embeddings, "PART", 3)
    for number, pixels in enumerate(images(7, 80)):
        path = tmp_path / "crops" / ("ann" if number < 4 else "bo") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return tmp_path / "crops"


def files(crops) -> list[str]:
    return sorted(map(str, crops.rglob("*.png")))


def test_it_is_what_load_and_embed_give(model, crops, tmp_path, capsys):
    target = tmp_path / "faces.parquet"
    assert main(["embed", model, str(crops), str(target)]) == 0
    assert capsys.readouterr().out == f"embedded 7 images into {target}; left out 0\n"
    table = pd.read_parquet(target)
    assert table.columns.tolist() == ["name", "identity", "embedding", "stamp", "content"]
    assert table.identity.tolist() == ["ann"] * 4 + ["bo"] * 3
    assert table.name[4] == "bo/4.png"
    expected = trsfnet.load(model).embed(files(crops))
    np.testing.assert_allclose(np.stack(table.embedding), expected, atol=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crops", "faces.parquet"]


def test_a_file_names_the_engine_and_is_not_mixed_with_anothers(model, crops, tmp_path, capsys):
    target = tmp_path / "faces.parquet"
    assert main(["embed", model, str(crops), str(target), "--engine", "torch"]) == 0
    header = json.loads(pq.read_schema(target).metadata[b"trsfnet"])
    assert (header["network"], header["engine"]) == ("tiny", "torch")
    assert main(["embed", model, str(crops), str(target), "--engine", "onnxruntime"]) == 2
    assert "exists and holds embeddings from other engine" in capsys.readouterr().err


def test_a_run_and_what_was_exported_of_it_give_the_same(crops, tmp_path, tiny_config):
    run, _ = write_run(tmp_path / "runs", tiny_config)
    trsfnet.export(run, tmp_path / "run.safetensors")
    for model, name in ((run, "a.parquet"), (tmp_path / "run.safetensors", "b.parquet")):
        assert main(["embed", str(model), str(crops), str(tmp_path / name)]) == 0
    a, b = (pd.read_parquet(tmp_path / name) for name in ("a.parquet", "b.parquet"))
    np.testing.assert_allclose(np.stack(a.embedding), np.stack(b.embedding), atol=1e-5)


def test_a_list_of_files(model, crops, tmp_path, capsys):
    listed = files(crops)[::-2]
    (tmp_path / "list.txt").write_text("\n".join(listed))
    assert main(["embed", model, str(tmp_path / "list.txt"), str(tmp_path / "a.parquet"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 4
    assert pd.read_parquet(tmp_path / "a.parquet").name.tolist() == listed


def test_what_cannot_be_read_is_left_out_and_listed(model, crops, tmp_path, capsys):
    (crops / "ann/1.png").write_bytes(b"no image")
    (crops / "bo/5.png").write_bytes((crops / "bo/4.png").read_bytes()[:500])
    Image.fromarray(np.zeros((75, 75, 3), np.uint8)).save(crops / "bo/6.png")
    command = ["embed", model, str(crops), str(tmp_path / "faces.parquet")]
    for _ in range(2):  # the second finds the file
        assert main([*command, "--json"]) == 0
        said = capsys.readouterr()
        report = json.loads(said.out)
        assert report["images"] == 4
        assert [failed["name"] for failed in report["failed"]] == ["ann/1.png", "bo/5.png", "bo/6.png"]
        assert "trsfnet: left out: ann/1.png is not an image" in said.err
    table = pd.read_parquet(tmp_path / "faces.parquet")
    assert table.name.tolist() == ["ann/0.png", "ann/2.png", "ann/3.png", "bo/4.png"]
    sound = [str(crops / name) for name in table.name]
    np.testing.assert_allclose(np.stack(table.embedding), trsfnet.load(model).embed(sound), atol=1e-5)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_where_no_image_can_be_read_the_exit_code_says_so(model, tmp_path, capsys, options):
    (tmp_path / "list.txt").write_text("not_there.jpg\nlist.txt\n")
    target = tmp_path / "faces.parquet"
    assert main(["embed", model, str(tmp_path / "list.txt"), str(target), *options]) == 2
    said = capsys.readouterr()
    assert said.err.count("left out: ") == 2
    assert said.err.endswith(f"None of the 2 images could be read; {target} has no rows.\n")
    assert said.out


def test_what_the_folder_leaves_out_is_counted_too(model, crops, tmp_path, capsys):
    (crops / "ann/1.png").write_bytes(b"no image")
    (crops / "bo/5.png").write_bytes(b"")
    (crops / os.fsdecode(b"\xff")).mkdir()
    command = ["embed", model, str(crops), str(tmp_path / "faces.parquet")]
    assert main([*command, "--json"]) == 0
    said = capsys.readouterr()
    failed = {row["name"]: row["reason"] for row in json.loads(said.out)["failed"]}
    assert list(failed) == ["bo/5.png", "%FF", "ann/1.png"]
    assert failed["bo/5.png"].endswith("bo/5.png is empty: expected an image.")
    assert said.err.count("left out: ") == 3
    header = pq.read_schema(tmp_path / "faces.parquet").metadata[b"trsfnet"]
    assert json.loads(header)["failed"] == failed
    assert main(command) == 0
    assert capsys.readouterr().out == f"embedded 5 images into {tmp_path}/faces.parquet; left out 3\n"


def landmarks(*shifts: float) -> str:
    """The lines of `ijbb_name_5pts_score.txt` for faces that lie some pixels to the right of the template."""
    points = (" ".join(f"{x + shift} {y}" for x, y in TEMPLATE) for shift in shifts)
    return "".join(f"{number}.png {places} 1\n" for number, places in enumerate(points, start=1))


@pytest.fixture
def ijbb(tmp_path):
    """A folder of IJB-B with two images, of which only the first is there."""
    meta, faces = tmp_path / "ijbb" / "meta", tmp_path / "ijbb" / "loose_crop"
    meta.mkdir(parents=True)
    faces.mkdir()
    (meta / "ijbb_face_tid_mid.txt").write_text("1.png 7 3\n2.png 7 3\n")
    (meta / "ijbb_name_5pts_score.txt").write_text(landmarks(0, 0))
    Image.fromarray(images(1, 112)[0]).save(faces / "1.png")
    return tmp_path / "ijbb"


def test_an_image_with_other_landmarks_is_embedded_again(model, ijbb, tmp_path):
    shutil.copy(ijbb / "loose_crop/1.png", ijbb / "loose_crop/2.png")
    target = tmp_path / "ijbb.parquet"
    embedded(model, ijbb, target)
    assert embedded(model, ijbb, target)[1] == []
    (ijbb / "meta/ijbb_name_5pts_score.txt").write_text(landmarks(0, 9))
    table, seen = embedded(model, ijbb, target)
    assert seen == [1]
    assert not np.allclose(*table.embedding, atol=1e-3)


def test_identities_follow_the_source(model, crops, tmp_path):
    target = tmp_path / "faces.parquet"
    assert set(embedded(model, crops / "ann", target)[0].identity) == {"ann"}
    (crops / "ann").rename(crops / "bea")
    table, seen = embedded(model, crops / "bea", target)
    assert set(table.identity) == {"bea"}
    assert seen == []


def test_an_image_that_ijb_lacks_is_left_out(model, ijbb, tmp_path, capsys):
    assert main(["embed", model, str(ijbb), str(tmp_path / "ijbb.parquet")]) == 0
    said = capsys.readouterr()
    assert said.out == f"embedded 1 images into {tmp_path}/ijbb.parquet; left out 1\n"
    assert "left out: Image 2.png of" in said.err


def test_a_name_that_is_not_utf8_is_embedded(model, crops, tmp_path):
    flat = crops / "ann"
    (flat / "1.png").rename(flat / os.fsdecode(b"caf\xe9.png"))
    assert main(["embed", model, str(flat), str(tmp_path / "faces.parquet")]) == 0
    names = pd.read_parquet(tmp_path / "faces.parquet").name
    assert names.tolist() == ["0.png", "2.png", "3.png", "caf%E9.png"]


def test_an_interrupted_one_goes_on_where_it_was(model, crops, tmp_path, monkeypatch, capsys):
    target, seen = tmp_path / "faces.parquet", []
    embed = Embedder.embed

    def interrupted(self, faces, **options):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(len(faces))
        return embed(self, faces, **options)

    monkeypatch.setattr(Embedder, "embed", interrupted)
    command = ["embed", model, str(crops), str(target)]
    assert main(command) == 130
    assert not target.exists()
    parts = tmp_path / ".faces.parquet.parts"
    (parts / ".000000006.parquet.partial").write_bytes(b"half")  # as a kill within a write leaves it

    other = tmp_path / "other.safetensors"
    trsfnet.export(tiny_weights(residual_scale="fixed"), other)
    monkeypatch.setattr(Embedder, "embed", embed)
    assert main(["embed", str(other), str(crops), str(target)]) == 2
    assert "holds a part of embeddings from other weights: remove it" in capsys.readouterr().err

    def counted(self, faces, **options):
        seen.append(len(faces))
        return embed(self, faces, **options)

    monkeypatch.setattr(Embedder, "embed", counted)
    assert main(command) == 0
    assert seen == [3, 3, 1]
    expected = trsfnet.load(model).embed(files(crops))
    np.testing.assert_allclose(np.stack(pd.read_parquet(target).embedding), expected, atol=1e-5)
    assert not parts.exists()


def embedded(model, folder, target) -> tuple[pd.DataFrame, list[int]]:
    """What is in the file after another call, and how many images each batch of it computed."""
    seen, embed = [], Embedder.embed

    def counted(self, faces, **options):
        seen.append(len(faces))
        return embed(self, faces, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Embedder, "embed", counted)
        assert main(["embed", model, str(folder), str(target)]) == 0
    return pd.read_parquet(target), seen


def test_what_changed_in_place_is_embedded_again_and_nothing_else(model, crops, tmp_path):
    target = tmp_path / "faces.parquet"
    changed, other, touched = (crops / name for name in ("ann/1.png", "ann/2.png", "bo/5.png"))
    for file in (changed, other):
        file.write_bytes(file.read_bytes().ljust(1 << 15, b"\0"))
    before, seen = embedded(model, crops, target)
    assert sum(seen) == 7
    shutil.copystat(changed, other)
    shutil.copy2(other, changed)  # which keeps the time of the original, as `cp -p` does
    assert changed.stat().st_mtime_ns == other.stat().st_mtime_ns
    os.utime(touched)  # another time, the same content
    after, seen = embedded(model, crops, target)
    assert seen == [1]
    np.testing.assert_allclose(after.embedding[1], before.embedding[2], atol=1e-5)
    kept = [0, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(np.stack(after.embedding[kept]), np.stack(before.embedding[kept]))
    assert embedded(model, crops, target)[1] == []


def test_what_was_added_or_mended_is_embedded_and_what_broke_is_left_out(model, crops, tmp_path):
    target, sound = tmp_path / "faces.parquet", (crops / "ann/1.png").read_bytes()
    (crops / "ann/1.png").write_bytes(b"no image")
    assert len(embedded(model, crops, target)[0]) == 6
    (crops / "ann/1.png").write_bytes(sound)
    (crops / "bo/0.png").write_bytes(sound)
    (crops / "bo/6.png").write_bytes(b"")  # its folder leaves it out
    (crops / "bo/5.png").write_bytes(b"broken")
    table, seen = embedded(model, crops, target)
    assert seen.count(1) == 2
    assert sum(seen) == 2
    names = ["ann/0.png", "ann/1.png", "ann/2.png", "ann/3.png", "bo/0.png", "bo/4.png"]
    assert table.name.tolist() == names
    expected = trsfnet.load(model).embed([str(crops / name) for name in names])
    np.testing.assert_allclose(np.stack(table.embedding), expected, atol=1e-5)


def test_every_image_is_read_once(model, crops, tmp_path, monkeypatch):
    read, encoded = [], FolderSource.encoded

    def noted(source, index):
        read.append(index)
        return encoded(source, index)

    monkeypatch.setattr(FolderSource, "encoded", noted)
    assert main(["embed", model, str(crops), str(tmp_path / "faces.parquet")]) == 0
    assert sorted(read) == list(range(7))


def test_the_list_of_what_was_left_out_follows_the_images(model, crops, tmp_path, capsys):
    target, empty = tmp_path / "faces.parquet", crops / "bo/6.png"
    command = ["embed", model, str(crops), str(target), "--json"]
    for there in (True, False, True):
        empty.write_bytes(b"") if there else empty.unlink()
        assert main(command) == 0
        failed = json.loads(capsys.readouterr().out)["failed"]
        assert [each["name"] for each in failed] == ["bo/6.png"] * there


def test_a_file_of_something_else_is_kept(model, crops, tmp_path, capsys):
    target = tmp_path / "faces.parquet"
    assert main(["embed", model, str(crops), str(target)]) == 0
    before = target.read_bytes()
    (crops / "bo/4.png").unlink()
    assert main(["embed", model, str(crops), str(target)]) == 2
    assert "exists and holds embeddings of other images" in capsys.readouterr().err
    assert target.read_bytes() == before
    target.write_bytes(b"mine")
    assert main(["embed", model, str(crops), str(target)]) == 2
    assert target.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["MODEL", "CROPS", "faces.csv"], "must end in .parquet"),
        (["MODEL", "CROPS", "/nowhere/faces.parquet"], "There is no folder /nowhere to write to."),
        (["MODEL", "/nowhere", "faces.parquet"], "There is no /nowhere"),
        (["/nowhere", "CROPS", "faces.parquet"], "There is no /nowhere: expected the folder of a run"),
        (["MODEL", "CROPS", "CROPS/faces.parquet"], "TARGET must be outside SOURCE"),
    ],
)
def test_wrong_input_is_one_sentence(model, crops, tmp_path, monkeypatch, capsys, words, says):
    monkeypatch.chdir(tmp_path)
    places = {"MODEL": model, "CROPS": str(crops)}
    for place, path in places.items():
        words = [word.replace(place, path) for word in words]
    assert main(["embed", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("trsfnet: ")
    assert says in said
    assert said.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crops"]


def test_pictures_beside_subfolders_are_embedded_too(model, crops, tmp_path, capsys):
    (crops / "ann/0.png").rename(crops / "loose.png")
    (crops / "notes.txt").touch()
    table, _ = embedded(model, crops, tmp_path / "faces.parquet")
    said = capsys.readouterr()
    assert said.out == f"embedded 7 images into {tmp_path / 'faces.parquet'}; left out 0\n"
    assert f"passed over in {crops}: .txt files (1).\n" in said.err
    assert table.name.tolist() == [
        "loose.png",
        *(f"ann/{n}.png" for n in (1, 2, 3)),
        "bo/4.png",
        "bo/5.png",
        "bo/6.png",
    ]
    assert table.identity.tolist() == ["crops", *["ann"] * 3, *["bo"] * 3]
    expected = trsfnet.load(model).embed([str(crops / name) for name in table.name])
    np.testing.assert_allclose(np.stack(table.embedding), expected, atol=1e-5)
    assert embedded(model, crops, tmp_path / "faces.parquet")[1] == []


def test_pictures_beside_a_folder_of_other_files_are_embedded(model, tmp_path, capsys):
    folder = tmp_path / "faces"
    (folder / "raw").mkdir(parents=True)
    (folder / "raw/1.cr2").touch()
    Image.fromarray(images(1, 80)[0]).save(folder / "1.png")
    table, _ = embedded(model, folder, tmp_path / "faces.parquet")
    assert table.name.tolist() == ["1.png"]
    assert f"Identity raw has no images in {folder / 'raw'}, only .cr2 files (1)." in capsys.readouterr().err


def test_what_computed_nothing_does_not_keep_the_place(model, crops, tmp_path, capsys):
    diverged = tmp_path / "diverged.safetensors"
    weights = tiny_weights()
    weights.state["last_bn.running_mean"].fill_(float("nan"))
    trsfnet.export(weights, diverged)
    target = tmp_path / "faces.parquet"
    assert main(["embed", str(diverged), str(crops), str(target)]) == 2
    assert "diverged" in capsys.readouterr().err
    assert main(["embed", model, str(crops), str(target)]) == 0
