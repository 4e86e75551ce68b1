"""`trsfnet export`."""

from __future__ import annotations

import argparse

from trsfnet.cli import argument, model

PURPOSE = "export a network to a file"
EPILOG = (
    """\
The suffix of FILE selects the format. A model card (.md) is written next to it; an existing one is replaced:
  trsfnet export runs/lfw/RUN v1.safetensors    all weights, for further training or for `trsfnet embed`
  trsfnet export runs/lfw/RUN v1.onnx           for onnxruntime: images in, unit embeddings out
  trsfnet export runs/lfw/RUN v1.pt2            for torch.export.load: the same

.onnx and .pt2 include the preprocessing; the header of .safetensors describes it. Exporting to .onnx needs
pip install 'trsfnet[export]'. An .onnx file cannot be exported again.

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
