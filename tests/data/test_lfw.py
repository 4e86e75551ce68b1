"""LFW from folders and archives, and its protocol files."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trsfnet.data.lfw import CROP, Person, fetch_lfw, find_lfw, load_people, read_pairs, read_people
from trsfnet.errors import DataError

PEOPLE = [Person("Bo_Li", 2), Person("Ann_Oak", 1)]
REAL = Path(os.environ.get("TRSFNET_DATA", "nowhere"))
needs_lfw = pytest.mark.skipif(
    not (REAL / "lfw" / "pairs.txt").is_file(), reason="TRSFNET_DATA names no folder with the real LFW"
)


def jpeg(shade: int, size: int = 250, mode: str = "RGB") -> bytes:
    """A face-sized picture: `shade` inside the crop, white outside it."""
    image = Image.new("L", (size, size), 255)
    margin = (size - CROP) // 2
    image.paste(shade, (margin, margin, size - margin, size - margin))
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def images() -> dict[str, bytes]:
    return {
        "Ann_Oak/Ann_Oak_0001.jpg": jpeg(30),
        "Bo_Li/Bo_Li_0001.jpg": jpeg(90),
        "Bo_Li/Bo_Li_0002.jpg": jpeg(150, mode="L"),
    }


def write_folder(root: Path, content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def write_archive(path: Path, content: dict[str, bytes], mode: str) -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(f"{path.name.split('.')[0]}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("name", "mode", "version"),
    [
        ("lfw-deepfunneled", None, "deepfunneled"),
        ("lfw_funneled", None, "funneled"),
        ("lfw", None, "original"),
        ("lfw-deepfunneled.tar", "w", "deepfunneled"),
        ("lfw-funneled.tgz", "w:gz", "funneled"),
        ("lfw.tgz", "w:gz", "original"),
    ],
)
@pytest.mark.parametrize("inside", ["", "lfw"])
def test_every_form_gives_the_same_faces(tmp_path, name, mode, version, inside):
    home = tmp_path / inside
    home.mkdir(exist_ok=True)
    if mode:
        write_archive(home / name, images(), mode)
    else:
        write_folder(home / name, images())
    source = find_lfw(tmp_path)
    assert source.version == version
    faces = load_people(source, PEOPLE, 75)
    assert faces.identities == ("Ann_Oak", "Bo_Li")
    assert faces.labels.tolist() == [0, 1, 1]
    assert faces.images.shape == (3, 75, 75, 3)
    centres = faces.images[:, 5:70, 5:70].astype(int)
    assert np.abs(centres - np.array([30, 90, 150]).reshape(3, 1, 1, 1)).max() <= 3


def test_the_best_aligned_version_is_taken(tmp_path):
    write_folder(tmp_path / "lfw", images())
    write_archive(tmp_path / "lfw-deepfunneled.tgz", images(), "w:gz")
    assert find_lfw(tmp_path).version == "deepfunneled"


def test_missing_and_damaged_images_are_named(tmp_path):
    with pytest.raises(DataError, match="No LFW images in"):
        find_lfw(tmp_path)
    content = images()
    content["Bo_Li/Bo_Li_0002.jpg"] = b"<html>404</html>"
    write_folder(tmp_path / "lfw", content)
    source = find_lfw(tmp_path)
    with pytest.raises(DataError, match=r"Bo_Li_0002\.jpg cannot be decoded"):
        load_people(source, PEOPLE, 75)
    with pytest.raises(DataError, match=r"Ann_Oak_0002\.jpg is missing"):
        load_people(source, [Person("Ann_Oak", 2)], 75)


def test_a_truncated_archive_is_named(tmp_path):
    path = write_archive(tmp_path / "lfw-funneled.tgz", images(), "w:gz")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"is damaged|are missing"):
        load_people(find_lfw(tmp_path), PEOPLE, 75)
    whole = write_archive(tmp_path / "lfw-deepfunneled.tar", images(), "w")
    with pytest.raises(DataError, match=r"Zoe_Ash_0001\.jpg and 0 others are missing in .*deepfunneled"):
        load_people(find_lfw(whole.parent), [*PEOPLE, Person("Zoe_Ash", 1)], 75)


def test_scikit_learns_download_is_used(tmp_path):
    """A data home as its fetcher leaves it: no network is needed once it is there."""
    home = tmp_path / "lfw_home"
    write_folder(home / "lfw_funneled", images())
    for name in ("pairsDevTrain.txt", "pairsDevTest.txt", "pairs.txt"):
        (home / name).write_text("")
    source = fetch_lfw(tmp_path)
    assert (source.version, source.path) == ("funneled", home / "lfw_funneled")


def test_the_sets_of_view_2():
    sets = read_people()
    assert len(sets) == 10
    people = [person for members in sets for person in members]
    assert len(people) == len({p.name for p in people}) == 5749
    assert sum(p.images for p in people) == 13233


def test_pairs_and_their_errors(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("2\t1\nA\t1\t2\nA\t1\tB\t3\nC\t4\t2\nC\t1\tD\t1\n")
    pairs = read_pairs(path)
    assert [(p.same, p.fold) for p in pairs] == [(True, 0), (False, 0), (True, 1), (False, 1)]
    assert pairs[1].right == ("B", 3)
    for text, says in [
        ("2\t1\nA\t1\t2\n", "ends at line 2, where more lines were announced"),
        ("1\t1\nA\t1\n", "line 2: expected 3 tab-separated fields, got 2"),
        ("1\t1\nA\t1\tx\n", "line 2: expected a positive number, got 'x'"),
        ("1\t1\nA\t0\t1\n", "line 2: expected a positive number, got '0'"),
        ("1\t1\nA\t1\t2\nA\t1\tA\t2\n", "line 3: a pair of two people names A twice"),
        ("", "ends at line 0"),
    ]:
        path.write_text(text)
        with pytest.raises(DataError, match=says):
            read_pairs(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is not a text file"):
        read_pairs(path)
    with pytest.raises(DataError, match="Cannot read"):
        read_pairs(tmp_path / "none.txt")


@needs_lfw
def test_the_real_protocol_files():
    pairs = read_pairs(REAL / "lfw" / "pairs.txt")
    assert len(pairs) == 6000
    assert sum(p.same for p in pairs) == 3000
    assert [p.same for p in pairs[:600]] == [True] * 300 + [False] * 300
    sets = read_people()
    assert sets == read_people(REAL / "lfw" / "people.txt")
    members = [{p.name: p.images for p in people} for people in sets]
    for pair in pairs:
        for name, number in (pair.left, pair.right):
            assert number <= members[pair.fold][name]


@needs_lfw
def test_real_faces_decode():
    faces = load_people(find_lfw(REAL), [p for p in read_people()[0] if p.images >= 20], 96)
    assert len(faces) == sum(p.images for p in read_people()[0] if p.images >= 20)
    spread = faces.images.reshape(len(faces), -1).std(axis=1)
    assert spread.min() > 10
