"""Faces are found, chosen, cropped and reported, whatever the images and whenever the process dies."""

from __future__ import annotations

import csv
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from facenet_pytorch import extract_face
from PIL import Image

from tests.data.full_disk import full_disk
from tests.data.memory import MemorySource, encoded, pattern
from trsfnet.data.align import COLUMNS, Face, FacenetCrop, MarginCrop, Mtcnn, WarpCrop, align_faces, choose
from trsfnet.data.crops import central_crop, margin_crop
from trsfnet.data.folder import FolderSource
from trsfnet.data.locking import locked_folder
from trsfnet.data.sources import open_source
from trsfnet.data.warp import TEMPLATE, warp_face
from trsfnet.errors import ConfigError, DataError
from trsfnet.synthetic import render_faces


def face(left: float, top: float, side: float) -> Face:
    points = TEMPLATE / 112 * side + [left, top]
    return Face(np.array([left, top, left + side, top + side]), points, 0.9)


class Corner:
    """A detector that reads off the first pixel how many faces to find, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []

    def __call__(self, images: np.ndarray) -> list[list[Face]]:
        self.batches.append(images.shape)
        if (images[:, 0, 0, 0] == 99).any():
            raise DataError("It confuses the detector.")
        return [[face(8 + 20 * k, 8, 30 - 10 * k) for k in range(image[0, 0, 0])] for image in images]


def photograph(faces: int, seed: int = 0, height: int = 60, width: int = 60) -> bytes:
    pixels = pattern(seed, height, width).copy()
    pixels[0, 0, 0] = faces
    return encoded(pixels)


@pytest.fixture
def source() -> MemorySource:
    counts = {"ann/1.jpg": 1, "ann/2.jpg": 2, "bob/1.jpg": 0, "bob/2.png": 1, "cy/odd.jpeg": 99}
    images = {name: photograph(count, seed) for seed, (name, count) in enumerate(counts.items())}
    return MemorySource(images | {"cy/html.jpg": b"<html>", "cy/3.jpg": photograph(1)})


CROP = MarginCrop(size=24, margin=4)


def rows(target: Path) -> dict[str, dict[str, str]]:
    with (target / "report.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def crops(target: Path) -> dict[str, bytes]:
    return {str(path.relative_to(target)): path.read_bytes() for path in sorted(target.rglob("*.png"))}


def test_every_image_is_cropped_or_listed(source, tmp_path):
    counts = align_faces(source, tmp_path, Corner(), CROP)
    assert counts == {"found": 3, "chosen": 1, "none": 1, "failed": 2, "left out": 0}
    report = rows(tmp_path)
    assert {name: (row["status"], row["done"], row["faces"]) for name, row in report.items()} == {
        "ann/1.jpg": ("found", "face", "1"),
        "ann/2.jpg": ("chosen", "face", "2"),
        "bob/1.jpg": ("none", "centre", "0"),
        "bob/2.png": ("found", "face", "1"),
        "cy/odd.jpeg": ("failed", "skipped", "0"),
        "cy/html.jpg": ("failed", "skipped", "0"),
        "cy/3.jpg": ("found", "face", "1"),
    }
    assert report["cy/html.jpg"]["note"].startswith("cy/html.jpg is not an image")
    assert report["cy/odd.jpeg"]["note"] == "It confuses the detector."
    found = report["ann/1.jpg"]
    numbers = [float(found[column]) for column in COLUMNS[COLUMNS.index("left") : -1]]
    expected = face(8, 8, 30)
    np.testing.assert_allclose(numbers, [*expected.box, *expected.points.ravel()], atol=1e-3)
    assert float(found["probability"]) == pytest.approx(0.9)
    for name, row in report.items():
        assert (row["done"] == "skipped") == (row["file"] == ""), name
    for index, name in ((0, "ann/1"), (3, "bob/2")):
        expected_crop = margin_crop(source.image(index), face(8, 8, 30).box, 24, 4)
        with Image.open(tmp_path / f"{name}.png") as image:
            np.testing.assert_array_equal(np.asarray(image), expected_crop)


def test_what_a_folder_leaves_out_is_listed_once(tmp_path):
    photographs, target = tmp_path / "photographs", tmp_path / "crops"
    for identity in ("ann", "bob", os.fsdecode(b"\xff")):
        (photographs / identity).mkdir(parents=True)
        (photographs / identity / "1.jpg").write_bytes(photograph(1))
    (photographs / "ann/2.jpg").touch()
    (photographs / "bob/line\nbreak.jpg").write_bytes(photograph(1))
    for _ in range(2):
        counts = align_faces(FolderSource(photographs, skip=True), target, Corner(), CROP)
        assert counts == {"found": 2, "chosen": 0, "none": 0, "failed": 0, "left out": 3}
        report = rows(target)
        assert set(report) == {"ann/1.jpg", "ann/2.jpg", "bob/1.jpg", "bob/line\nbreak.jpg", "%FF"}
    assert report["ann/2.jpg"]["note"].endswith("ann/2.jpg is empty: expected an image.")
    assert (report["ann/2.jpg"]["status"], report["ann/2.jpg"]["done"]) == ("left out", "skipped")


def test_the_target_is_a_source_of_the_same_people(source, tmp_path):
    align_faces(source, tmp_path / "crops", Corner(), CROP, missing="skip")
    again = FolderSource(tmp_path / "crops")
    names = [again.name(index) for index in range(len(again))]
    assert names == ["ann/1.png", "ann/2.png", "bob/2.png", "cy/3.png"]
    assert [again.identities[label] for label in again.labels] == ["ann", "ann", "bob", "cy"]
    assert rows(tmp_path / "crops")["bob/1.jpg"]["done"] == "skipped"


def test_the_warp_is_that_of_arcface(source, tmp_path):
    align_faces(source, tmp_path, Corner(), WarpCrop(size=32))
    with Image.open(tmp_path / "ann/1.png") as image:
        expected = warp_face(source.image(0), face(8, 8, 30).points, 32)
        np.testing.assert_array_equal(np.asarray(image), expected)


def test_landmarks_that_cannot_be_warped_fail_alone(tmp_path):
    def coinciding(images: np.ndarray) -> list[list[Face]]:
        return [[Face(np.array([0, 0, 9, 9]), np.zeros((5, 2)), 1.0)] for _ in images]

    counts = align_faces(MemorySource({"a/1": photograph(1)}), tmp_path, coinciding, WarpCrop())
    assert counts["failed"] == 1
    assert "Landmarks must" in rows(tmp_path)["a/1"]["note"]


def test_images_of_one_size_are_detected_together_and_each_face_is_in_its_image(tmp_path):
    shapes = [(60, 60), (60, 80)] * 20 + [(70, 60)]
    images = {f"a/{i}.png": photograph(1, i, *shape) for i, shape in enumerate(shapes)}
    source, detector = MemorySource(images), Corner()
    align_faces(source, tmp_path, detector, CROP)
    assert sorted(detector.batches) == [(1, 70, 60, 3), (20, 60, 60, 3), (20, 60, 80, 3)]
    for index in range(len(source)):
        with Image.open(tmp_path / f"a/{index}.png") as image:
            expected = margin_crop(source.image(index), face(8, 8, 30).box, 24, 4)
            np.testing.assert_array_equal(np.asarray(image), expected)


def test_many_sizes_and_large_images_do_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("trsfnet.data.align.folder._BATCH", 2)
    monkeypatch.setattr("trsfnet.data.align.folder._WAITING_PIXELS", 4 * 60 * 61)
    monkeypatch.setattr("trsfnet.data.align.folder._BATCH_PIXELS", 2 * 63 * 60)
    heights = [60, 61, 62, 63, 64, 60, 60, 76, 76]
    source = MemorySource({f"a/{i}.png": photograph(1, i, height) for i, height in enumerate(heights)})
    detector = Corner()
    align_faces(source, tmp_path, detector, CROP)
    # When four wait, the first of the largest groups goes; from 64 rows on, an image is a batch of its own.
    assert [shape[:2] for shape in detector.batches] == [
        *((1, 60), (1, 64), (1, 61), (2, 60), (1, 76), (1, 76), (1, 62), (1, 63))
    ]
    assert len(crops(tmp_path)) == len(heights)


class Dying(Corner):
    """Dies at its third batch."""

    def __call__(self, images: np.ndarray) -> list[list[Face]]:
        if len(self.batches) == 2:
            raise KeyboardInterrupt
        return super().__call__(images)


@pytest.mark.parametrize(("cut", "rows_lost"), [(0, 0), (3, 1), (60, 2)])
def test_killed_and_started_again_it_ends_the_same(tmp_path, monkeypatch, cut, rows_lost):
    monkeypatch.setattr("trsfnet.data.align.folder._BATCH", 2)
    images = {f"é{i % 2}/{i}.png": photograph(i % 3, i) for i in range(8)}
    source = MemorySource(images)
    align_faces(source, tmp_path / "whole", Corner(), CROP)
    target = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        align_faces(source, target, Dying(), CROP)
    report = target / "report.csv"
    report.write_bytes(report.read_bytes()[: -cut or None])
    (target / "é0" / ".partial").write_bytes(b"half a crop")
    detector = Corner()
    align_faces(source, target, detector, CROP)
    assert sum(shape[0] for shape in detector.batches) == 4 + rows_lost
    assert crops(target) == crops(tmp_path / "whole")
    assert rows(target) == rows(tmp_path / "whole")


def shades(target: Path) -> dict[str, int]:
    """A pixel of each crop, which tells the images below apart."""
    return {name: int(np.asarray(Image.open(target / name))[12, 12, 0]) for name in crops(target)}


def flat(shade: int, faces: int = 1) -> bytes:
    pixels = np.full((60, 60, 3), shade, dtype=np.uint8)
    pixels[0, 0, 0] = faces
    return encoded(pixels)


@pytest.fixture
def album(tmp_path) -> Path:
    for i, name in enumerate(("ann/1.png", "ann/2.png", "bob/1.png")):
        (tmp_path / "album" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "album" / name).write_bytes(flat(100 + i))
    return tmp_path / "album"


def aligned_again(album: Path, target: Path) -> tuple[int, dict[str, int]]:
    """How many images the detector saw, and what became of all."""
    detector = Corner()
    counts = align_faces(FolderSource(album, skip=True), target, detector, CROP)
    return sum(shape[0] for shape in detector.batches), counts


def test_what_has_changed_is_done_again_and_nothing_else(album, tmp_path):
    target = tmp_path / "crops"
    assert aligned_again(album, target)[0] == 3
    assert aligned_again(album, target)[0] == 0
    for file in album.rglob("*.png"):
        os.utime(file)  # as a copy does: another time, the same content
    assert aligned_again(album, target)[0] == 0
    state = (album / "ann/2.png").stat()
    (album / "ann/2.png").write_bytes(flat(33))  # of the same size and time
    os.utime(album / "ann/2.png", ns=(state.st_atime_ns, state.st_mtime_ns))
    (album / "cy").mkdir()
    (album / "cy/1.png").write_bytes(flat(44))
    assert aligned_again(album, target)[0] == 2
    assert shades(target) == {"ann/1.png": 100, "ann/2.png": 33, "bob/1.png": 102, "cy/1.png": 44}
    assert set(rows(target)) == {"ann/1.png", "ann/2.png", "bob/1.png", "cy/1.png"}


@pytest.mark.parametrize("broken", [b"<html>", b""])
def test_what_was_broken_is_tried_again_once_it_is_mended(album, tmp_path, broken):
    target = tmp_path / "crops"
    (album / "ann/2.png").write_bytes(broken)
    counts = aligned_again(album, target)[1]
    assert (counts["found"], counts["failed"] + counts["left out"]) == (2, 1)
    (album / "ann/2.png").write_bytes(flat(55))
    assert aligned_again(album, target)[1]["found"] == 3
    assert shades(target)["ann/2.png"] == 55
    (album / "ann/2.png").write_bytes(broken)
    counts = aligned_again(album, target)[1]
    assert (counts["found"], counts["failed"] + counts["left out"]) == (2, 1)
    assert set(crops(target)) == {"ann/1.png", "bob/1.png"}, "no crop of what is there no more"


def test_an_image_on_which_the_detector_failed_is_tried_again(source, tmp_path):
    assert align_faces(source, tmp_path, Corner(), CROP)["failed"] == 2
    counts = align_faces(source, tmp_path, lambda images: [[face(8, 8, 30)] for _ in images], CROP)
    assert counts["failed"] == 1
    assert rows(tmp_path)["cy/odd.jpeg"]["status"] == "found"
    assert "cy/odd.png" in crops(tmp_path)


def test_a_removed_image_without_a_crop_is_forgotten_and_one_with_a_crop_told(album, tmp_path):
    target = tmp_path / "crops"
    (album / "ann/2.png").write_bytes(b"<html>")
    aligned_again(album, target)
    (album / "ann/2.png").unlink()
    assert aligned_again(album, target)[1]["failed"] == 0
    (album / "ann/1.png").rename(album / "ann/3.png")
    with pytest.raises(DataError, match=r"of other images: ann/1\.png is of ann/1\.png, which"):
        aligned_again(album, target)
    (target / "ann/1.png").unlink()
    assert aligned_again(album, target)[0] == 1


def test_a_target_of_an_earlier_version_goes_on(album, tmp_path):
    """It knew no states of images, but the version of the whole source."""
    target = tmp_path / "crops"
    aligned_again(album, target)
    (target / ".images.csv").unlink()
    settings = json.loads((target / "align.json").read_text())
    version = FolderSource(album).version
    (target / "align.json").write_text(json.dumps(settings | {"source": version}))
    assert aligned_again(album, target)[0] == 0
    (target / "align.json").write_text(json.dumps(settings | {"source": "another"}))
    with pytest.raises(DataError, match="of other images"):
        aligned_again(album, target)


def test_what_is_passed_over_is_counted_in_the_report(album, tmp_path):
    for name in ("ann/1.heic", "ann/2.heic", "bob/note.txt", "loose.png", "bob/more/1.png"):
        (album / name).parent.mkdir(exist_ok=True)
        (album / name).write_bytes(flat(1))
    for _ in range(2):
        assert aligned_again(album, tmp_path / "crops")[1]["found"] == 3
        report = rows(tmp_path / "crops")
        passed_over = {name: row["note"] for name, row in report.items() if row["status"] == "passed over"}
        assert passed_over == {
            ".heic files": "2 of them",
            ".txt files": "1 of them",
            "folders within those of identities": "1 of them",
            "images outside the folders of identities": "1 of them",
        }
        assert len(report) == 3 + 4


def test_a_crop_that_was_deleted_is_made_again(tmp_path):
    source = MemorySource({f"bob/{number}.png": photograph(1, number) for number in range(3)})
    align_faces(source, tmp_path, Corner(), CROP)
    before = crops(tmp_path)
    (tmp_path / "bob" / "2.png").unlink()
    detector = Corner()
    counts = align_faces(source, tmp_path, detector, CROP)
    assert detector.batches == [(1, 60, 60, 3)]
    assert (counts["found"], len(rows(tmp_path)), crops(tmp_path)) == (3, len(source), before)


def test_the_longest_names_are_kept_and_longer_ones_fail_alone(tmp_path):
    longest, longer = f"a/{'n' * 251}", f"b/{'n' * 252}"
    names = [f"{longest}.jpg", "a/1.png", longer, "b/1.png"]
    source = MemorySource({name: photograph(1) for name in names} | {f"{longer}m": photograph(0)})
    for _ in range(2):
        counts = align_faces(source, tmp_path, Corner(), CROP)
        assert (counts["found"], counts["failed"]) == (3, 2)
    assert set(crops(tmp_path)) == {f"{longest}.png", "a/1.png", "b/1.png"}
    for name in (longer, f"{longer}m"):
        row = rows(tmp_path)[name]
        assert (row["done"], row["file"]) == ("skipped", "")
        assert row["note"].endswith(f"/{name}.png: File name too long.")
    assert not list(tmp_path.rglob(".partial"))


def test_on_a_full_disk_it_says_so_and_goes_on_later(source, tmp_path, monkeypatch):
    monkeypatch.setattr("trsfnet.data.align.folder._BATCH", 1)
    align_faces(source, tmp_path / "whole", Corner(), CROP)
    target, detector = tmp_path / "crops", Corner()
    room = 10 + (tmp_path / "whole/report.csv").stat().st_size // 2
    with full_disk(room), pytest.raises(DataError, match=rf"^Cannot write to {target}: File too large\.$"):
        align_faces(source, target, detector, CROP)
    align_faces(source, target, detector, CROP)
    assert len(detector.batches) < 2 * len(source) - 2, "some were kept"
    assert crops(target) == crops(tmp_path / "whole")
    assert rows(target) == rows(tmp_path / "whole")


def test_a_name_that_is_not_utf8_goes_on_as_in_a_url(tmp_path):
    (tmp_path / "flat").mkdir()
    for name in ("1.png", os.fsdecode(b"caf\xe9.png")):
        (tmp_path / "flat" / name).write_bytes(photograph(1))
    assert align_faces(open_source(tmp_path / "flat"), tmp_path / "crops", Corner(), CROP)["found"] == 2
    assert set(crops(tmp_path / "crops")) == {"flat/1.png", "flat/caf%E9.png"}


def test_a_verification_set_is_told_that_it_has_no_people(tmp_path):
    (tmp_path / "a.bin").write_bytes(pickle.dumps(([photograph(1)] * 20, [True] * 10)))
    with pytest.raises(DataError, match=r"^a\.bin is a verification set, .*: use it as it is"):
        align_faces(open_source(tmp_path / "a.bin"), tmp_path / "crops", Corner(), CROP)
    assert not (tmp_path / "crops").exists()


def test_other_settings_or_another_folder_are_refused(source, tmp_path):
    align_faces(source, tmp_path / "crops", Corner(), CROP)
    for other in (MarginCrop(size=24, margin=6), WarpCrop(size=24)):
        with pytest.raises(DataError, match="with other settings"):
            align_faces(source, tmp_path / "crops", Corner(), other)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("")
    with pytest.raises(DataError, match="thesis is not empty"):
        align_faces(source, tmp_path / "thesis", Corner(), CROP)
    (tmp_path / "crops" / "report.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="is not the report of an alignment"):
        align_faces(source, tmp_path / "crops", Corner(), CROP)


def test_two_processes_do_not_write_to_one_target(source, tmp_path):
    with locked_folder(tmp_path), pytest.raises(DataError, match="Another process is writing to"):
        align_faces(source, tmp_path, Corner(), CROP)
    assert align_faces(source, tmp_path, Corner(), CROP)["found"] == 3


@pytest.mark.parametrize(
    "name", ["../1.png", "/etc/1.png", "a/b/1.png", ".a/1.png", "a/...png", "a\\b/1.png"]
)
def test_names_that_would_leave_the_target_are_refused(tmp_path, name):
    with pytest.raises(DataError, match="cannot name a file or folder"):
        align_faces(MemorySource({name: photograph(1)}), tmp_path / "crops", Corner(), CROP)
    assert not (tmp_path / "crops").exists()


def test_images_that_differ_only_in_their_suffix_keep_it(tmp_path):
    images = {"a/1.jpg": flat(101), "a/2.jpg": flat(102)}
    align_faces(MemorySource(images), tmp_path, Corner(), CROP)
    assert shades(tmp_path) == {"a/1.png": 101, "a/2.png": 102}
    images |= {"a/1.png": flat(103), "a/1.jpg.tif": flat(104), "b/1.png": flat(105)}
    expected = {"a/1.jpg.png": 101, "a/1.jpg.tif.png": 104, "a/1.png.png": 103, "a/2.png": 102}
    for _ in range(2):
        assert align_faces(MemorySource(images), tmp_path, Corner(), CROP)["found"] == 5
        assert shades(tmp_path) == expected | {"b/1.png": 105}
        assert {row["file"] for row in rows(tmp_path).values()} == {*expected, "b/1.png"}


def test_two_images_of_one_name_are_refused(tmp_path):
    class Alike(MemorySource):
        """Two folders of photographs of the same people."""

        def __init__(self) -> None:
            super().__init__({"x/1.png": photograph(1), "y/1.png": photograph(1)})
            self.identities = ("a", "a")

    with pytest.raises(DataError, match=r"'x/1\.png' and 'y/1\.png' would both become a/1\.png"):
        align_faces(Alike(), tmp_path, Corner(), CROP)


def test_settings_out_of_range_are_refused(source, tmp_path):
    with pytest.raises(ConfigError, match="size must be"):
        WarpCrop(size=2)
    with pytest.raises(ConfigError, match="margin must be from 0 to 159 pixels, got 160"):
        MarginCrop(size=160, margin=160)
    with pytest.raises(ConfigError, match="missing must be one of"):
        align_faces(source, tmp_path, Corner(), CROP, missing="cry")


@pytest.mark.parametrize(("size", "margin"), [(160, 32), (182, 44), (112, 0)])
def test_the_margin_crop_is_facenet_pytorchs(size, margin):
    image = pattern(0, 90, 120)
    rng = np.random.default_rng(0)
    for _ in range(30):
        corner, extent = rng.uniform(-10, 70, 2), rng.uniform(20, 60, 2)
        box = np.array([*corner, *(corner + extent)])
        theirs = extract_face(Image.fromarray(image), box, size, margin)
        ours = torch.from_numpy(margin_crop(image, box, size, margin).copy())
        torch.testing.assert_close(ours.permute(2, 0, 1).float(), theirs, rtol=0, atol=0)


def test_a_box_outside_of_the_image_is_refused():
    with pytest.raises(DataError, match="must overlap its image of 40 x 30 pixels"):
        margin_crop(np.zeros((30, 40, 3), dtype=np.uint8), [50, 0, 60, 10], 160, 32)


def by_facenet(img: np.ndarray, det: list[float], image_size: int, margin: int) -> np.ndarray:
    """The lines of facenet's `align_dataset_mtcnn.py`; SciPy's `imresize` was Pillow's `resize`."""
    img_size = np.asarray(img.shape)[0:2]
    bb = np.zeros(4, dtype=np.int32)
    bb[0] = np.maximum(det[0] - margin / 2, 0)
    bb[1] = np.maximum(det[1] - margin / 2, 0)
    bb[2] = np.minimum(det[2] + margin / 2, img_size[1])
    bb[3] = np.minimum(det[3] + margin / 2, img_size[0])
    cropped = img[bb[1] : bb[3], bb[0] : bb[2], :]
    return np.asarray(Image.fromarray(cropped).resize((image_size, image_size), Image.Resampling.BILINEAR))


