"""A source's version: the same for the same images anywhere, another one for other images."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.data.memory import MemorySource, encoded, pattern
from tests.data.test_ijb import files
from tests.data.verification_files import write_verification_bin
from trsfnet.data.faces import Pairs
from trsfnet.data.pack import write_pack
from trsfnet.data.recordio import write_records
from trsfnet.data.sources import open_source


def faces(shade: int) -> MemorySource:
    """Two images each of ten people."""
    names = [f"person{i // 2}/person{i // 2}_000{i % 2 + 1}.png" for i in range(20)]
    return MemorySource({name: encoded(pattern(i + shade, 16 + shade)) for i, name in enumerate(names)})


def write_folder(root: Path, source: MemorySource) -> Path:
    for index in range(len(source)):
        path = root / source.name(index)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.encoded(index))
    return root


def folder(root: Path, shade: int) -> Path:
    return write_folder(root / "faces", faces(shade))


def records(root: Path, shade: int) -> Path:
    write_records(faces(shade), root / "records")
    return root / "records"


def pack(root: Path, shade: int) -> Path:
    write_pack(faces(shade), root / "pack", size=16)
    return root / "pack"


def verification(root: Path, shade: int) -> Path:
    numbers = np.arange(10)
    pairs = Pairs(numbers, numbers + 10, numbers % 2 == 0, numbers)
    write_verification_bin(root / "lfw.bin", faces(shade), pairs)
    return root / "lfw.bin"


def ijb(root: Path, shade: int) -> Path:
    for name, text in files().items():
        (root / "ijb" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "ijb" / name).write_text(text)
    names = ["a.jpg", "b.jpg", "sub/c.jpg", "d.jpg"]
    images = (encoded(pattern(i, 16 + shade)) for i in range(4))
    write_folder(root / "ijb" / "loose_crop", MemorySource(dict(zip(names, images, strict=True))))
    return root / "ijb"


@pytest.mark.parametrize("make", [folder, records, pack, verification, ijb])
def test_it_is_the_same_elsewhere_and_later_and_follows_the_images(make, tmp_path):
    for name in ("here", "other"):
        (tmp_path / name).mkdir()
    path = make(tmp_path / "here", 0)
    version = open_source(path).version
    shutil.copytree(tmp_path / "here", tmp_path / "there", copy_function=shutil.copyfile)
    for file in (tmp_path / "there").rglob("*"):
        os.utime(file, (1e9, 1e9))
    assert open_source(tmp_path / "there" / path.name).version == version
    assert open_source(make(tmp_path / "other", 1)).version != version
