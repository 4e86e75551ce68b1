"""The option `--figure FILE`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from trsfnet.cli import argument
from trsfnet.errors import ConfigError

if TYPE_CHECKING:
    from trsfnet.evaluation.bootstrap import Scores

    Drawer = Callable[[list[tuple[str, Scores]]], None]


def option(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare `--figure`."""
    parser.add_argument("--figure", type=argument.path, metavar="FILE", help=f"draw {what} as .svg")


def drawer(given: argparse.Namespace, read: Iterable[Path | None], written: Path | None = None) -> Drawer:
    """Return a function that draws models, given by name and scores; it does nothing without `--figure`.

    The option is checked before any work is done.

    Args:
        given: the command's arguments.
        read: the inputs of the command.
        written: its other output.

    Raises:
        ConfigError: if the file does not end in .svg, or the plotting packages are missing.
        DataError: if the file cannot be written, see `check_output`.
    """
    from trsfnet.data.output import check_output

    file = given.figure
    if file is None:
        return lambda _: None
    if file.suffix != ".svg":
        raise ConfigError(f"--figure must end in .svg, got {file}.")
    check_output(file, read, [written])
    try:
        from trsfnet.report.verification import draw
    except ImportError as error:
        raise ConfigError(f"Figures need more packages ({error}): pip install 'trsfnet[report]'.") from error
    return lambda models: draw(models, file)
