"""The command `trsfnet embed`."""

from __future__ import annotations

import argparse
import sys

from trsfnet.cli import argument, model
from trsfnet.cli.conversion import opened
from trsfnet.cli.output import json_option, print_json
from trsfnet.errors import DataError
from trsfnet.paths import user_path

PURPOSE = "write the embeddings of many face crops to a parquet file"
EPILOG = (
    """\
SOURCE is a folder of images, with or without one subfolder per identity, a .txt file with the path of one
image per line, or anything else that `trsfnet align` reads or writes:
  trsfnet embed runs/synthetic/RUN crops faces.parquet
  trsfnet embed vggface2 lfw-160 lfw.parquet
  trsfnet embed v1.safetensors list.txt faces.parquet --json
  trsfnet embed others.onnx crops faces.parquet --preprocessing 112,127.5,127.5

SOURCE must contain face crops; `trsfnet align` makes them from photographs. Each is resized to the network's
input size. Images that cannot be read are left out and listed on standard error; they do not change the exit
code unless no image is left. If the command is interrupted or killed, repeat it to resume; faces.parquet
appears only when it is complete.

The file names the network, the engine and its precision. In Python:
  table = pandas.read_parquet("faces.parquet")     # columns name, identity, embedding
  similarity = numpy.stack(table.embedding) @ table.embedding[0]

"""
    + model.MODEL
)


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    model.model(parser)
    parser.add_argument("source", type=argument.path, metavar="SOURCE", help="the face crops")
    parser.add_argument(
        "target", type=argument.path, metavar="TARGET", help="file to create, such as faces.parquet"
    )
    model.engine(parser)
    json_option(parser)


def run(given: argparse.Namespace) -> int:
    """Embed the images, and print how many are in the file and how many are not."""
    from trsfnet.data.folder import left_out
    from trsfnet.inference.embedder import Embedder
    from trsfnet.inference.embeddings import check_target, write_embeddings

    check_target(given.target, [user_path(given.model), given.source])
    source = opened(given, skip=True, loose=True)
    embedder = Embedder(model.read(given), engine=given.engine)
    done = write_embeddings(embedder, source, given.target)
    said = left_out(source)
    for name, reason in done.failed.items():
        if name not in said:
            print(f"trsfnet: left out: {reason}", file=sys.stderr)
    if given.json:
        reasons = [{"name": name, "reason": reason} for name, reason in done.failed.items()]
        print_json({"file": str(given.target), "images": done.images, "failed": reasons})
    else:
        print(f"embedded {done.images:,} images into {given.target}; left out {len(done.failed):,}")
    if not done.images:
        raise DataError(f"None of the {len(done.failed):,} images could be read; {given.target} has no rows.")
    return 0
