"""Images without subfolders for identities: a list of files, or a folder of them."""

from __future__ import annotations

import os

import pytest

from tests.data.test_folder import write
from trsfnet.data.image_list import ImageList
from trsfnet.data.sources import open_source
from trsfnet.errors import DataError


def test_a_list_keeps_its_order_and_is_found_from_anywhere(tmp_path, monkeypatch):
    root = write(tmp_path / "faces", "bo/1.jpg", "ann/0.jpg", "ann/2.jpg")
    absolute = root / "ann/2.jpg"
    (root / "list.txt").write_text(f"bo/1.jpg\n\n  ann/0.jpg\n{absolute}\n")
    monkeypatch.chdir(tmp_path)
    source = open_source(root / "list.txt")
    assert type(source) is ImageList
    assert [source.name(i) for i in range(3)] == ["bo/1.jpg", "ann/0.jpg", str(absolute)]
    assert source.encoded(1) == (root / "ann/0.jpg").read_bytes()
    assert [source.identities[label] for label in source.labels] == ["bo", "ann", "ann"]


def test_a_folder_of_images(tmp_path):
    root = write(tmp_path / "album", "b.jpg", "a.PNG", ".hidden.jpg", "notes.md")
    source = open_source(root)
    assert [source.name(i) for i in range(len(source))] == ["a.PNG", "b.jpg"]
    assert source.identities == ("album",)
    (root / "person").mkdir()
    with pytest.raises(DataError, match="person"):
        open_source(root)


def test_links_out_of_a_folder_are_refused_as_elsewhere(tmp_path):
    root = write(tmp_path / "album", "a.jpg", "b.jpg")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (root / "c.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "d.jpg").symlink_to("a.jpg")
    with pytest.raises(DataError, match=r"album/c\.jpg is a link out of the folder, to "):
        open_source(root)
    source = open_source(root, skip=True)
    assert [source.name(i) for i in range(len(source))] == ["a.jpg", "b.jpg", "d.jpg"]
    assert list(source.left_out) == ["c.jpg"]


def test_what_is_passed_over_is_counted(tmp_path):
    source = open_source(write(tmp_path / "album", "a.jpg", "b.heic", "c.heic", ".d.jpg", "notes.md"))
    assert source.passed_over == {".heic files": 2, ".md files": 1, "hidden files": 1}


def test_names_that_are_not_utf8_are_as_in_a_url(tmp_path):
    folder, name = os.fsdecode(b"no\xebl"), os.fsdecode(b"caf\xe9.jpg")
    root = write(tmp_path / folder, "a.jpg", name)
    source = open_source(root)
    assert [source.name(i) for i in range(len(source))] == ["a.jpg", "caf%E9.jpg"]
    assert source.identities == ("no%EBl",)
    assert source.encoded(1) == (root / name).read_bytes()
    assert source.version == open_source(root).version
    (root / name).unlink()
    with pytest.raises(DataError, match=r"no%EBl/caf%E9\.jpg: No such file"):
        source.encoded(1)


def test_the_version_is_that_of_the_images(tmp_path):
    one, two = (write(tmp_path / name / "album", "a.jpg", "b.jpg") for name in ("here", "there"))
    assert open_source(one).version == open_source(two).version
    (two / "b.jpg").write_bytes(b"another")
    assert open_source(one).version != open_source(two).version


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "lists nothing"),
        (b"a.jpg\nb.jpg\na.jpg\n", "line 3: 'a.jpg' is already on line 1"),
        (b"a\0.jpg", "line 1: expected the path of an image"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_a_list_that_is_none(tmp_path, content, says):
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(DataError, match=says):
        open_source(tmp_path / "list.txt")


def test_a_file_that_is_gone_is_named_when_it_is_read(tmp_path):
    (tmp_path / "list.txt").write_text("a.jpg\n")
    with pytest.raises(DataError, match=r"Cannot read .*a\.jpg: No such file"):
        open_source(tmp_path / "list.txt").encoded(0)
