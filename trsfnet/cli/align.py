"""`trsfnet align`."""

from __future__ import annotations

import argparse

from trsfnet.cli.conversion import opened, paths
from trsfnet.errors import ConfigError, DataError

PURPOSE = "find the face in each photograph and crop it"
EPILOG = """\
SOURCE is a folder of identities, LFW's folder or archive, an insightface pack, IJB-B, IJB-C or a pack.
TARGET becomes a folder of identities, with report.csv saying what became of every image:
  trsfnet align ~/datasets/lfw lfw-160
  trsfnet align vggface2/train vggface2-182 --size 182 --margin 44
  trsfnet align ~/datasets/lfw lfw-112 --crop warp
The first two are facenet's crops for verification and training, the third is ArcFace's.

Interrupted or killed, the same command goes on where it was. Given again after images were added, mended or
replaced, it does these, and tries again what failed.
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    paths(parser)
    parser.add_argument(
        "--crop",
        choices=("margin", "warp"),
        default="margin",
        help="the face's box with a margin, or its five points to fixed places (default: margin)",
    )
    parser.add_argument("--size", type=int, help="side in pixels (default: 160, with warp 112)")
    parser.add_argument("--margin", type=int, help="pixels of the side that are margin (default: 32)")
    parser.add_argument(
        "--missing",
        choices=("crop", "skip"),
        default="crop",
        help="where no face is found, crop the middle or skip the image (default: crop)",
    )


def run(given: argparse.Namespace) -> int:
    """Align, and count what became of the images."""
    from trsfnet.data.align import MarginCrop, Mtcnn, WarpCrop, align_faces
    from trsfnet.training.precision import best_device

    kinds = {"margin": MarginCrop, "warp": WarpCrop}
    if given.crop == "warp" and given.margin is not None:
        raise ConfigError("--margin needs --crop margin: the warp has none.")
    settings = {name: getattr(given, name) for name in ("size", "margin")}
    crop = kinds[given.crop](**{name: value for name, value in settings.items() if value is not None})
    source = opened(given, skip=True)
    counts = align_faces(source, given.target, Mtcnn(str(best_device())), crop, missing=given.missing)
    aligned = sum(counts.values()) - counts["left out"]
    print(
        f"aligned {aligned:,} images into {given.target}: one face in {counts['found']:,}, "
        f"one chosen among several in {counts['chosen']:,}, none in {counts['none']:,}, failed "
        f"{counts['failed']:,}, left out {counts['left out']:,}; report.csv there lists them all"
    )
    if not any(counts[status] for status in ("found", "chosen", "none")):
        raise DataError(f"Of {aligned:,} images none could be cropped: {given.target}/report.csv says why.")
    return 0
