"""Arguments shared by the commands that take a network."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from trsfnet.errors import ConfigError
from trsfnet.paths import user_path

if TYPE_CHECKING:
    from trsfnet.interop.models import Model
    from trsfnet.interop.preprocessing import Preprocessing

MODEL = """\
MODEL is the folder of a run with its checkpoint, a .safetensors file, a .pt, .pth or .pth.tar file of
facenet-pytorch or timm (prefixes of wrappers and containers are removed), facenet's variables as .npz, an
.onnx file, or vggface2 or casia-webface, the pretrained networks of facenet-pytorch.
"""


def model(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Declare MODEL and `--preprocessing`."""
    known = "a run's folder, a file of weights, an .onnx file, vggface2 or casia-webface"
    parser.add_argument("model", metavar="MODEL", help=f"{more}{known}")
    preprocessing(parser)


def preprocessing(parser: argparse.ArgumentParser) -> None:
    """Declare `--preprocessing`."""
    parser.add_argument(
        "--preprocessing",
        metavar="SIZE,MEAN,DIVISOR[,BGR]",
        help="for an .onnx file that does not state it: the input is (pixel - MEAN) / DIVISOR of SIZE x SIZE "
        "pixels, in RGB unless BGR is given; for insightface 112,127.5,127.5",
    )


def engine(parser: argparse.ArgumentParser) -> None:
    """Declare `--engine`."""
    parser.add_argument(
        "--engine",
        choices=("auto", "torch", "onnxruntime"),
        default="auto",
        help="engine that computes the embeddings: auto uses onnxruntime on a CPU if it is installed and "
        "bfloat16 is not faster, otherwise torch (default: auto)",
    )


def read(given: argparse.Namespace) -> Model:
    """Read the network given by MODEL, printing its notes on standard error."""
    from trsfnet.interop.models import read_model

    found = read_model(given.model, stated(given))
    say(found.notes)
    return found


def say(notes: tuple[str, ...]) -> None:
    """Print `notes` on standard error."""
    for note in notes:
        print(f"trsfnet: {note}", file=sys.stderr)


def stated(given: argparse.Namespace, source: str | None = None) -> Preprocessing | None:
    """Parse `--preprocessing`; None if it was not given, or if `source` is given and does not need it.

    Raises:
        ConfigError: if the value is malformed.
    """
    from trsfnet.interop.preprocessing import Preprocessing

    if given.preprocessing is None or (source is not None and not needs_preprocessing(source)):
        return None
    parts = given.preprocessing.split(",")
    try:
        size, mean, divisor, channels = parts if len(parts) == 4 else (*parts, "RGB")
        return Preprocessing(
            int(size), float(mean), float(divisor), "a crop of a face", channels.strip().upper()
        )
    except ValueError as error:
        raise ConfigError(
            f"--preprocessing must be SIZE,MEAN,DIVISOR[,BGR], got {given.preprocessing!r}."
        ) from error


def needs_preprocessing(source: str) -> bool:
    """Return whether a model is an `.onnx` file that does not state its preprocessing, or does not exist."""
    from trsfnet.interop.onnx_file import SUFFIX, states_preprocessing

    file = user_path(source)
    return file.suffix == SUFFIX and not (file.is_file() and states_preprocessing(file))
