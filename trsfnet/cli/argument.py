"""Types of arguments that several commands take."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from trsfnet.errors import ConfigError
from trsfnet.paths import user_path


def run_folders(parser: argparse.ArgumentParser, help: str) -> None:
    """Declare FOLDER, any number of folders of runs; `help` says what they are for."""
    parser.add_argument(
        "folders",
        type=path,
        nargs="*",
        default=[Path("runs")],
        metavar="FOLDER",
        help=f"{help} (default: runs)",
    )


def no_runs(folders: Sequence[Path]) -> str:
    """What to say where `folders` hold no run."""
    return f"There is no run in {' or '.join(map(str, folders))}: `trsfnet train` makes one."


def path(text: str) -> Path:
    """`type=` of an argument that is a path."""
    try:
        return user_path(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from error
