"""The command `trsfnet verify`."""

from __future__ import annotations

import argparse

from trsfnet.cli import argument, model
from trsfnet.cli.output import json_option, print_json

PURPOSE = "decide whether two images show the same person"
EPILOG = (
    """\
MTCNN (pip install 'trsfnet[faces]') finds the face in each photograph, and the network computes their
similarity:
  trsfnet verify runs/synthetic/RUN a.jpg b.jpg
  trsfnet verify runs/lfw/RUN a.jpg b.jpg --far 1e-2 --images lfw
  trsfnet verify vggface2 a.jpg b.jpg --threshold 0.4 --json
  trsfnet verify w600k_r50.onnx a.jpg b.jpg --preprocessing 112,127.5,127.5 --images warp --threshold 0.3

The threshold follows from --far and from the scores that the run's own evaluation stored in scores.parquet.
It is valid for faces like those of that evaluation. A file exported from a run states its thresholds at --far
1e-1, 1e-2, 1e-3 and 1e-4, as far as its scores allow. Weights from other projects have no threshold:
determine a --threshold on your own pairs.

"""
    + model.MODEL
)


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    model.model(parser)
    parser.add_argument("a", type=argument.path, metavar="A", help="an image")
    parser.add_argument("b", type=argument.path, metavar="B", help="another image")
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument(
        "--far",
        type=float,
        default=1e-3,
        help="largest share of pairs of different people that may be accepted (default: 1e-3)",
    )
    limit.add_argument(
        "--threshold",
        type=float,
        help="similarity (-1 to 1) above which the two images are taken to show the same person",
    )
    parser.add_argument(
        "--images",
        choices=("photograph", "warp", "lfw", "crop"),
        default="photograph",
        help="kind of A and B: photographs whose faces are cropped as in the network's training, photographs "
        "whose faces are warped as by align --crop warp (for insightface's .onnx files), images of LFW whose "
        "centre is used as in the lfw track, or crops of faces (default: photograph)",
    )
    model.engine(parser)
    json_option(parser)


def run(given: argparse.Namespace) -> int:
    """Verify the images and print the decision."""
    from trsfnet.inference.verification import verify

    decision = verify(
        model.read(given),
        given.a,
        given.b,
        far=given.far,
        threshold=given.threshold,
        images=given.images,
        engine=given.engine,
    )
    if given.json:
        print_json({"model": given.model, "a": str(given.a), "b": str(given.b), **decision.to_dict()})
    else:
        print(decision)
    return 0
