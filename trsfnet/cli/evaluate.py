"""`trsfnet evaluate`."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import TYPE_CHECKING

from trsfnet.cli import argument, figure, model
from trsfnet.cli.output import json_option, print_json

if TYPE_CHECKING:
    from trsfnet.inference.evaluate import EvaluationReport

PURPOSE = "verify or identify faces with a network, or with embeddings from anywhere"
EPILOG = (
    """\
What is computed follows from SOURCE:
  trsfnet evaluate runs/paper/RUN ~/datasets/lfw-160 --convention facenet
      LFW aligned by `trsfnet align`, its folder or archive as published: ten folds of pairs.txt
  trsfnet evaluate vggface2 ~/datasets/lfw --protocol all-pairs
      the same images: all pairs of the people of sets 8 to 10, whom the lfw track leaves for this
  trsfnet evaluate v1.onnx ms1mv2/agedb_30.bin --convention insightface
      LFW, CALFW, CPLFW, AgeDB or CFP as .bin: ten folds
  trsfnet evaluate runs/paper/RUN ~/datasets/IJBB --scores ijbb.parquet
      IJB-B or IJB-C, with meta and loose_crop in it: 1:1 verification
  trsfnet evaluate runs/paper/RUN ~/datasets/IJBB --protocol 1:N --no-flip
      the same: 1:N identification, as open and as closed set
  trsfnet evaluate dlib.npz ~/datasets/lfw
      embeddings by another program: a .parquet with the columns name and embedding, an .npz with names and
      embeddings, or an .npy with the names in a .txt beside it; mirrored has those of the mirror images
  trsfnet evaluate vggface2 lfw-160 --figure lfw.svg --worst 10
      with the ROC, the histogram of the scores, and the pairs that are judged worst

Conventions move the numbers by points: facenet-training takes each image alone, insightface adds its mirror
image, and facenet appends that, subtracts the mean embedding and measures angles.

Images become as large as the network's input: LFW's as published are cropped in the middle, IJB's are warped,
all others are resized. The features of IJB are kept: interrupted or killed, the same command goes on where it
was, and other options are computed from them without the network.

"""
    + model.MODEL
)


def options(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    model.model(parser, more="a file of embeddings, or ")
    parser.add_argument("source", type=argument.path, metavar="SOURCE", help="LFW, a .bin, IJB-B or IJB-C")
    of_pairs(parser)
    parser.add_argument(
        "--features",
        type=argument.path,
        metavar="FILE",
        help="of IJB's features (default: in the run or the cache)",
    )
    parser.add_argument(
        "--scores",
        type=argument.path,
        metavar="FILE",
        help="write the scores of the pairs to this parquet file",
    )
    figure.option(parser, "the ROC and the histogram of the scores")
    parser.add_argument(
        "--worst", type=int, default=0, metavar="N", help="name the N worst pairs of each kind (default: 0)"
    )
    model.engine(parser)
    json_option(parser)


def of_pairs(parser: argparse.ArgumentParser) -> None:
    """Declare how pairs are chosen and measured."""
    parser.add_argument(
        "--protocol",
        choices=("ten-fold", "all-pairs", "1:1", "1:N"),
        help="what to compute (default: the first of these that SOURCE allows)",
    )
    parser.add_argument(
        "--convention",
        choices=("facenet", "facenet-training", "insightface"),
        help="how the embeddings of a pair are combined and measured (default: facenet-training, as while "
        "training). Whichever it is, what divides a pixel is the network's own: (pixel - 127.5) / 128 for "
        "facenet's and those trained here, 127.5 for timm's, what --preprocessing says for others",
    )
    parser.add_argument(
        "--pairs",
        type=argument.path,
        metavar="FILE",
        help="LFW's pairs.txt (default: the one in or beside SOURCE)",
    )
    for name, purpose in (
        ("flip", "add the features of mirror images"),
        ("norm-score", "let longer features weigh more"),
        ("detector-score", "weigh images by their detector scores"),
    ):
        parser.add_argument(
            f"--{name}", action=argparse.BooleanOptionalAction, help=f"IJB: {purpose} (default: yes)"
        )


def run(given: argparse.Namespace) -> int:
    """Evaluate, and print the numbers."""
    from trsfnet.inference.evaluate import EvaluationOptions, UnwrittenScores, evaluate, subject_of

    draw = figure.drawer(given)
    chosen = {field.name: getattr(given, field.name) for field in fields(EvaluationOptions)}
    subject = subject_of(given.model, engine=given.engine, preprocessing=model.stated(given))
    try:
        report = evaluate(subject, given.source, EvaluationOptions(**chosen))
    except UnwrittenScores as error:
        _print(error.report, given)
        raise
    _print(report, given)
    if report.results.scores is not None:
        draw([(subject.name, report.results.scores)])
    return 0


def _print(report: EvaluationReport, given: argparse.Namespace) -> None:
    if given.json:
        print_json(report.to_dict())
    else:
        print(report.table())
