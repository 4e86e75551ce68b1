"""Open the source of faces at any path."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from tqdm import tqdm

from trsfnet.data.folder import FolderSource, is_vggface2
from trsfnet.data.folder_index import LOOSE, counts_by_kind
from trsfnet.data.ijb import IjbImages
from trsfnet.data.image_list import images_in, read_list
from trsfnet.data.joined import JoinedSource
from trsfnet.data.lfw import LfwSource, lfw_at, lfw_in
from trsfnet.data.pack import PackSource
from trsfnet.data.recordio import RecordSource
from trsfnet.data.source import Source
from trsfnet.data.verification_bin import VerificationBin
from trsfnet.errors import DataError
from trsfnet.paths import user_path

_UNDERSTOOD = (
    "a folder with one subfolder of images per identity, such as VGGFace2's train or test, an "
    "insightface pack (train.rec, or a .rec file), a .bin verification set, LFW (lfw, lfw-funneled or "
    "lfw-deepfunneled, as a folder, .tar or .tgz), IJB-B or IJB-C (meta and loose_crop), a folder with "
    "pack.json, a folder of images without subfolders, or a .txt file with the path of an image on each line"
)


def open_source(
    path: Path | str, *, part: str | None = None, skip: bool = False, loose: bool = False
) -> Source:
    """Open the faces at `path`, detecting the kind of source.

    Supported are packs of this package, insightface packs, verification sets, LFW, IJB-B and IJB-C, VGGFace2,
    any folder of identities, and images without identities: a folder or a list of files.

    Files that are passed over because they are not images, or not in a place for images, are counted on
    standard error.

    Args:
        path: a file or folder.
        part: `train` or `test`, used if `path` is VGGFace2's folder with both parts in it.
        skip: leave out unusable items of a folder of identities and tolerate missing images of IJB, see
            `FolderSource` and `IjbImages`.
        loose: also take images next to the folders of identities; their identity is the folder's name.

    Raises:
        ConfigError: if `part` is missing or unknown.
        DataError: if `path` is none of these, or is damaged.
    """
    path = user_path(path).absolute()
    if not path.exists():
        raise DataError(f"There is no {path}: expected {_UNDERSTOOD}.")
    source = _special(path, skip)
    if source is None and path.is_dir():
        part = part if is_vggface2(path) else None
        source = _with_loose(path, part, skip) if loose else FolderSource(path, part=part, skip=skip)
    if source is None:
        raise DataError(f"{path} is not a source of faces: expected {_UNDERSTOOD}.")
    if source.passed_over:
        _say(f"trsfnet: passed over in {path}: {counts_by_kind(source.passed_over)}.")
    return source


def _with_loose(path: Path, part: str | None, skip: bool) -> Source:
    """Return the images of a folder of identities and those next to the identities' folders."""
    loose = images_in(path, skip=skip, subfolders=True)
    try:
        identities = FolderSource(path, part=part, skip=skip)
    except DataError as error:
        if loose is None or not skip:
            raise
        loose.left_out = {**loose.left_out, "subfolders": str(error).removesuffix(".")}
        return loose
    if loose is None:
        return identities
    others = {kind: count for kind, count in identities.passed_over.items() if kind != LOOSE}
    return JoinedSource(loose, identities, passed_over=others)


@cache
def _say(sentence: str) -> None:
    """Print a message once per process, however often the same folder is opened."""
    tqdm.write(sentence, file=sys.stderr)


def _special(path: Path, skip: bool) -> Source | None:
    """Return the source at `path` if the names of its files identify a special kind."""
    if (path / "pack.json").is_file():
        return PackSource(path)
    if (path / "train.rec").is_file() or (path.is_file() and path.suffix == ".rec"):
        return RecordSource(path)
    if path.is_file() and path.suffix == ".bin":
        return VerificationBin(path)
    if (path / "meta").is_dir() and (path / "loose_crop").is_dir():
        return IjbImages(path, _ijb_name(path), skip=skip)
    images = lfw_at(path) or lfw_in(path)
    if images:
        try:
            return LfwSource(images)
        except DataError as error:
            if images.path.is_dir():
                raise DataError(f"{error} A folder of some of its people needs another name.") from error
            raise
    if path.suffix == ".txt" and path.is_file():
        return read_list(path)
    return images_in(path, skip=skip) if path.is_dir() else None


def _ijb_name(path: Path) -> str:
    names = [name for name in ("ijbb", "ijbc") if next((path / "meta").glob(f"{name}_*"), None)]
    if len(names) != 1:
        raise DataError(f"{path / 'meta'} must hold the files of IJB-B (ijbb_*) or of IJB-C (ijbc_*).")
    return names[0]
