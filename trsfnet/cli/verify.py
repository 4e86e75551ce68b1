"""`trsfnet verify`."""

from __future__ import annotations

import argparse

from trsfnet.cli import argument, model
from trsfnet.cli.output import json_option, print_json

PURPOSE = "say whether two images show one person"
EPILOG = (
    """\
MTCNN (pip install 'trsfnet[faces]') finds the face in each photograph; the network says how similar they are:
  trsfnet verify runs/synthetic/RUN a.jpg b.jpg
  trsfnet verify runs/lfw/RUN a.jpg b.jpg --far 1e-2 --images lfw
  trsfnet verify vggface2 a.jpg b.jpg --threshold 0.4 --json

The threshold follows from --far and the scores that the run's own evaluation left in scores.parquet. It holds
for faces like those of that evaluation. A file exported from a run states its thresholds at --far 1e-1, 1e-2,
1e-3 and 1e-4, as far as its scores reach. Weights from elsewhere have none: choose a --threshold on pairs of
your own.

"""
    + model.MODEL
)


def options(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    model.model(parser)
    parser.add_argument("a", type=argument.path, metavar="A", help="an image")
    parser.add_argument("b", type=argument.path, metavar="B", help="another image")
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument(
        "--far",
        type=float,
        default=1e-3,
        help="share of pairs of different people that may be accepted (default: 1e-3)",
    )
    limit.add_argument("--threshold", type=float, help="similarity, -1 to 1, above which it is one person")
    parser.add_argument(
        "--images",
        choices=("photograph", "lfw", "crop"),
        default="photograph",
        help="what A and B are: photographs, images of LFW whose middle the lfw track takes, or crops of "
        "faces (default: photograph)",
    )
    model.engine(parser)
    json_option(parser)


def run(given: argparse.Namespace) -> int:
    """Verify, and print the decision."""
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
