"""`trsfnet export`."""

from __future__ import annotations

import argparse

from trsfnet.cli import argument, model

PURPOSE = "write a network to a file for others"
EPILOG = (
    """\
The ending of FILE says what it becomes; a model card goes beside it (.md), and one that is there is replaced:
  trsfnet export runs/lfw/RUN v1.safetensors    all weights, to go on training or for `trsfnet embed`
  trsfnet export runs/lfw/RUN v1.onnx           for onnxruntime: images in, unit embeddings out
  trsfnet export runs/lfw/RUN v1.pt2            for torch.export.load: the same

Preprocessing is part of .onnx and .pt2, and described in the header of .safetensors. Making .onnx needs
pip install 'trsfnet[export]'. An .onnx cannot be exported again.

"""
    + model.MODEL
)


def options(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    model.model(parser)
    parser.add_argument(
        "file", type=argument.path, metavar="FILE", help="ends in .safetensors, .onnx or .pt2"
    )


def run(given: argparse.Namespace) -> int:
    """Export, and name what was written."""
    from trsfnet.interop.export import export

    card = export(model.read(given), given.file)
    print(f"wrote {given.file} ({given.file.stat().st_size / 1e6:,.1f} MB) and its model card {card}")
    return 0
