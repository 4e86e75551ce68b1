"""The command `trsfnet compare`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING

from trsfnet.cli import argument, figure, model
from trsfnet.cli.evaluate import of_pairs
from trsfnet.cli.output import json_option, print_json, print_table
from trsfnet.errors import ConfigError
from trsfnet.paths import user_path

if TYPE_CHECKING:
    from trsfnet.inference.evaluate.comparison import Scored

PURPOSE = "test whether two models differ on the same pairs of faces"
EPILOG = (
    """\
With --on, A and B are networks or files of embeddings, as for `trsfnet evaluate`. Without it, they are runs
with scores, or files written by `trsfnet evaluate --scores`:
  trsfnet compare vggface2 v1.onnx --on ~/datasets/lfw
  trsfnet compare dlib.npz vggface2 --on ~/datasets/lfw --figure both.svg
  trsfnet compare results/lfw-short/RUN_A results/lfw-short/RUN_B --figure both.svg
  trsfnet compare a.parquet b.parquet --json

The command prints each metric of both models, the difference with an interval over people, and McNemar's
test. The figure shows the ROC curve and the detection error trade-off (DET) of both. It needs pip install
'trsfnet[report]'.

"""
    + model.MODEL
)


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    for name in ("a", "b"):
        parser.add_argument(
            name, metavar=name.upper(), help="a network or embeddings; without --on, a run or scores"
        )
    parser.add_argument(
        "--on",
        type=argument.path,
        metavar="SOURCE",
        help="the pairs to compare on, as for evaluate",
    )
    of_pairs(parser)
    figure.option(parser, "the ROC and DET of both")
    model.preprocessing(parser)
    model.engine(parser)
    json_option(parser)


def run(given: argparse.Namespace) -> int:
    """Compare two models and print the differences."""
    from trsfnet.inference.evaluate.comparison import compare, told_apart

    draw = figure.drawer(given, (user_path(given.a), user_path(given.b), given.on, given.pairs))
    _check_options(given)
    # Both are opened before either is scored, which may take long.
    opened = [_opened(name, given, other) for name, other in ((given.a, given.b), (given.b, given.a))]
    first, second = (scored() for scored in opened)
    first, second = told_apart(first, second, given.a, given.b)
    found = compare(first, second)
    if given.json:
        print_json(found.to_dict())
    else:
        print(f"A: {first.name}\nB: {second.name}\n")
        header, rows = found.table()
        print_table(header, rows, right=header[1:])
        print("", *found.notes, sep="\n")
    draw([(first.name, first.scores), (second.name, second.scores)])
    return 0


def _check_options(given: argparse.Namespace) -> None:
    """Refuse options that would have no effect."""
    from trsfnet.inference.evaluate import EvaluationOptions

    if given.on is None:
        names = (*(f.name for f in fields(EvaluationOptions)), "preprocessing")
        ignored = [name for name in names if vars(given).get(name) is not None]
        ignored += ["engine"] if given.engine != "auto" else []
        if ignored:
            option = f"--{ignored[0].replace('_', '-')}"
            raise ConfigError(f"{option} needs --on: without it, saved scores are compared as they are.")
    elif given.preprocessing is not None and not any(map(model.needs_preprocessing, (given.a, given.b))):
        raise ConfigError(
            "--preprocessing is for an .onnx file that does not state it, and neither A nor B is one."
        )


def _opened(name: str, given: argparse.Namespace, other: str) -> Callable[[], Scored]:
    """Open a model or saved scores; return a function that scores it."""
    from trsfnet.inference.evaluate import EvaluationOptions, subject_of
    from trsfnet.inference.evaluate.comparison import saved, scored_on
    from trsfnet.inference.evaluate.saved import is_embeddings

    if given.on is None:
        found = saved(user_path(name))
        return lambda: found
    given_options = vars(given)
    chosen = {f.name: given_options[f.name] for f in fields(EvaluationOptions) if f.name in given_options}
    # An engine is meant for the network, if embeddings are compared with one.
    files = [is_embeddings(user_path(each)) for each in (name, other)]
    engine = "auto" if files == [True, False] else given.engine
    subject = subject_of(name, engine=engine, preprocessing=model.stated(given, name))
    return partial(scored_on, subject, given.on, EvaluationOptions(**chosen))
