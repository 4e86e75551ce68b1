"""What the commands that make one set of faces of another have in common."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trsfnet.errors import ConfigError

if TYPE_CHECKING:
    from trsfnet.data.source import Source


def paths(parser: argparse.ArgumentParser) -> None:
    """Declare SOURCE and TARGET."""
    parser.add_argument("source", type=Path, metavar="SOURCE", help="where the images are")
    parser.add_argument("target", type=Path, metavar="TARGET", help="folder to make")


def opened(given: argparse.Namespace, *, skip: bool) -> Source:
    """SOURCE, with a line on standard error for each file that is left out of it."""
    from trsfnet.data.folder import FolderSource
    from trsfnet.data.sources import open_source

    if given.target.resolve().is_relative_to(given.source.resolve()):
        raise ConfigError(f"TARGET must lie outside of SOURCE, got {given.target} in {given.source}.")
    source = open_source(given.source, skip=skip)
    if isinstance(source, FolderSource):
        for sentence in source.left_out.values():
            print(f"trsfnet: left out: {sentence}.", file=sys.stderr)
    return source
