"""How commands draw: `--figure FILE`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from trsfnet.cli import argument
from trsfnet.errors import ConfigError, DataError

if TYPE_CHECKING:
    from trsfnet.evaluation.bootstrap import Scores

    Drawer = Callable[[list[tuple[str, Scores]]], None]


def option(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare `--figure`."""
    parser.add_argument("--figure", type=argument.path, metavar="FILE", help=f"draw {what} as .svg")


def drawer(given: argparse.Namespace) -> Drawer:
    """What draws models by their names and scores, if a figure is asked for; checked before any work.

    Raises:
        ConfigError: the file has another suffix, or the packages that draw are missing.
        DataError: its folder is not there.
    """
    file = given.figure
    if file is None:
        return lambda _: None
    if file.suffix != ".svg":
        raise ConfigError(f"--figure must end in .svg, got {file}.")
    if not file.absolute().parent.is_dir():
        raise DataError(f"There is no folder {file.absolute().parent} to write to.")
    try:
        from trsfnet.report.verification import draw
    except ImportError as error:
        raise ConfigError(f"Figures need more packages ({error}): pip install 'trsfnet[report]'.") from error
    return lambda models: draw(models, file)
