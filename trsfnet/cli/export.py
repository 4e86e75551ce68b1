"""The command `trsfnet export`."""

from __future__ import annotations

import argparse

from trsfnet.cli import argument, model
from trsfnet.paths import user_path

PURPOSE = "export a network to a file"
EPILOG = (
    """\
The suffix of FILE selects the format. A model card (.md) is written next to it; an existing one is replaced:
  trsfnet export runs/lfw/RUN v1.safetensors    all weights, for further training or for `trsfnet embed`
  trsfnet export runs/lfw/RUN v1.onnx           for onnxruntime: from images to unit-length embeddings
  trsfnet export runs/lfw/RUN v1.pt2            the same for torch.export.load
  trsfnet export runs/lfw/RUN v1.onnx --int8    for onnxruntime, in 8-bit integers

.onnx and .pt2 include the preprocessing; the header of .safetensors describes it. Exporting to .onnx needs
pip install 'trsfnet[export]'. An .onnx file cannot be exported again.

--int8 calibrates on training faces of the run's track, measures TAR on its test faces before and after, and
refuses a network whose TAR lies outside the interval of the float32 network's. The file is a quarter as
large. Networks of the paper's width become faster; narrow ones hardly do.

"""
    + model.MODEL
)


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    model.model(parser)
    parser.add_argument(
        "file", type=argument.path, metavar="FILE", help="ends in .safetensors, .onnx or .pt2"
    )
    parser.add_argument(
        "--int8",
        action="store_true",
        help="compute in 8-bit integers; only for .onnx and the network of a run",
    )


def run(given: argparse.Namespace) -> int:
    """Export the network and print the names of the files written."""
    from trsfnet.data.output import check_output
    from trsfnet.interop.export import export

    check_output(given.file, [user_path(given.model)])  # before a large network is read
    card = export(model.read(given), given.file, int8=given.int8)
    print(f"wrote {given.file} ({given.file.stat().st_size / 1e6:,.1f} MB) and its model card {card}")
    if given.int8:
        from trsfnet.interop.int8 import Loss
        from trsfnet.interop.models import read_model

        print(Loss(**read_model(given.file).description.training["int8"]))
    return 0
