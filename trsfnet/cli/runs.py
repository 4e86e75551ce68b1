"""The command `trsfnet runs`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from trsfnet.cli import argument
from trsfnet.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from trsfnet.report.run_list import RunComparison

PURPOSE = "list runs, or compare two of them"
EPILOG = """\
Reads the records in folders such as runs (yours) and results (the project's):
  trsfnet runs
  trsfnet runs results runs
  trsfnet runs --compare v1-relu-seed0 v1-trsf-relu-seed0
  trsfnet runs results --json

A and B are folders of runs, or the beginnings of run ids. A run is stale if its results version is outdated,
so that the same settings would now give different numbers. `trsfnet train --again` retrains it.
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    argument.run_folders(parser, "folder of the records; if a run is in two folders, the last one counts")
    parser.add_argument(
        "--compare", nargs=2, metavar=("A", "B"), help="show settings and results in which two runs differ"
    )
    json_option(parser)


def run(given: argparse.Namespace) -> int:
    """List the runs, or compare two of them."""
    from trsfnet.analysis import load
    from trsfnet.report import run_list

    if given.compare:
        comparison = run_list.compare(*(run_list.find_run(name, given.folders) for name in given.compare))
        if given.json:
            print_json(comparison.to_dict())
        else:
            _print_comparison(comparison)
        return 0
    found = load(*given.folders)
    runs = run_list.sorted_runs(found)
    for problem in found.problems:
        print(f"trsfnet: {problem}", file=sys.stderr)
    if given.json:
        print_json([run_list.to_dict(run) for run in runs])
    elif runs:
        print_table(run_list.HEADER, run_list.lines(runs), right=("epochs", "result"))
        print(f"\nThe column result shows, on {'; '.join(run_list.measures(runs))}.")
    else:
        print(argument.no_runs(given.folders))
    return 0


def _print_comparison(found: RunComparison) -> None:
    rows: list[tuple[object, ...]] = [(name, *pair) for name, pair in found.settings.items()]
    rows += [(name, *map(_number, pair)) for name, pair in found.results.items()]
    rows += [(name, *pair) for name, pair in found.facts.items()]
    print_table(("", *found.runs), rows)
    print(f"\n{found.advice}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
