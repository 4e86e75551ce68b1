"""LFW's pairs for its images in any form: as published, or aligned into a folder of people."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from trsfnet.data.faces import Pairs
from trsfnet.data.folder import FolderSource
from trsfnet.data.lfw import LfwSource, lfw_pairs
from trsfnet.data.source import Source
from trsfnet.errors import DataError


def find_pairs(path: Path) -> Path:
    """Find LFW's `pairs.txt` for the images at `path`: in it, next to it, or in the folder `lfw` next to it.

    Raises:
        DataError: if there is none.
    """
    path = path.absolute()
    places = [folder / "pairs.txt" for folder in (path, path.parent, path.parent / "lfw")]
    for place in places:
        if place.is_file():
            return place
    raise DataError(
        f"LFW's pairs are needed: expected {places[0]}, {places[1]} or {places[2]}, or another place given "
        "as --pairs."
    )


def view2_pairs(source: Source, path: Path) -> Pairs:
    """Return the pairs in LFW's file at `path` as indices into `source`, LFW or a folder of its people.

    Raises:
        DataError: if a line is malformed or names an absent image, in which case the message states file and
            line; if two images of the folder differ only in their suffix; or if the source does not keep the
            names of its images.
    """
    if isinstance(source, LfwSource):
        return lfw_pairs(source.index, path)
    if not isinstance(source, FolderSource):
        raise DataError(
            f"The pairs in {path} are found by the names of LFW's images, which a pack does not keep: use "
            "the folder of images instead."
        )
    places: dict[str, int] = {}
    for index in range(len(source)):
        image = bare_name(source.name(index))
        if places.setdefault(image, index) != index:
            both = f"{source.name(places[image])} and {source.name(index)}"
            raise DataError(f"{both} would be the same image of LFW: remove one.")
    return lfw_pairs(lambda person, number: places.get(image_name(person, number)), path)


def image_name(person: str, number: int) -> str:
    """Return the name of one of LFW's images without a suffix, such as `Person_Name/Person_Name_0001`."""
    return f"{person}/{person}_{number:04d}"


def bare_name(name: str) -> str:
    """Return the name of an image in a folder of LFW's people as `image_name` gives it."""
    return str(PurePosixPath(name).with_suffix(""))
