"""The command `trsfnet report`."""

from __future__ import annotations

import argparse
from pathlib import Path

from trsfnet.cli import argument
from trsfnet.cli.output import json_option, print_json
from trsfnet.errors import ConfigError

PURPOSE = "show what runs say about the paper's claims"
EPILOG = """\
Reads the records in a folder and judges each claim by the rules on the book's page about the claims:
  trsfnet report
  trsfnet report runs
  trsfnet report results --json

The text is Markdown; the JSON is a list of verdicts with the numbers behind them. Needs
pip install 'trsfnet[report]'.
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "folder",
        type=argument.path,
        nargs="?",
        default=Path("results"),
        metavar="FOLDER",
        help="folder of the records (default: results)",
    )
    json_option(parser)


def run(given: argparse.Namespace) -> int:
    """Judge the claims and print the verdicts."""
    try:
        from trsfnet.report.conclusions import text, verdicts
    except ImportError as error:
        raise ConfigError(f"Reports need more packages ({error}): pip install 'trsfnet[report]'.") from error
    if given.json:
        print_json(verdicts(given.folder))
    else:
        print(text(given.folder))
    return 0
