"""Arguments shared by several commands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from trsfnet.errors import ConfigError
from trsfnet.paths import user_path


def run_folders(parser: argparse.ArgumentParser, help: str) -> None:
    """Declare FOLDER, any number of folders of runs; `help` states their purpose."""
    parser.add_argument(
        "folders",
        type=path,
        nargs="*",
        default=[Path("runs")],
        metavar="FOLDER",
        help=f"{help} (default: runs)",
    )


def no_runs(folders: Sequence[Path]) -> str:
    """Return the message for `folders` that contain no run."""
    return f"There is no run in {' or '.join(map(str, folders))}: `trsfnet train` makes one."


def path(text: str) -> Path:
    """Convert the value of a path argument, for argparse's `type=`."""
    try:
        return user_path(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from error
