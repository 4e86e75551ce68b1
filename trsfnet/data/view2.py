"""LFW's pairs for its images in any form: as published, or aligned into a folder of people."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from trsfnet.data.faces import Pairs
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
            line, or if two images of the folder differ only in their suffix.
    """
    if isinstance(source, LfwSource):
        return lfw_pairs(source.index, path)
    places: dict[str, int] = {}
    for index in range(len(source)):
        image = str(PurePosixPath(source.name(index)).with_suffix(""))
        if places.setdefault(image, index) != index:
            both = f"{source.name(places[image])} and {source.name(index)}"
            raise DataError(f"{both} would be the same image of LFW: remove one.")
    return lfw_pairs(lambda person, number: places.get(f"{person}/{person}_{number:04d}"), path)
