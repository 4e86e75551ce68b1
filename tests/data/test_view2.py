"""LFW's pairs among aligned images: found by folder and name, and never the wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.memory import MemorySource, encoded, pattern
from tests.data.test_folder import write
from trsfnet.data.folder import FolderSource
from trsfnet.data.pack import write_pack
from trsfnet.data.view2 import find_pairs, view2_pairs
from trsfnet.errors import DataError


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "pairs.txt").write_text("1\nBo_Li\t1\t2\nAnn_Oak\t1\tBo_Li\t2\n")
    return write(tmp_path / "faces", "Ann_Oak/Ann_Oak_0001.png", *(f"Bo_Li/Bo_Li_000{n}.jpg" for n in (1, 2)))


def test_images_are_found_by_folder_and_name(root):
    pairs = view2_pairs(FolderSource(root), find_pairs(root))
    assert (pairs.left.tolist(), pairs.right.tolist(), pairs.same.tolist()) == ([1, 0], [2, 2], [True, False])
    (root / "Ann_Oak").rename(root / "Zoe_Ash")
    with pytest.raises(DataError, match=r"pairs\.txt, line 3: image 1 of Ann_Oak is not among the images"):
        view2_pairs(FolderSource(root), find_pairs(root))


def test_two_images_for_one_name_are_refused(root):
    write(root, "Bo_Li/Bo_Li_0001.png")
    with pytest.raises(
        DataError, match=r"0001\.jpg and Bo_Li/Bo_Li_0001\.png would be the same image of LFW"
    ):
        view2_pairs(FolderSource(root), find_pairs(root))


def test_a_pack_which_keeps_no_names_is_refused(root, tmp_path):
    faces = MemorySource({name: encoded(pattern(0)) for name in ("Ann_Oak/1.png", "Bo_Li/1.png")})
    with pytest.raises(DataError, match=r"pairs\.txt are found by the names .* use the folder of images"):
        view2_pairs(write_pack(faces, tmp_path / "pack", size=32), find_pairs(root))


def test_the_file_of_pairs_lies_in_or_beside_the_images(root):
    beside = root.parent / "pairs.txt"
    assert find_pairs(root) == beside
    for place in (root.parent / "lfw" / "pairs.txt", root / "pairs.txt"):
        place.parent.mkdir(exist_ok=True)
        beside = beside.rename(place)
        assert find_pairs(root) == place
    beside.unlink()
    with pytest.raises(DataError, match=r"LFW's pairs are needed: expected .*faces/pairs\.txt"):
        find_pairs(root)
