"""Arguments and checks shared by the commands that convert one set of faces to another."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trsfnet.cli import argument
from trsfnet.errors import ConfigError

if TYPE_CHECKING:
    from trsfnet.data.source import Source


def paths(parser: argparse.ArgumentParser) -> None:
    """Declare SOURCE and TARGET."""
    parser.add_argument("source", type=argument.path, metavar="SOURCE", help="the images")
    parser.add_argument("target", type=argument.path, metavar="TARGET", help="folder to create")


def opened(given: argparse.Namespace, *, skip: bool, loose: bool = False) -> Source:
    """Open SOURCE as `open_source` does, printing a line on standard error for each file that is left out."""
    from trsfnet.data.folder import left_out
    from trsfnet.data.sources import open_source

    # Unlike Path.resolve(), realpath does not fail on a link to itself.
    if Path(os.path.realpath(given.target)).is_relative_to(os.path.realpath(given.source)):
        raise ConfigError(f"TARGET must be outside SOURCE, got {given.target} in {given.source}.")
    source = open_source(given.source, skip=skip, loose=loose)
    for sentence in left_out(source).values():
        print(f"trsfnet: left out: {sentence}", file=sys.stderr)
    return source
