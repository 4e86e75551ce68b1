"""`trsfnet pack`."""

from __future__ import annotations

import argparse

from trsfnet.cli.conversion import opened, paths

PURPOSE = "make one compact file of a folder of face crops"
EPILOG = """\
SOURCE is whatever align takes, or what it made. TARGET becomes one file of JPEGs with its labels:
  trsfnet pack vggface2-182 vggface2 --size 182
  trsfnet pack ~/datasets/lfw lfw-96 --size 96 --crop 128
The second does without alignment: it keeps the middle of each image.

Images that are JPEGs of that size already are kept byte for byte. Interrupted or killed, the same command
goes on where it was.
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    paths(parser)
    parser.add_argument("--size", type=int, default=160, help="side in pixels (default: %(default)s)")
    parser.add_argument("--crop", type=int, help="pixels to keep of the middle (default: the shorter side)")
    parser.add_argument("--quality", type=int, default=95, help="of the JPEGs (default: %(default)s)")
    parser.add_argument(
        "--skip-corrupt", action="store_true", help="leave out and list what cannot be decoded"
    )


def run(given: argparse.Namespace) -> int:
    """Pack, and count what is in it."""
    from trsfnet.data.pack import write_pack

    source = opened(given, skip=given.skip_corrupt)
    settings = {name: getattr(given, name) for name in ("size", "crop", "quality", "skip_corrupt")}
    pack = write_pack(source, given.target, **settings)
    print(
        f"packed {len(pack):,} images of {len(pack.identities):,} identities into {given.target}; left out "
        f"{len(pack.skipped):,}"
    )
    return 0
