"""The option `--figure FILE`."""

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
    """Return a function that draws models, given by name and scores; it does nothing without `--figure`.

    The option is checked before any work is done.

    Raises:
        ConfigError: if the file does not end in .svg, or the plotting packages are missing.
        DataError: if the folder of the file does not exist.
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
