"""LFW from folders and archives, and its protocol files."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trsfnet.data.input_crops import input_crops
from trsfnet.data.lfw import CROP, LfwImages, LfwSource, fetch_lfw, find_lfw, lfw_pairs, load_people
from trsfnet.data.lfw_files import Person, read_pairs, read_people
from trsfnet.data.lfw_version import content_version
from trsfnet.data.tracks import lfw as lfw_track
from trsfnet.data.tracks.lfw import TEST_SETS, TRAIN_SETS
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
    with pytest.raises(DataError, match=r"LFW image Bo_Li/Bo_Li_0002\.jpg is not an image"):
        load_people(source, PEOPLE, 75)
    with pytest.raises(DataError, match=r"Ann_Oak_0002\.jpg is missing"):
        load_people(source, [Person("Ann_Oak", 2)], 75)


def test_crops_under_the_name_of_the_published_images_are_refused(tmp_path):
    write_folder(tmp_path / "lfw", images() | {"Bo_Li/Bo_Li_0002.jpg": jpeg(150, size=160)})
    with pytest.raises(DataError, match=r"Bo_Li_0002\.jpg in .* has 160 x 160 pixels, not 250 x 250"):
        load_people(find_lfw(tmp_path), PEOPLE, 75)
    source = LfwSource(find_lfw(tmp_path), PEOPLE)
    assert input_crops(source, 75)[:2].shape == (2, 75, 75, 3)
    with pytest.raises(DataError, match="if these are crops of faces, keep them under another name than lfw"):
        input_crops(source, 75)[2:]


def test_a_truncated_archive_is_named(tmp_path):
    path = write_archive(tmp_path / "lfw-funneled.tgz", images(), "w:gz")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"is damaged|are missing"):
        load_people(find_lfw(tmp_path), PEOPLE, 75)
    tar = write_archive(tmp_path / "lfw_deepfunneled.tar", images(), "w")
    tar.write_bytes(tar.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"is damaged|are missing"):
        load_people(find_lfw(tmp_path), PEOPLE, 75)
    whole = write_archive(tmp_path / "lfw-deepfunneled.tar", images(), "w")
    with pytest.raises(DataError, match=r"Zoe_Ash_0001\.jpg and 1 others are missing in .*deepfunneled"):
        load_people(find_lfw(whole.parent), [*PEOPLE, Person("Zoe_Ash", 2)], 75)


def test_scikit_learns_download_is_used(tmp_path):
    """A data home as its fetcher leaves it: no network is needed once it is there."""
    home = tmp_path / "lfw_home"
    write_folder(home / "lfw_funneled", images())
    for name in ("pairsDevTrain.txt", "pairsDevTest.txt", "pairs.txt"):
        (home / name).write_text("")
    source = fetch_lfw(tmp_path)
    assert (source.version, source.path) == ("funneled", home / "lfw_funneled")


FORMS = {"lfw": None, "lfw.tar": "w", "lfw.tgz": "w:gz", "lfw-misnamed.tar": "w:gz"}


@pytest.mark.parametrize("form", FORMS)
def test_a_source_gives_the_bytes_as_published(tmp_path, form):
    path, mode = tmp_path / form, FORMS[form]
    if mode:
        write_archive(path, images(), mode)
    else:
        write_folder(path, images())
    source = LfwSource(LfwImages(path, "original"), PEOPLE)
    for copy in (source, pickle.loads(pickle.dumps(source))):
        assert {copy.name(i): copy.encoded(i) for i in range(len(copy))} == images()
    assert [source.identities[label] for label in source.labels] == ["Ann_Oak", "Bo_Li", "Bo_Li"]
    assert source.image(2).shape == (250, 250, 3)
    assert source.index("Bo_Li", 2) == 2
    assert source.index("Bo_Li", 3) is source.index("Zoe_Ash", 1) is None
    only = LfwSource(LfwImages(path, "original"), PEOPLE[:1])
    assert [only.encoded(i) for i in range(len(only))] == list(images().values())[1:]


def test_the_version_is_that_of_the_images_not_of_their_container(tmp_path):
    folder = LfwImages(write_folder(tmp_path / "lfw", images()), "original")
    archive = LfwImages(write_archive(tmp_path / "lfw.tgz", images(), "w:gz"), "original")
    version = LfwSource(folder, PEOPLE).version
    assert LfwSource(archive, PEOPLE).version == version
    assert LfwSource(archive, PEOPLE[:1]).version != version
    (folder.path / "Bo_Li/Bo_Li_0001.jpg").write_bytes(b"shorter")
    assert LfwSource(folder, PEOPLE).version != version


@pytest.mark.parametrize(("form", "mode"), [("lfw", None), ("lfw.tar", "w"), ("lfw.tgz", "w:gz")])
def test_an_image_replaced_in_place_is_another_version_and_another_crop(tmp_path, monkeypatch, form, mode):
    """Whatever its size: the published images have their version's name alone, these have a digest."""
    monkeypatch.setattr(lfw_track, "read_people", lambda: [[*PEOPLE], *[[]] * 6, [PEOPLE[1]], [], []])

    def write(content: dict[str, bytes]) -> tuple[str, int]:
        if mode:
            write_archive(tmp_path / form, content, mode)
        else:
            write_folder(tmp_path / form, content)
        data = lfw_track.load(size=75, identities=0, images_per_identity=2, root=tmp_path, train_set=None)
        return lfw_track.images_version(root=tmp_path, train_set=None), int(data.train.images[1, 40, 40, 0])

    version, shade = write(images())
    assert version.startswith("original-")
    assert abs(shade - 150) <= 3
    replaced = jpeg(20, mode="L").ljust(len(images()["Bo_Li/Bo_Li_0002.jpg"]), b"\0")
    other, shade = write(images() | {"Bo_Li/Bo_Li_0002.jpg": replaced})
    assert other != version
    assert abs(shade - 20) <= 3
    assert write(images())[0] == version


