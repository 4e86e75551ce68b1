"""The command `trsfnet evaluate`."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import TYPE_CHECKING

from trsfnet.cli import argument, figure, model
from trsfnet.cli.output import json_option, print_json
from trsfnet.errors import ConfigError
from trsfnet.paths import user_path

if TYPE_CHECKING:
    from trsfnet.inference.evaluate import EvaluationReport

PURPOSE = "verify or identify faces with a network, or with embeddings from any program"
EPILOG = (
    """\
SOURCE determines what is computed:
  trsfnet evaluate runs/paper/RUN ~/datasets/lfw-160 --convention facenet
      LFW aligned by `trsfnet align`, or its published folder or archive: the ten folds of pairs.txt
  trsfnet evaluate vggface2 ~/datasets/lfw --protocol all-pairs
      the same images: all pairs of the people in sets 8 to 10, which the lfw track reserves for testing
  trsfnet evaluate v1.onnx ms1mv2/agedb_30.bin --convention insightface
      LFW, CALFW, CPLFW, AgeDB or CFP as .bin: ten folds
  trsfnet evaluate runs/paper/RUN ~/datasets/IJBB --scores ijbb.parquet
      IJB-B or IJB-C, a folder with meta and loose_crop: 1:1 verification
  trsfnet evaluate runs/paper/RUN ~/datasets/IJBB --protocol 1:N --no-flip
      the same images: 1:N identification, open-set and closed-set
  trsfnet evaluate dlib.npz ~/datasets/lfw
      embeddings from another program: a .parquet with the columns name and embedding, an .npz with names and
      embeddings, or an .npy next to a .txt with the names; mirrored holds those of the mirror images
  trsfnet evaluate vggface2 lfw-160 --figure lfw.svg --worst 10
      also draws the ROC and the histogram of the scores and lists the worst pairs

The convention changes the results by percentage points: facenet-training uses each image alone, insightface
adds the mirror image, and facenet appends it, subtracts the mean embedding and measures angles.

Images are fitted to the network's input size: LFW's published images are cropped at the centre, IJB's are
warped, all others are resized. The features of IJB are kept. If the command is interrupted or killed, repeat
it to resume; other options are then computed from the features without the network.

"""
    + model.MODEL
)


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    model.model(parser, more="a file of embeddings, or ")
    parser.add_argument("source", type=argument.path, metavar="SOURCE", help="LFW, a .bin, IJB-B or IJB-C")
    of_pairs(parser)
    parser.add_argument(
        "--features",
        type=argument.path,
        metavar="FILE",
        help="file for IJB's features (default: in the run or the cache)",
    )
    parser.add_argument(
        "--scores",
        type=argument.path,
        metavar="FILE",
        help="write the scores of the pairs to this .parquet file",
    )
    figure.option(parser, "the ROC and the histogram of the scores")
    parser.add_argument(
        "--worst", type=int, default=0, metavar="N", help="list the N worst pairs of each kind (default: 0)"
    )
    model.engine(parser)
    json_option(parser)


def of_pairs(parser: argparse.ArgumentParser) -> None:
    """Declare the options for selecting and comparing pairs."""
    parser.add_argument(
        "--protocol",
        choices=("ten-fold", "all-pairs", "1:1", "1:N"),
        help="what to compute (default: the first of these that SOURCE allows)",
    )
    parser.add_argument(
        "--convention",
        choices=("facenet", "facenet-training", "insightface"),
        help="how the embeddings of a pair are combined and compared (default: facenet-training, as during "
        "training). The pixel scaling always follows the network: (pixel - 127.5) / 128 for facenet's "
        "networks and those trained here, 127.5 for timm's, and --preprocessing for others",
    )
    parser.add_argument(
        "--pairs",
        type=argument.path,
        metavar="FILE",
        help="LFW's pairs.txt (default: the one in SOURCE or next to it)",
    )
    for name, purpose in (
        ("flip", "add the features of mirror images"),
        ("norm-score", "give longer features more weight"),
        ("detector-score", "weight images by their detector scores"),
    ):
        parser.add_argument(
            f"--{name}", action=argparse.BooleanOptionalAction, help=f"IJB: {purpose} (default: yes)"
        )


def run(given: argparse.Namespace) -> int:
    """Evaluate the model and print the results."""
    from trsfnet.inference.evaluate import EvaluationOptions, UnwrittenScores, evaluate, subject_of

    read = (user_path(given.model), given.source, given.pairs, given.features)
    draw = figure.drawer(given, read, given.scores)
    if given.figure is not None and given.protocol == "1:N":
        raise ConfigError("The protocol 1:N takes no figure.")
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
