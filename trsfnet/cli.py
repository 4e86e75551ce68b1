"""The command line: `python -m trsfnet`, or `trsfnet` once installed.

Exit codes: 0 done, 1 the training collapsed, 2 something given is wrong (one sentence on standard error),
130 interrupted.
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import trsfnet
from trsfnet.errors import ConfigError, TrsfnetError

if TYPE_CHECKING:
    from trsfnet.data.source import Source

_TRAIN_EPILOG = """\
Every setting of the notebook can be given, and the same settings make the same run:
  trsfnet train -p arch v1 -p trsf True -p activation prelu
  trsfnet train -p track lfw -p seed 1 --data-root ~/datasets
  trsfnet train --preset vggface2 -p track lfw -p batch_size 84 --devices 2

On several machines, or under SLURM, their own launchers start the processes:
  torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint HOST:29500 -m trsfnet train ...
  srun --ntasks-per-node 8 --gpus-per-node 8 trsfnet train ...

`papermill --help-notebook notebooks/train.ipynb` lists the settings.
"""


_ALIGN_EPILOG = """\
SOURCE is a folder of identities, LFW's folder or archive, an insightface pack, IJB-B, IJB-C or a pack.
TARGET becomes a folder of identities, with report.csv saying what became of every image:
  trsfnet align ~/datasets/lfw lfw-160
  trsfnet align vggface2/train vggface2-182 --size 182 --margin 44
  trsfnet align ~/datasets/lfw lfw-112 --crop warp
The first two are facenet's crops for verification and training, the third is ArcFace's.

Interrupted or killed, the same command goes on where it was.
"""

_PACK_EPILOG = """\
SOURCE is whatever align takes, or what it made. TARGET becomes one file of JPEGs with its labels:
  trsfnet pack vggface2-182 vggface2 --size 182
  trsfnet pack ~/datasets/lfw lfw-96 --size 96 --crop 128
The second does without alignment: it keeps the middle of each image.

Images that are JPEGs of that size already are kept byte for byte. Interrupted or killed, the same command
goes on where it was.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command given by `arguments` (the process's own by default) and return its exit code."""
    parser = argparse.ArgumentParser(prog="trsfnet", description=trsfnet.__doc__)
    parser.add_argument("--version", action="version", version=f"trsfnet {trsfnet.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(
        name: str, run: Callable[[argparse.Namespace], int], purpose: str, epilog: str
    ) -> argparse.ArgumentParser:
        layout = argparse.RawDescriptionHelpFormatter
        added = commands.add_parser(
            name, help=purpose, description=f"{purpose}.", epilog=epilog, formatter_class=layout
        )
        added.set_defaults(run=run)
        return added

    _train_options(command("train", _train, "train one network and record it", _TRAIN_EPILOG))
    _align_options(command("align", _align, "find the face in each photograph and crop it", _ALIGN_EPILOG))
    _pack_options(command("pack", _pack, "make one compact file of a folder of face crops", _PACK_EPILOG))
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except TrsfnetError as error:
        print(f"trsfnet: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("trsfnet: interrupted; the same command goes on from what is done.", file=sys.stderr)
        return 130


def _train_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-p",
        dest="parameters",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a setting, as for papermill",
    )
    parser.add_argument("--preset", help="one of the paper's schedules: vggface2 or ms1mv2; -p overrides it")
    parser.add_argument("--devices", type=int, default=1, help="GPUs to train on together (default: 1)")
    parser.add_argument("--runs", default="runs", help="folder of the run records (default: %(default)s)")
    parser.add_argument("--data-root", help="folder of the datasets (default: TRSFNET_DATA)")


def _align_options(parser: argparse.ArgumentParser) -> None:
    _paths(parser)
    parser.add_argument(
        "--crop",
        choices=("margin", "warp"),
        default="margin",
        help="the face's box with a margin, or its five points to fixed places (default: margin)",
    )
    parser.add_argument("--size", type=int, help="side in pixels (default: 160, with warp 112)")
    parser.add_argument("--margin", type=int, help="pixels of the side that are margin (default: 32)")
    parser.add_argument(
        "--missing",
        choices=("crop", "skip"),
        default="crop",
        help="where no face is found, crop the middle or skip the image (default: crop)",
    )


def _pack_options(parser: argparse.ArgumentParser) -> None:
    _paths(parser)
    parser.add_argument("--size", type=int, default=160, help="side in pixels (default: %(default)s)")
    parser.add_argument("--crop", type=int, help="pixels to keep of the middle (default: the shorter side)")
    parser.add_argument("--quality", type=int, default=95, help="of the JPEGs (default: %(default)s)")
    parser.add_argument(
        "--skip-corrupt", action="store_true", help="leave out and list what cannot be decoded"
    )


def _paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="SOURCE", help="where the images are")
    parser.add_argument("target", type=Path, metavar="TARGET", help="folder to make")


