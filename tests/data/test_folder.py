"""Folders of identities: what counts as an image, what is refused or left out, when a scan is repeated."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from trsfnet.data.folder import FolderSource, PersonMeta, read_identity_meta
from trsfnet.data.folder_index import counts_by_kind
from trsfnet.data.sources import open_source
from trsfnet.errors import ConfigError, DataError


def jpeg(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (8, 8), shade).save(buffer, "JPEG")
    return buffer.getvalue()


def write(root: Path, *names: str) -> Path:
    """Files of different content and size under `root`, in folders last changed an hour ago."""
    for i, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(jpeg(10 * i) + bytes(i))
    age(root)
    return root


def age(root: Path) -> None:
    then = root.stat().st_mtime_ns - 3600 * 10**9
    for folder in root.iterdir():
        if folder.is_dir() and not folder.is_symlink():
            os.utime(folder, ns=(then, then))


@pytest.fixture
def root(tmp_path) -> Path:
    return write(tmp_path / "faces", "bo/2.jpg", "bo/10.JPG", "ann/b.png", "ann/a.jpeg", "Bo/1.webp")


def content(source: FolderSource) -> dict[str, bytes]:
    return {source.name(i): source.encoded(i) for i in range(len(source))}


def test_images_are_sorted_by_identity_and_name(root):
    source = FolderSource(root)
    assert source.identities == ("Bo", "ann", "bo"), "identities that differ by case alone are two"
    assert list(content(source)) == ["Bo/1.webp", "ann/a.jpeg", "ann/b.png", "bo/10.JPG", "bo/2.jpg"]
    assert source.labels.tolist() == [0, 1, 1, 2, 2]
    assert content(source) == {name: (root / name).read_bytes() for name in content(source)}
    assert source.image(0).shape == (8, 8, 3)
    assert (source.passed_over, source.left_out) == ({}, {})
    assert content(pickle.loads(pickle.dumps(source))) == content(source)


def test_what_is_no_image_is_ignored_and_counted(root):
    write(root, "bo/.hidden.jpg", "bo/Thumbs.db", "bo/more/1.jpg", ".trash/1.jpg", "README.txt")
    source = FolderSource(root)
    assert len(source) == 5
    assert sum(source.passed_over.values()) == 5


@pytest.mark.parametrize("suffix", ["gif", "avif", "jp2", "ppm", "pgm", "jfif", "jpe", "tif", "JPG"])
def test_what_the_decoder_reads_is_taken(tmp_path, suffix):
    write(tmp_path / "faces", f"bo/1.{suffix}")
    assert FolderSource(tmp_path / "faces").name(0) == f"bo/1.{suffix}"


def test_what_is_passed_over_is_counted_by_kind(root, capfd):
    write(root, "bo/1.heic", "ann/2.HEIC", "bo/more/1.jpg", "loose.jpg", "report.csv", "bo/Thumbs.db")
    expected = ".db files (1), .heic files (2), folders within those of identities (1)"
    source = open_source(root)
    assert counts_by_kind(source.passed_over) == f"{expected}, images outside the folders of identities (1)"
    assert f"trsfnet: passed over in {root}: {expected}, " in capfd.readouterr().err
    open_source(root)
    assert capfd.readouterr().err == "", "once is enough"


def test_an_identity_of_which_all_is_passed_over_says_of_what(root):
    write(root, "dan/1.heic", "dan/2.heic")
    with pytest.raises(DataError, match=r"Identity dan has no images in .*dan, only \.heic files \(2\)\.$"):
        FolderSource(root)


@pytest.mark.parametrize("skip", [True, False])
def test_an_image_replaced_in_place_is_another_version(root, skip):
    before = FolderSource(root, skip=skip).version
    (root / "bo/2.jpg").write_bytes(b"another size")
    age(root)
    assert FolderSource(root, skip=skip).version != before


def test_what_was_left_out_and_is_mended_is_taken(root):
    empty_file(root)
    age(root)
    assert len(FolderSource(root, skip=True)) == 5
    (root / "bo/0.jpg").write_bytes(jpeg(5))
    age(root)
    assert len(FolderSource(root, skip=True)) == 6


def test_the_second_start_looks_at_no_identitys_folder(root, monkeypatch):
    first = FolderSource(root)
    looked = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looked.append(Path(path)) or scandir(path))
    second = FolderSource(root)
    assert looked == [root]
    assert content(second) == content(first)
    assert (second.identities, second.version) == (first.identities, first.version)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: write(root, "bo/3.jpg"),
        lambda root: write(root, "zoe/1.jpg"),
        lambda root: (root / "bo/2.jpg").unlink(),
        lambda root: (root / "bo/2.jpg").rename(root / "bo/0.jpg"),
        lambda root: (root / "bo").rename(root / "bob"),
        lambda root: [file.unlink() for file in (root / "Bo").iterdir()] + [(root / "Bo").rmdir()],
    ],
)
def test_a_changed_folder_is_scanned_again(root, change):
    before = FolderSource(root)
    change(root)
    os.utime(root / "ann")  # as any change of an entry does to its folder
    source = FolderSource(root)
    assert sorted(content(source)) == sorted(f"{f.parent.name}/{f.name}" for f in root.glob("*/*"))
    assert source.version != before.version


def test_a_change_within_the_clocks_tick_is_not_missed(root):
    stamp = (root / "bo").stat().st_mtime_ns + 3600 * 10**9
    for name in ("3.jpg", "4.jpg"):
        write(root, f"bo/{name}")
        os.utime(root / "bo", ns=(stamp, stamp))
        assert f"bo/{name}" in content(FolderSource(root))


def test_the_version_is_the_same_elsewhere_and_follows_the_sizes(root, tmp_path):
    names = ["bo/2.jpg", "bo/10.JPG", "ann/b.png", "ann/a.jpeg", "Bo/1.webp"]
    elsewhere = write(tmp_path / "copy", *names)
    assert FolderSource(elsewhere).version == FolderSource(root).version
    other = write(tmp_path / "other", *names)
    (other / "bo/2.jpg").write_bytes(b"another size")
    assert FolderSource(other).version != FolderSource(root).version


def test_a_damaged_index_is_made_anew(root):
    want = content(FolderSource(root))
    cache = Path(os.environ["TRSFNET_CACHE"])
    newest = max(cache.glob("folder-*.parquet"), key=lambda path: path.stat().st_mtime_ns)
    for damaged in (b"", newest.read_bytes()[:100], b"x" * 300):
        newest.write_bytes(damaged)
        assert content(FolderSource(root)) == want


def test_a_cache_that_cannot_be_written_costs_only_time(root, monkeypatch):
    monkeypatch.setenv("TRSFNET_CACHE", "/dev/null")
    assert content(FolderSource(root)) == content(FolderSource(root))


def bad_name(root: Path) -> None:
    write(root, "bo/line\nbreak.jpg")


def bad_bytes(root: Path) -> None:
    (root / os.fsdecode(b"\xff\xfe")).mkdir()
    (root / os.fsdecode(b"\xff\xfe/1.jpg")).write_bytes(jpeg(1))


def empty_file(root: Path) -> None:
    (root / "bo/0.jpg").touch()


def no_images(root: Path) -> None:
    write(root, "dan/notes.txt")


def link_out(root: Path) -> None:
    (root.parent / "secret.jpg").write_bytes(jpeg(1))
    (root / "bo/0.jpg").symlink_to(root.parent / "secret.jpg")


def folder_link_out(root: Path) -> None:
    write(root.parent / "elsewhere", "eve/1.jpg")
    (root / "eve").symlink_to(root.parent / "elsewhere" / "eve")


def broken_link(root: Path) -> None:
    (root / "bo/0.jpg").symlink_to("nowhere.jpg")


def circular_link(root: Path) -> None:
    (root / "bo/0.jpg").symlink_to("0.jpg")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (bad_name, r"The name of '.*bo/line\\nbreak\.jpg' has a line break"),
        (bad_bytes, r"The name of '.*\\udcff\\udcfe' .* is not UTF-8"),
        (empty_file, r"bo/0\.jpg is empty: expected an image"),
        (no_images, r"Identity dan has no images in .*faces/dan"),
        (link_out, r"bo/0\.jpg is a link out of the folder, to .*secret\.jpg"),
        (folder_link_out, r"faces/eve is a link out of the folder, to .*elsewhere/eve"),
        (broken_link, r"bo/0\.jpg is a link to nothing"),
        (circular_link, r"bo/0\.jpg is a link to nothing"),
    ],
)
def test_what_is_no_good_is_refused_or_left_out(root, spoil, says):
    spoil(root)
    with pytest.raises(DataError, match=rf"{says}.*\.$"):
        FolderSource(root)
    source = FolderSource(root, skip=True)
    assert len(source) == 5
    assert len(source.identities) == 3
    (sentence,) = source.left_out.values()
    assert "\n" not in sentence
    assert FolderSource(root, skip=True).left_out == source.left_out


def test_sound_names_are_sound_whatever_the_locale(tmp_path):
    """Python may take the file system for ASCII; the names on it are UTF-8 nonetheless."""
    write(tmp_path / "faces", "josé/é.jpg", "bo/1.jpg")
    code = (
        "import sys; from pathlib import Path; from trsfnet.data.sources import open_source\n"
        "s = open_source(Path(sys.argv[1])); s.encoded(1)\n"
        "print([s.name(i).encode() for i in range(len(s))], s.version)"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "faces")]
    plain = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run(words, env=plain, capture_output=True, text=True, check=False)
    source = FolderSource(tmp_path / "faces")
    names = [source.name(i).encode() for i in range(len(source))]
    assert done.stdout == f"{names} {source.version}\n", done.stderr


def test_several_findings_are_counted(root):
    empty_file(root)
    no_images(root)
    with pytest.raises(DataError, match=r"the first of 2 such findings"):
        FolderSource(root)


def test_a_file_mended_in_place_is_read(root):
    empty_file(root)
    age(root)
    with pytest.raises(DataError):
        FolderSource(root)
    (root / "bo/0.jpg").write_bytes(jpeg(5))
    assert content(FolderSource(root))["bo/0.jpg"] == jpeg(5)


def test_links_within_the_folder_are_followed(root):
    (root / "bo/0.jpg").symlink_to(root / "ann/a.jpeg")
    linked = root.parent / "linked"
    linked.symlink_to(root)
    for start in (root, linked):
        assert content(FolderSource(start))["bo/0.jpg"] == (root / "ann/a.jpeg").read_bytes()


def test_no_folder_and_no_identities(tmp_path, root):
    with pytest.raises(DataError, match=r"There is no folder .*none"):
        FolderSource(tmp_path / "none")
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose/1.jpg").write_bytes(jpeg(1))
    with pytest.raises(DataError, match=r"loose holds no identities"):
        FolderSource(tmp_path / "loose")
    write(tmp_path / "texts", "bo/1.txt")
    with pytest.raises(DataError, match=r"texts holds no identities .*: Identity bo has no images in"):
        FolderSource(tmp_path / "texts", skip=True)


def test_where_all_is_left_out_the_first_reason_is_given(tmp_path):
    elsewhere = write(tmp_path / "elsewhere", "ann/1.jpg", "bo/1.jpg")
    (tmp_path / "links").mkdir()
    for name in ("ann", "bo"):
        (tmp_path / "links" / name).symlink_to(elsewhere / name)
    (tmp_path / "empty/bo").mkdir(parents=True)
    (tmp_path / "empty/bo/1.jpg").touch()
    for folder, says in (
        ("links", r"links/(ann|bo) is a link out of the folder, to .* \(the first of 2 such findings\)"),
        ("empty", r"empty/bo/1\.jpg is empty: expected an image"),
    ):
        for skip in (True, False):
            with pytest.raises(DataError, match=rf"{folder} holds no identities that can be used: .*{says}"):
                FolderSource(tmp_path / folder, skip=skip)


def test_an_image_that_vanished_is_named(root):
    source = FolderSource(root)
    (root / "bo/2.jpg").unlink()
    with pytest.raises(DataError, match=r"Cannot read .*bo/2\.jpg"):
        source.encoded(4)


META = """Class_ID, Name, Sample_Num, Flag, Gender
n000001, "14th_Dalai_Lama", 424, 0, m
n000002, "A, the_First",315,1, f,
"""


@pytest.fixture
def vggface2(tmp_path) -> Path:
    return write(tmp_path / "vggface2", "train/n000002/1_01.jpg", "test/n000001/1_01.jpg")


def test_the_parts_of_vggface2(vggface2):
    assert FolderSource(vggface2, part="train").identities == ("n000002",)
    assert FolderSource(vggface2, part="test").identities == ("n000001",)
    assert FolderSource(vggface2 / "test").identities == ("n000001",)
    with pytest.raises(ConfigError, match=r"parts: give .*vggface2/train or .*vggface2/test\.$"):
        FolderSource(vggface2)
    with pytest.raises(ConfigError, match="part must be one of 'train', 'test', got 'val'"):
        FolderSource(vggface2, part="val")


def test_a_person_may_be_called_like_a_part_of_vggface2(root):
    write(root, "test/1.jpg", "train/1.jpg", "train/.hidden/1.jpg")
    assert FolderSource(root).identities == ("Bo", "ann", "bo", "test", "train")


@pytest.mark.parametrize("place", ["", "meta", "train", "../meta"])
def test_names_come_from_the_meta_file(vggface2, place):
    assert FolderSource(vggface2, part="train").people == {}
    write(vggface2 / place, "identity_meta.csv")
    (vggface2 / place / "identity_meta.csv").write_text(META)
    source = FolderSource(vggface2, part="train")
    assert source.people["n000002"] == PersonMeta("A, the_First", 315, "train", "f")
    assert source.people["n000001"] == PersonMeta("14th_Dalai_Lama", 424, "test", "m")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (META.replace(" Gender", " Sex"), r"has no column Gender: its first line is 'Class_ID,Name,"),
        ("", "has no column Class_ID"),
        (META.replace("424", "many"), r"line 2: expected .* got 'n000001,14th_Dalai_Lama,many"),
        (META.replace("1, f,", "2, f,"), "line 3: expected"),
        (META.replace("1, f,", "1, f, x"), "line 3: expected"),
        (META + "n000003, Bo\n", "line 4: expected"),
        (META + 'n000001, "Bo", 1, 1, m\n', "line 4: 'n000001' is listed a second time"),
        (META + 'n000003, "Bo, 1, 1, m\n', "is not a table in UTF-8"),
    ],
)
def test_a_malformed_meta_file_is_told(tmp_path, text, says):
    path = tmp_path / "identity_meta.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"identity_meta\.csv.*{says}"):
        read_identity_meta(path)
    path.write_bytes(b"\xff\xfe" + text.encode())
    with pytest.raises(DataError, match=r"identity_meta\.csv is not a table in UTF-8"):
        read_identity_meta(path)
