"""The `lfw` track: people of LFW's sets 1-7 for training, all pairs of sets 8-10 for verification."""

from __future__ import annotations

from pathlib import Path

from trsfnet.data.cache import cached_faces
from trsfnet.data.faces import FaceSet, TrackData
from trsfnet.data.lfw import LfwImages, fetch_lfw, fetched_lfw, find_lfw, load_people
from trsfnet.data.lfw_files import Person, read_people
from trsfnet.data.lfw_version import content_version
from trsfnet.errors import DataError

TRAIN_SETS = range(7)
TEST_SETS = range(7, 10)


def images_version(*, root: Path | None, train_set: str | None) -> str:
    """Return the version of LFW that is present, with a digest if it differs from the published one."""
    images = fetched_lfw() if root is None else find_lfw(root)
    if images is None:
        raise DataError(
            "LFW is not on this machine: `trsfnet train -p track lfw` fetches it; or set TRSFNET_DATA, or "
            "data_root, to a folder that holds lfw-deepfunneled.tgz."
        )
    return content_version(images)


def fetch(root: Path | None) -> None:
    """Download LFW if no `root` is given and it is not in scikit-learn's folder."""
    if root is None and fetched_lfw() is None:
        fetch_lfw()


def load(
    *, size: int, identities: int, images_per_identity: int, root: Path | None, train_set: str | None
) -> TrackData:
    """Load LFW's faces; see `trsfnet.data.tracks.load_track`."""
    source = _source(root)
    sets = read_people()
    train = [p for i in TRAIN_SETS for p in sets[i] if p.images >= images_per_identity]
    test = [p for i in TEST_SETS for p in sets[i]]
    images = content_version(source)

    def crops(part: str, people: list[Person]) -> FaceSet:
        key = {
            "name": f"lfw-{images}-{part}",
            "size": size,
            "people": [(p.name, p.images) for p in people],
        }
        return cached_faces(key, lambda: load_people(source, people, size))

    return TrackData(crops("train", train), crops("test", test), pairs=None)


def _source(root: Path | None) -> LfwImages:
    return fetch_lfw() if root is None else find_lfw(root)
