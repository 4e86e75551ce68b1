"""The command `trsfnet info`."""

from __future__ import annotations

import argparse

from trsfnet.cli import model
from trsfnet.cli.output import json_option, print_json, print_table
from trsfnet.errors import ConfigError

PURPOSE = "count the layers, parameters and operations of a network"
EPILOG = (
    """\
Prints parameters, trainable scales and slopes, and multiply-accumulates (MACs) of each stage for one image:
  trsfnet info v1
  trsfnet info v2 --size 112
  trsfnet info runs/synthetic/RUN --json

v1 and v2 are the paper's networks with trainable scales (TRSF) and slopes (PReLU), at 160 pixels. For an
.onnx file from another project, only its size, inputs and outputs are known.

"""
    + model.MODEL
)


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    model.model(parser, more="v1 or v2, ")
    parser.add_argument("--size", type=int, help="side of the input in pixels (default: the network's own)")
    json_option(parser)


def run(given: argparse.Namespace) -> int:
    """Print the network's counts and a table of its stages."""
    from trsfnet.interop.summary import summarise
    from trsfnet.models.inception_resnet import ARCHITECTURES

    ours = given.model in ARCHITECTURES
    if ours and given.preprocessing is not None:
        raise ConfigError(f"The preprocessing of {given.model} is known: omit --preprocessing.")
    source = given.model if ours else model.read(given)
    summary = summarise(source, given.size)
    if given.json:
        print_json(summary.to_dict())
        return 0
    print(f"{summary.description.name}, {summary.size} x {summary.size} pixels")
    for line in summary.facts():
        print(line)
    header, rows = summary.table()
    if rows:
        print()
        print_table(header, rows, right=("residual modules", "parameters", "MACs", "share"))
    return 0
