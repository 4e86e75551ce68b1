"""The command line: `python -m trsfnet`, or `trsfnet` once installed.

Exit codes: 0 done, 1 the training collapsed, 2 something given is wrong (one sentence on standard error).
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Sequence

import trsfnet
from trsfnet.errors import TrsfnetError

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command given by `arguments` (the process's own by default) and return its exit code."""
    parser = argparse.ArgumentParser(prog="trsfnet", description=trsfnet.__doc__)
    parser.add_argument("--version", action="version", version=f"trsfnet {trsfnet.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser(
        "train",
        help="train one network and record it",
        epilog=_TRAIN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.add_argument(
        "-p",
        dest="parameters",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a setting, as for papermill",
    )
    train.add_argument("--preset", help="one of the paper's schedules: vggface2 or ms1mv2; -p overrides it")
    train.add_argument("--devices", type=int, default=1, help="GPUs to train on together (default: 1)")
    train.add_argument("--runs", default="runs", help="folder of the run records (default: %(default)s)")
    train.add_argument("--data-root", help="folder of the datasets (default: TRSFNET_DATA)")
    options = parser.parse_args(arguments)
    try:
        return _train(options)
    except TrsfnetError as error:
        print(f"trsfnet: {error}", file=sys.stderr)
        return 2


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


def _value(text: str) -> object:
    """`True`, `None`, numbers and lists as in Python; anything else is text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
