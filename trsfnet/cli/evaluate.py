"""`trsfnet evaluate`."""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from typing import TYPE_CHECKING

from trsfnet.cli import argument

if TYPE_CHECKING:
    from trsfnet.experiments.evaluate import EvaluationReport

PURPOSE = "verify or identify faces with the network of a run"
EPILOG = """\
RUN is the folder of a run that still has its checkpoint. What is computed follows from SOURCE:
  trsfnet evaluate runs/paper/RUN ~/datasets/lfw-160 --convention facenet
      LFW aligned by `trsfnet align`, its folder or archive as published: ten folds of pairs.txt
  trsfnet evaluate runs/lfw/RUN ~/datasets/lfw --protocol all-pairs
      the same images: all pairs of the people of sets 8 to 10, whom the lfw track leaves for this
  trsfnet evaluate runs/paper/RUN ms1mv2/agedb_30.bin --convention insightface
      LFW, CALFW, CPLFW, AgeDB or CFP as .bin: ten folds
  trsfnet evaluate runs/paper/RUN ~/datasets/IJBB --scores ijbb.parquet
      IJB-B or IJB-C, with meta and loose_crop in it: 1:1 verification
  trsfnet evaluate runs/paper/RUN ~/datasets/IJBB --protocol 1:N --no-flip
      the same: 1:N identification, as open and as closed set

Conventions move the numbers by points: facenet-training takes each image alone, insightface adds its mirror
image, and facenet appends that, subtracts the mean embedding and measures angles.

Images become as large as the run's input: LFW's as published are cropped in the middle, IJB's are warped,
all others are resized. The features of IJB are kept: interrupted or killed, the same command goes on where it
was, and other options are computed from them without the network.
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "run", type=argument.path, metavar="RUN", help="folder of the run, such as runs/lfw/v1-..."
    )
    parser.add_argument("source", type=argument.path, metavar="SOURCE", help="LFW, a .bin, IJB-B or IJB-C")
    parser.add_argument(
        "--protocol",
        choices=("ten-fold", "all-pairs", "1:1", "1:N"),
        help="what to compute (default: the first of these that SOURCE allows)",
    )
    parser.add_argument(
        "--convention",
        choices=("facenet", "facenet-training", "insightface"),
        help="how pairs of images are measured (default: facenet-training, as while training)",
    )
    parser.add_argument(
        "--pairs",
        type=argument.path,
        metavar="FILE",
        help="LFW's pairs.txt (default: the one in or beside SOURCE)",
    )
    parser.add_argument(
        "--features", type=argument.path, metavar="FILE", help="of IJB's features (default: one in RUN)"
    )
    for name, purpose in (
        ("flip", "add the features of mirror images"),
        ("norm-score", "let longer features weigh more"),
        ("detector-score", "weigh images by their detector scores"),
    ):
        parser.add_argument(
            f"--{name}", action=argparse.BooleanOptionalAction, help=f"IJB: {purpose} (default: yes)"
        )
    parser.add_argument(
        "--scores",
        type=argument.path,
        metavar="FILE",
        help="write the scores of the pairs to this parquet file",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(given: argparse.Namespace) -> int:
    """Evaluate, and print the numbers."""
    from trsfnet.experiments.evaluate import EvaluationOptions, UnwrittenScores, evaluate_run

    chosen = {field.name: getattr(given, field.name) for field in fields(EvaluationOptions)}
    try:
        report = evaluate_run(given.run, given.source, EvaluationOptions(**chosen))
    except UnwrittenScores as error:
        _print(error.report, given)
        raise
    _print(report, given)
    return 0


def _print(report: EvaluationReport, given: argparse.Namespace) -> None:
    print(json.dumps(report.to_dict(), indent=1, allow_nan=False) if given.json else report.table())
