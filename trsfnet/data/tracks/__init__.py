"""The tracks: training and test faces by name, with one module per track.

`synthetic` renders identities; anyone can run it offline. `lfw` trains on the people of LFW's sets 1-7 with
two or more images and verifies all pairs of sets 8-10, whose people are disjoint. `paper` trains on VGGFace2
or MS1MV2 and verifies LFW's `pairs.txt`, as in the paper.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

from trsfnet.data.faces import TrackData
from trsfnet.errors import DataError, choice
from trsfnet.paths import user_path, variable_path

TRACKS = ("synthetic", "lfw", "paper")
TRAIN_SETS = ("vggface2", "ms1mv2")


def data_root(given: Path | str | None = None) -> Path | None:
    """Return the folder of the datasets: `given`, or `TRSFNET_DATA`, or None if neither is set.

    Raises:
        ConfigError: if it begins with a `~` for which no home directory is known.
        DataError: if the folder does not exist.
    """
    name = "data_root" if given else "TRSFNET_DATA"
    root = user_path(given, name) if given else variable_path(name)
    if root is not None and not root.is_dir():
        raise DataError(f"{name} must name an existing folder, got {root}.")
    return root


def images_version(track: str, *, root: Path | None, train_set: str | None = None) -> str:
    """Return the version of the images that `track` would use here; a run's result depends on it.

    The images are neither decoded nor downloaded.

    Args:
        track: one of `TRACKS`.
        root: folder of the datasets, or None.
        train_set: one of `TRAIN_SETS` (`paper` only).

    Raises:
        ConfigError: if the track is unknown.
        DataError: if the images are missing.
    """
    return _module(track).images_version(root=root, train_set=train_set)


def fetch_track(track: str, *, root: Path | None) -> None:
    """Download what `track` needs if possible and not done yet: LFW, if no `root` is given.

    Args:
        track: one of `TRACKS`.
        root: folder of the datasets, or None.

    Raises:
        DataError: if the download failed.
    """
    if track == "lfw":
        _module(track).fetch(root)


def load_track(
    track: str,
    *,
    size: int,
    identities: int,
    images_per_identity: int,
    root: Path | None,
    train_set: str | None = None,
    held_out_images: int = 0,
) -> TrackData:
    """Load the faces of `track` as crops of `size` pixels, from the cache if they were made before.

    Args:
        track: one of `TRACKS`.
        size: side of the crops in pixels.
        identities: number of identities to render for training (`synthetic` only).
        images_per_identity: number of images of each training identity (`synthetic`), or the minimum number
            of images for a person to be used in training (`lfw`).
        root: folder of the datasets, or None.
        train_set: one of `TRAIN_SETS` (`paper` only).
        held_out_images: number of further images of each training identity (`synthetic` only).

    Raises:
        ConfigError: if the track is unknown.
        DataError: if the images are missing or damaged.
    """
    more = {"held_out_images": held_out_images} if track == "synthetic" else {}
    return _module(track).load(
        **more,
        size=size,
        identities=identities,
        images_per_identity=images_per_identity,
        root=root,
        train_set=train_set,
    )


def _module(track: str) -> ModuleType:
    """Import the module of `track`, and only this one: those of real faces load slow libraries."""
    choice("track", track, TRACKS)
    return import_module(f"trsfnet.data.tracks.{track}")