@pytest.mark.parametrize(("size", "margin"), [(160, 32), (182, 44), (24, 0)])
@pytest.mark.parametrize("box", [[40.6, 30.2, 90.9, 99.7], [-3.5, 20, 30, 60.5], [70, 50, 131, 121]])
def test_the_facenet_crop_is_facenets_own(size, margin, box):
    image = np.random.default_rng(0).integers(0, 256, (120, 130, 3), dtype=np.uint8)
    face_found = Face(np.array(box), np.zeros((5, 2)), 1.0)
    ours = FacenetCrop(size=size, margin=margin)(image, face_found)
    np.testing.assert_array_equal(ours, by_facenet(image, box, size, margin))


def test_the_central_crop_is_of_the_middle_and_black_beyond_the_image():
    image = np.full((20, 40, 3), 200, dtype=np.uint8)
    image[:, :8] = image[:, -8:] = 0
    assert central_crop(image, 16).min() == 200
    wide = central_crop(image, 32, 32)
    assert (wide[:6] == 0).all()
    assert (wide[6:26, 4:28] == 200).all()


def test_facenets_rule_weighs_size_against_distance_from_the_middle():
    middle, large, small = face(30, 30, 40), face(0, 0, 50), face(40, 40, 20)
    assert choose([small, large, middle], 100, 100) is middle  # 2500 - 2 * 1250 < 1600
    assert choose([small, large], 100, 100) is small  # 400 > 0
    assert choose([face(0, 0, 50), face(20, 25, 48)], 100, 100).box[0] == 20
    # In a wide image the middle is elsewhere.
    assert choose([middle, face(80, 30, 40)], 100, 200).box[0] == 80


