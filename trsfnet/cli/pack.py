"""The command `trsfnet pack`."""

from __future__ import annotations

import argparse
import sys

from trsfnet.cli.conversion import opened, paths

PURPOSE = "pack a folder of face crops into one compact file"
EPILOG = """\
SOURCE is anything that align reads or writes. TARGET becomes a folder that holds all JPEGs in one file:
  trsfnet pack vggface2-182 vggface2 --size 182
  trsfnet pack ~/datasets/lfw lfw-96 --size 96 --crop 128
The second command works without alignment: it keeps the centre of each image.

Images that are already JPEGs of that size are copied byte for byte. If the command is interrupted or killed,
repeat it to resume.
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    paths(parser)
    parser.add_argument(
        "--size", type=int, default=160, help="side of the packed images in pixels (default: %(default)s)"
    )
    parser.add_argument(
        "--crop",
        type=int,
        help="side in pixels of the central square that is kept (default: the shorter side of the image)",
    )
    parser.add_argument(
        "--quality", type=int, default=95, help="JPEG quality, 1 to 100 (default: %(default)s)"
    )
    parser.add_argument(
        "--skip-corrupt", action="store_true", help="leave out images that cannot be decoded, and list them"
    )


def run(given: argparse.Namespace) -> int:
    """Pack the images and print their number."""
    from trsfnet.data.folder import left_out
    from trsfnet.data.pack import write_pack

    source = opened(given, skip=given.skip_corrupt)
    settings = {name: getattr(given, name) for name in ("size", "crop", "quality", "skip_corrupt")}
    pack = write_pack(source, given.target, **settings)
    said = left_out(source).values()
    for sentence in pack.skipped:
        if sentence not in said:
            print(f"trsfnet: left out: {sentence}", file=sys.stderr)
    print(
        f"packed {len(pack):,} images of {len(pack.identities):,} identities into {given.target}; left out "
        f"{len(pack.skipped):,}"
    )
    return 0