@needs_lfw
def test_the_published_images_are_known():
    assert content_version(find_lfw(REAL / "lfw")) == "deepfunneled"


def test_links_out_of_lfw_are_refused_and_what_it_does_not_list_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("trsfnet.data.lfw.read_people", lambda: [PEOPLE])
    root = write_folder(tmp_path / "lfw", images() | {"Bo_Li/Bo_Li_0003.jpg": b"", "Bo_Li/note.txt": b""})
    source = LfwSource(LfwImages(root, "original"))
    assert source.passed_over == {"pictures that LFW does not list": 1, ".txt files": 1}
    (tmp_path / "secret.jpg").write_bytes(jpeg(1))
    (root / "Bo_Li/Bo_Li_0001.jpg").unlink()
    (root / "Bo_Li/Bo_Li_0001.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(DataError, match=r"Bo_Li_0001\.jpg is a link out of the folder"):
        LfwSource(LfwImages(root, "original"))


def test_a_source_is_read_by_many_threads(tmp_path):
    source = LfwSource(LfwImages(write_archive(tmp_path / "lfw.tar", images(), "w"), "original"), PEOPLE)
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(source.encoded, list(range(3)) * 50))
    assert read == list(images().values()) * 50


def test_what_a_source_refuses(tmp_path):
    path = write_archive(tmp_path / "lfw.tar", images(), "w")
    source = LfwSource(LfwImages(path, "original"), PEOPLE)
    with pytest.raises(DataError, match="contains Bo_Li twice"):
        LfwSource(LfwImages(path, "original"), [*PEOPLE, PEOPLE[0]])
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match=r"Bo_Li_0002\.jpg is cut short in .*lfw\.tar"):
        source.encoded(2)
    path.unlink()
    with pytest.raises(DataError, match=r"Bo_Li_0002\.jpg is no longer in .*lfw\.tar"):
        source.encoded(2)
    with tarfile.open(path, "w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("lfw/Ann_Oak/Ann_Oak_0001.jpg"), io.BytesIO())
    with pytest.raises(DataError, match=r"lfw\.tar holds Ann_Oak/Ann_Oak_0001\.jpg twice"):
        LfwSource(LfwImages(path, "original"), PEOPLE)


def test_a_member_of_negative_size_ends(tmp_path):
    """Its successor would be itself, so that listing the archive would never end."""
    path = write_archive(tmp_path / "lfw.tar", images(), "w")
    content = bytearray(path.read_bytes())
    content[124:136] = b"\xff" * 10 + b"\xfe\x00"  # -512 in base 256
    content[148:156] = b"%06o\0 " % (sum(content[:148]) + 8 * 32 + sum(content[156:512]))
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is damaged: .* negative size"):
        LfwSource(LfwImages(path, "original"), PEOPLE)


def test_pairs_point_at_their_images(tmp_path):
    source = LfwSource(LfwImages(write_folder(tmp_path / "lfw", images()), "original"), PEOPLE)
    path = tmp_path / "pairs.txt"
    path.write_text("2\t1\nBo_Li\t1\t2\nAnn_Oak\t1\tBo_Li\t2\nBo_Li\t2\t1\nBo_Li\t1\tAnn_Oak\t1\n")
    pairs = lfw_pairs(source.index, path)
    assert pairs.left.tolist() == [1, 0, 2, 1]
    assert pairs.right.tolist() == [2, 2, 1, 0]
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.folds.tolist() == [0, 0, 1, 1]
    for text, says in [
        ("1\nBo_Li\t1\t3\nAnn_Oak\t1\tBo_Li\t2\n", "line 2: image 3 of Bo_Li is not among"),
        ("1\nBo_Li\t1\t2\nAnn_Oak\t1\tZoe_Ash\t2\n", "line 3: image 2 of Zoe_Ash is not among"),
    ]:
        path.write_text(text)
        with pytest.raises(DataError, match=rf"pairs\.txt, {says}"):
            lfw_pairs(source.index, path)


def test_a_byte_order_mark_is_as_if_it_were_not_there(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_bytes(b"\xef\xbb\xbf1\r\nBo_Li\t1\t2\r\nAnn_Oak\t1\tBo_Li\t2\r\n")
    assert [pair.same for pair in read_pairs(path)] == [True, False]
    path.write_bytes(b"\xef\xbb\xbf1\nBo_Li\t2\n")
    assert read_people(path) == [[Person("Bo_Li", 2)]]


def test_the_sets_of_view_2_share_no_person():
    sets = read_people()
    assert len(sets) == 10
    people = [person for members in sets for person in members]
    assert len(people) == len({p.name for p in people}) == 5749
    assert sum(p.images for p in people) == 13233
    train, test = ({p.name for i in part for p in sets[i]} for part in (TRAIN_SETS, TEST_SETS))
    assert not train & test
    assert len(train) + len(test) == 5749


def test_people_and_their_errors(tmp_path):
    path = tmp_path / "people.txt"
    path.write_text("2\n1\nA\t3\n2\nB\t1\nC\t2\n")
    assert read_people(path) == [[Person("A", 3)], [Person("B", 1), Person("C", 2)]]
    path.write_text("2\r\nA\t3\r\nB\t1\r\n")
    assert read_people(path) == [[Person("A", 3), Person("B", 1)]]
    for text, says in [
        ("2\n1\nA\t3\n1\nA\t3\n", "line 5: 'A' is listed a second time"),
        ("1\nA\t3\nB\t1\n", "line 3: expected the end"),
        ("3\nA\t3\nB\t1\n", "ends at line 3"),
        ("1\n../A\t3\n", r"line 2: '\.\./A' cannot be the name of a folder"),
        ("1\nA\t99999\n", "line 2: expected a number from 1 to 9999, got '99999'"),
        ("", "ends at line 0"),
    ]:
        path.write_text(text)
        with pytest.raises(DataError, match=says):
            read_people(path)


def test_pairs_and_their_errors(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("2\t1\nA\t1\t2\nA\t1\tB\t3\nC\t4\t2\nC\t1\tD\t1\n")
    pairs = read_pairs(path)
    assert [(p.same, p.fold) for p in pairs] == [(True, 0), (False, 0), (True, 1), (False, 1)]
    assert pairs[1].right == ("B", 3)
    path.write_text("1\nA\t1\t2\nA\t1\tB\t3\n")
    assert [(p.same, p.fold) for p in read_pairs(path)] == [(True, 0), (False, 0)]
    for text, says in [
        ("2\t1\nA\t1\t2\n", "ends at line 2: expected more lines"),
        ("1\t1\nA\t1\n", "line 2: expected 3 tab-separated fields, got 2"),
        ("1\t1\nA\t1\tx\n", "line 2: expected a number from 1 to 9999, got 'x'"),
        ("1\t1\nA\t0\t1\n", "line 2: expected a number from 1 to 9999, got '0'"),
        ("1\t1\nA\t1\t2\nA\t1\tA\t2\n", "line 3: a pair of two people names 'A' twice"),
        ("1\t1\nA\t1\t2\nA\t1\tB\t2\nC\t1\t2\n", "line 4: expected the end"),
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
def test_the_real_view_1_shares_no_person():
    people, named = {}, {}
    source = LfwSource(find_lfw(REAL))
    for part, size, each in (("DevTrain", 4038, 1100), ("DevTest", 1711, 500)):
        (members,) = read_people(REAL / "lfw" / f"people{part}.txt")
        people[part] = {p.name for p in members}
        assert len(people[part]) == size
        pairs = lfw_pairs(source.index, REAL / "lfw" / f"pairs{part}.txt")
        assert np.bincount(pairs.same).tolist() == [each, each]
        assert (pairs.same == (source.labels[pairs.left] == source.labels[pairs.right])).all()
        named[part] = {source.identities[source.labels[i]] for i in (*pairs.left, *pairs.right)}
        assert named[part] <= people[part]
    assert not people["DevTrain"] & people["DevTest"]


@needs_lfw
def test_real_view_2_folds_share_no_person():
    source = LfwSource(find_lfw(REAL))
    assert len(source) == 13233
    pairs = lfw_pairs(source.index, REAL / "lfw" / "pairs.txt")
    assert (pairs.same == (source.labels[pairs.left] == source.labels[pairs.right])).all()
    folds = [
        set(source.labels[np.concatenate([pairs.left[pairs.folds == k], pairs.right[pairs.folds == k]])])
        for k in range(10)
    ]
    assert sum(map(len, folds)) == len(set().union(*folds))


@needs_lfw
def test_real_faces_decode():
    faces = load_people(find_lfw(REAL), [p for p in read_people()[0] if p.images >= 20], 96)
    assert len(faces) == sum(p.images for p in read_people()[0] if p.images >= 20)
    spread = faces.images.reshape(len(faces), -1).std(axis=1)
    assert spread.min() > 10
