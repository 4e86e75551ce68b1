"""IJB's meta files and images: read as they are, or refused by file and line."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.ijb_set import Shape, write_set
from trsfnet.data.ijb import IjbImages
from trsfnet.data.ijb_meta import read_pairs, read_searches, read_templates
from trsfnet.data.warp import TEMPLATE
from trsfnet.errors import ConfigError, DataError

FACES = "meta/ijbb_name_5pts_score.txt"
OWNERS = "meta/ijbb_face_tid_mid.txt"
PAIRS = "meta/ijbb_template_pair_label.txt"
GALLERY, OTHER_GALLERY = "meta/ijbb_1N_gallery_S1.csv", "meta/ijbb_1N_gallery_S2.csv"
PROBES = "meta/ijbb_1N_probe_mixed.csv"


def landmarks(x: float) -> str:
    return " ".join(f"{a} {b}" for a, b in TEMPLATE + np.array([x, 0]))


def files() -> dict[str, str]:
    """Four images of three templates; one of them has two media."""
    return {
        OWNERS: "a.jpg 40 7\nb.jpg 3 7\nsub/c.jpg 40 7\nd.jpg 21 9\n",
        FACES: "".join(
            f"{name} {landmarks(i)} 0.{i + 1}\n"
            for i, name in enumerate(["a.jpg", "b.jpg", "sub/c.jpg", "d.jpg"])
        ),
        PAIRS: "40 3 1\n3 21 0\n",
        GALLERY: 'TEMPLATE_ID,SUBJECT_ID,FILENAME\n40,100,"img/a,1.png"\n40,100,img/2.png\n',
        OTHER_GALLERY: "TEMPLATE_ID,SUBJECT_ID,FILENAME\n3,200,img/3.png\n",
        PROBES: "TEMPLATE_ID,SUBJECT_ID,FILENAME\n21,100,x\n3,200,y\n",
    }


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "meta").mkdir()
    for name, text in files().items():
        (tmp_path / name).write_text(text)
    return tmp_path


def read_all(root: Path) -> None:
    templates = read_templates(root, "ijbb")
    read_pairs(root, "ijbb", templates)
    read_searches(root, "ijbb", templates)


def test_meta_files_are_read_as_they_are(root):
    templates = read_templates(root, "ijbb")
    assert templates.names == ["a.jpg", "b.jpg", "sub/c.jpg", "d.jpg"]
    assert templates.ids.tolist() == [3, 21, 40]
    assert templates.rows.tolist() == [2, 0, 2, 1]
    assert templates.media.tolist() == [7, 7, 7, 9]
    np.testing.assert_allclose(templates.detector_scores, [0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(templates.landmarks[2], TEMPLATE + np.array([2, 0]), rtol=1e-6)

    pairs = read_pairs(root, "ijbb", templates)
    assert (pairs.left.tolist(), pairs.right.tolist(), pairs.same.tolist()) == ([2, 0], [0, 1], [True, False])

    searches = read_searches(root, "ijbb", templates)
    first, second = searches.galleries
    assert (first.rows.tolist(), first.subjects.tolist()) == ([2], [100])
    assert (second.rows.tolist(), second.subjects.tolist()) == ([0], [200])
    assert (searches.probes.rows.tolist(), searches.probes.subjects.tolist()) == ([0, 1], [200, 100])


def test_windows_line_ends_change_nothing(root):
    for name, text in files().items():
        (root / name).write_bytes(text.replace("\n", "\r\n").encode())
    read_all(root)
    assert read_templates(root, "ijbb").rows.tolist() == [2, 0, 2, 1]


@pytest.mark.parametrize("dataset", ["ijbb", "ijbc"])
def test_a_generated_set_has_the_shape_asked_for(tmp_path, dataset):
    shape = Shape(images=60, subjects=7, probes=20, impostor_pairs=100, dimensions=8)
    features = write_set(tmp_path, dataset, shape)
    templates = read_templates(tmp_path, dataset)
    pairs = read_pairs(tmp_path, dataset, templates)
    searches = read_searches(tmp_path, dataset, templates)
    assert features.shape == (60, 8)
    assert len(templates.ids) == 27
    assert pairs.same.sum() == 20
    assert len({*zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)}) == len(pairs.same) == 120
    subject = {
        int(row): int(person)
        for people in (*searches.galleries, searches.probes)
        for row, person in zip(people.rows, people.subjects, strict=True)
    }
    same = [subject[a] == subject[b] for a, b in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)]
    assert same == pairs.same.tolist()


@pytest.mark.parametrize(
    ("name", "line", "replacement", "says"),
    [
        (OWNERS, 2, "b.jpg 3", "expected name, template, medium .*Expected 3 columns, got 2"),
        (OWNERS, 2, "b.jpg 3 7 1", "got 4"),
        (OWNERS, 2, "b.jpg three 7", "invalid value 'three'"),
        (OWNERS, 3, "", "invalid value ''"),
        (OWNERS, 2, "b.jpg -3 7", "a template id below 10000000, got '-3'"),
        (OWNERS, 2, "b.jpg 2000000000 7", "a template id below 10000000"),
        (OWNERS, 2, "e.jpg 3 7", "the image that this line of ijbb_name_5pts_score.txt names, got 'e.jpg'"),
        (FACES, 3, "sub/c.jpg 1 2 3", "Expected 12 columns, got 4"),
        (FACES, 4, f"d.jpg {landmarks(0)} high", "invalid value 'high'"),
        (FACES, 4, f"d.jpg {landmarks(0)} nan", "finite landmarks and score, got 'd.jpg'"),
        (FACES, 1, f"../../x.jpg {landmarks(0)} 1", "a name inside loose_crop, got '../../x.jpg'"),
        (FACES, 1, f"/etc/x.jpg {landmarks(0)} 1", "a name inside loose_crop"),
        (FACES, 1, f"sub/../../x.jpg {landmarks(0)} 1", "a name inside loose_crop"),
        (FACES, 1, f"..\\x.jpg {landmarks(0)} 1", "a name inside loose_crop"),
        (FACES, 2, f"a.jpg {landmarks(0)} 1", "a name that no line above has, got 'a.jpg'"),
        (PAIRS, 2, "3 22 0", "a template that has images, got '22'"),
        (PAIRS, 2, "-1 21 0", "a template that has images, got '-1'"),
        (PAIRS, 2, "3 2000000000 0", "a template that has images, got '2000000000'"),
        (PAIRS, 1, "40 3 2", "a label of 0 or 1, got '2'"),
        (PAIRS, 1, "40,3,1", "Expected 3 columns, got 1"),
        (PAIRS, 2, "3 99999999999 0", "invalid value '99999999999'"),
        (GALLERY, 1, "40,100,img/1.png", "expected TEMPLATE_ID,SUBJECT_ID"),
        (GALLERY, 3, "40,101,img/2.png", "a template of one subject alone, got '40'"),
        (GALLERY, 3, "41,101,img/2.png", "a template that has images, got '41'"),
        (PROBES, 2, "21", "Expected 3 columns, got 1"),
        (PROBES, 3, "3,who,y", "invalid value 'who'"),
    ],
)
def test_a_bad_line_is_named(root, name, line, replacement, says):
    lines = files()[name].split("\n")
    lines[line - 1] = replacement
    (root / name).write_text("\n".join(lines))
    with pytest.raises(DataError, match=rf"{Path(name).name}, line {line}: .*{says}"):
        read_all(root)


def test_a_bad_line_far_down_is_named(root):
    """Large files are read in pieces by several threads."""
    (root / PAIRS).write_text("40 3 1\n" * 600_000 + "40 3\n" + "40 3 1\n" * 1000)
    with pytest.raises(DataError, match=r"line 600001: .*got 2"):
        read_all(root)


@pytest.mark.parametrize("name", list(files()))
@pytest.mark.parametrize("content", [None, b"", b"\xff\xd8\xff\xe0 \n \x00"])
def test_missing_empty_and_binary_files_are_named(root, name, content):
    (root / name).unlink()
    if content is not None:
        (root / name).write_bytes(content)
    with pytest.raises(DataError, match=Path(name).name):
        read_all(root)


def test_files_of_different_images_are_refused(root):
    (root / OWNERS).write_text("a.jpg 40 7\nb.jpg 3 7\n")
    with pytest.raises(DataError, match=r"has 2 lines and ijbb_name_5pts_score\.txt has 4"):
        read_templates(root, "ijbb")


def test_a_person_enrolled_twice_is_refused(root):
    (root / OTHER_GALLERY).write_text("TEMPLATE_ID,SUBJECT_ID\n3,100\n")
    with pytest.raises(
        DataError, match=r"Subject 100 is enrolled in .*S1\.csv and in ijbb_1N_gallery_S2\.csv"
    ):
        read_all(root)
    (root / OTHER_GALLERY).write_text("TEMPLATE_ID,SUBJECT_ID\n3,200\n21,200\n")
    with pytest.raises(DataError, match=r"S2\.csv enrols subject 200 with more than one template"):
        read_all(root)


def test_another_dataset_is_refused(root):
    with pytest.raises(ConfigError, match="'ijba'"):
        read_templates(root, "ijba")


def png(seed: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (112, 140, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def images(root) -> IjbImages:
    (root / "loose_crop" / "sub").mkdir(parents=True)
    for seed, name in enumerate(["a.jpg", "b.jpg", "sub/c.jpg", "d.jpg"]):
        (root / "loose_crop" / name).write_bytes(png(seed))
    return IjbImages(root, "ijbb")


def test_images_come_with_their_templates(images):
    assert len(images) == 4
    assert [images.identities[label] for label in images.labels] == ["40", "3", "40", "21"]
    assert images.name(2) == "sub/c.jpg"
    assert images.encoded(2) == png(2)


def test_a_face_is_moved_to_the_template(images):
    """The landmarks of image i are i pixels to the right of the template."""
    for index in range(4):
        difference = images.warped(index).astype(int) - images.image(index)[:, index : index + 112]
        assert np.abs(difference).max() <= 1
    assert images.warped(0, 56).shape == (56, 56, 3)


def test_the_version_follows_the_images(images, root):
    before = images.version
    assert IjbImages(root, "ijbb").version == before
    (root / "loose_crop" / "d.jpg").write_bytes(png(9) + b" ")
    assert IjbImages(root, "ijbb").version != before


def test_what_is_wrong_with_an_image_is_said_by_name(images, root):
    (root / "loose_crop" / "d.jpg").unlink()
    with pytest.raises(DataError, match=r"d\.jpg of .*loose_crop cannot be read: No such file"):
        images.image(3)
    with pytest.raises(DataError, match=r"d\.jpg of"):
        _ = images.version
    versions = [IjbImages(root, "ijbb", skip=True).version]
    (root / "loose_crop" / "d.jpg").touch()
    versions += [IjbImages(root, "ijbb", skip=skip).version for skip in (True, False)]
    assert versions[0] != versions[1] == versions[2]
    images.templates.landmarks[0] = 5
    with pytest.raises(DataError, match=r"^a\.jpg: Landmarks must be arranged"):
        images.warped(0)
