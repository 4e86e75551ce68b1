"""The command `trsfnet align`."""

from __future__ import annotations

import argparse

from trsfnet.cli.conversion import opened, paths
from trsfnet.errors import ConfigError, DataError

PURPOSE = "find the face in each photograph and crop it"
EPILOG = """\
SOURCE is a folder of identities, LFW's folder or archive, an insightface pack, IJB-B, IJB-C or a pack.
TARGET becomes a folder of identities with a report.csv that lists the outcome for every image:
  trsfnet align ~/datasets/lfw lfw-160
  trsfnet align vggface2/train vggface2-182 --size 182 --margin 44
  trsfnet align ~/datasets/lfw lfw-112 --crop warp
  trsfnet align ~/datasets/lfw lfw-facenet --crop facenet
The first two make facenet-pytorch's crops, in the sizes that facenet uses for verification and training. The
third makes ArcFace's crops. The last makes facenet's own crops, where --margin counts pixels of the
photograph: a face of 100 pixels gets 16 % of its width on each side and one of 200 pixels gets 8 %, whereas
facenet-pytorch's margin is always 12.5 %.

Two images of a person that differ only in their suffix, such as 1.jpg and 1.png, become 1.jpg.png and
1.png.png.

Images next to the subfolders of identities have no identity: they are counted, on standard error and in
report.csv, but not cropped.

If the command is interrupted or killed, repeat it to resume. If images were added, repaired or replaced, the
same command processes these, and it retries images that failed.
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    paths(parser)
    parser.add_argument(
        "--crop",
        choices=("margin", "facenet", "warp"),
        default="margin",
        help="the face's box with the margin that facenet-pytorch adds (margin) or facenet adds "
        "(facenet), or the face with its five landmarks moved to fixed positions (warp) (default: margin)",
    )
    parser.add_argument("--size", type=int, help="side of the crops in pixels (default: 160; with warp 112)")
    parser.add_argument(
        "--margin",
        type=int,
        help="width of the left and right margins together, in pixels of the crop; with --crop facenet, in "
        "pixels of the photograph (default: 32)",
    )
    parser.add_argument(
        "--missing",
        choices=("crop", "skip"),
        default="crop",
        help="if no face is found, crop the centre or skip the image (default: crop)",
    )


def run(given: argparse.Namespace) -> int:
    """Align the images and print the number of images with each outcome."""
    from trsfnet.data.align import FacenetCrop, MarginCrop, Mtcnn, WarpCrop, align_faces
    from trsfnet.training.precision import best_device

    kinds = {kind.kind: kind for kind in (MarginCrop, FacenetCrop, WarpCrop)}
    if given.crop == "warp" and given.margin is not None:
        raise ConfigError("--margin needs --crop margin or facenet: the warp has none.")
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
        raise DataError(f"None of the {aligned:,} images could be cropped; see {given.target}/report.csv.")
    print(f"the crops are {crop.whose}")
    return 0