@pytest.fixture(scope="module")
def mtcnn() -> Mtcnn:
    return Mtcnn()


def test_mtcnn_finds_rendered_faces(mtcnn, tmp_path):
    people = torch.arange(12)
    images = render_faces(people, torch.zeros_like(people), size=160).images.numpy()
    source = MemorySource({f"p{i}/1.png": encoded(image) for i, image in enumerate(images)})
    counts = align_faces(source, tmp_path, mtcnn, MarginCrop(size=96, margin=20))
    assert counts["found"] + counts["chosen"] >= 11
    for row in rows(tmp_path).values():
        if row["done"] == "face":
            value = {name: float(row[name]) for name in COLUMNS[COLUMNS.index("probability") : -1]}
            assert value["probability"] > 0.7
            assert value["left"] < value["left_eye_x"] < value["right_eye_x"] < value["right"]
            assert value["top"] < value["left_eye_y"] < value["mouth_left_y"] < value["bottom"]
            assert abs(value["left"] + value["right"] - 160) < 60


def test_mtcnn_finds_each_image_of_a_batch_as_if_alone_and_nothing_in_none(mtcnn):
    people = torch.arange(3)
    images = render_faces(people, people, size=160).images.numpy()
    batch = np.stack([images[0], np.zeros_like(images[0]), images[1], images[2]])
    together = mtcnn(batch)
    assert together[1] == []
    for image, faces in zip(batch, together, strict=True):
        (alone,) = mtcnn(image[None])
        assert len(alone) == len(faces)
        for one, other in zip(alone, faces, strict=True):
            np.testing.assert_allclose(one.box, other.box, atol=0.05)
            np.testing.assert_allclose(one.points, other.points, atol=0.05)
    assert mtcnn(batch[:, :19, :19]) == [[]] * 4