def _train(options: argparse.Namespace) -> int:
    # Imported here, so that --help and --version need not wait for torch.
    from trsfnet.experiments.run import run
    from trsfnet.training.config import TrainConfig

    parameters = {name: _value(text) for name, text in options.parameters}
    record = run(
        TrainConfig.from_parameters(parameters, options.preset),
        runs=options.runs,
        data_root=options.data_root,
        preset=options.preset,
        devices=options.devices,
    )
    one_of_many = int(os.environ.get("WORLD_SIZE", 1)) > 1
    if os.environ.get("RANK", "0") == "0":
        print(f"{record.status}: {record.path}  {record.info['message']}".rstrip())
    # To torchrun any other code is a crash; a collapse is a result.
    return 0 if record.status == "done" or one_of_many else 1


def _align(options: argparse.Namespace) -> int:
    from trsfnet.data.align import MarginCrop, Mtcnn, WarpCrop, align_faces
    from trsfnet.training.precision import best_device

    kinds = {"margin": MarginCrop, "warp": WarpCrop}
    if options.crop == "warp" and options.margin is not None:
        raise ConfigError("--margin needs --crop margin: the warp has none.")
    given = {name: getattr(options, name) for name in ("size", "margin")}
    crop = kinds[options.crop](**{name: value for name, value in given.items() if value is not None})
    source = _opened(options, skip=True)
    counts = align_faces(source, options.target, Mtcnn(str(best_device())), crop, missing=options.missing)
    print(
        f"aligned {sum(counts.values()):,} images into {options.target}: one face in {counts['found']:,}, "
        f"one chosen among several in {counts['chosen']:,}, none in {counts['none']:,}, failed "
        f"{counts['failed']:,}; report.csv there lists them all"
    )
    return 0


def _pack(options: argparse.Namespace) -> int:
    from trsfnet.data.pack import write_pack

    source = _opened(options, skip=options.skip_corrupt)
    settings = {name: getattr(options, name) for name in ("size", "crop", "quality", "skip_corrupt")}
    pack = write_pack(source, options.target, **settings)
    print(
        f"packed {len(pack):,} images of {len(pack.identities):,} identities into {options.target}; left out "
        f"{len(pack.skipped):,}"
    )
    return 0


def _opened(options: argparse.Namespace, *, skip: bool) -> Source:
    """SOURCE, with a line on standard error for each file that is left out of it."""
    from trsfnet.data.folder import FolderSource
    from trsfnet.data.sources import open_source

    if options.target.resolve().is_relative_to(options.source.resolve()):
        raise ConfigError(f"TARGET must lie outside of SOURCE, got {options.target} in {options.source}.")
    source = open_source(options.source, skip=skip)
    if isinstance(source, FolderSource):
        for sentence in source.skipped:
            print(f"trsfnet: left out: {sentence}.", file=sys.stderr)
    return source


def _value(text: str) -> object:
    """`True`, `None`, numbers and lists as in Python; anything else is text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
