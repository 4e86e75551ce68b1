"""The command `trsfnet merge`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import get_args

from trsfnet.cli import argument
from trsfnet.experiments.scores_kept import ScoresKept

PURPOSE = "merge finished runs into the committed files of their studies"
EPILOG = """\
Every finished or collapsed run is added to the study of its track and budget, such as results/lfw-short:
  trsfnet merge
  trsfnet merge --study lfw-short --scores all

A run that is already in the study is replaced if its record differs. The folders of the runs stay unchanged.
You can stop a merge at any time and repeat it without losing anything. Simultaneous merges wait for each
other.
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    argument.run_folders(parser, "where the runs are")
    parser.add_argument(
        "--results",
        type=argument.path,
        default=Path("results"),
        help="folder of the studies (default: results)",
    )
    parser.add_argument(
        "--study",
        action="append",
        metavar="NAME",
        help="merge only runs of this study (may be repeated; default: all runs that belong to a budget)",
    )
    parser.add_argument(
        "--scores",
        choices=get_args(ScoresKept),
        default="first",
        help="which scores to keep: those of the first seed among runs that differ only in their seeds, all "
        "or none (default: first)",
    )


def run(given: argparse.Namespace) -> int:
    """Merge runs into the files of their studies."""
    from trsfnet.errors import ConfigError, choice
    from trsfnet.experiments.budgets import budget_of, study_of
    from trsfnet.experiments.folders import find_folder
    from trsfnet.experiments.merge import merge
    from trsfnet.experiments.record import read_records
    from trsfnet.text import joined

    records, problems = read_records(find_folder(folder) for folder in given.folders)
    for problem in problems:
        print(f"trsfnet: {problem}", file=sys.stderr)
    ended = [record for record in records if record.ended]
    studies = {record.run_id: study_of(record.config) for record in ended}
    for name in given.study or ():
        if not ended:
            where = joined([str(folder) for folder in given.folders], "or")
            raise ConfigError(f"study {name} has no runs to merge: no run in {where} has ended.")
        choice("study", name, sorted(set(studies.values())))
    wanted = given.study or [study_of(record.config) for record in ended if budget_of(record.config)]
    chosen = [record for record in ended if studies[record.run_id] in wanted]
    for merged in merge(chosen, given.results, scores=given.scores):
        print(
            f"{given.results / merged.study}: {len(merged.added)} added, {len(merged.replaced)} replaced, "
            f"{merged.runs} in total"
        )
        if merged.older:
            names = joined(merged.older)
            print(f"Not replaced, because newer code made the run that the study has: {names}.")
    if len(chosen) < len(records):
        print(f"Not merged: {len(records) - len(chosen)} of {len(records)} runs; see trsfnet merge --help.")
    if not records:
        print(argument.no_runs(given.folders))
    return 0
