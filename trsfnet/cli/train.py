"""The command `trsfnet train`."""

from __future__ import annotations

import argparse
import ast

from trsfnet.cli import argument

PURPOSE = "train one network and record it"
EPILOG = """\
The record goes to FOLDER/TRACK/RUN; equal settings give the same run. Without any settings, v1 is trained on
rendered faces, in about two minutes:
  trsfnet train
  trsfnet train -p arch v1 -p trsf True -p activation prelu
  trsfnet train -p track lfw -p seed 1 --data-root ~/datasets
  trsfnet train --preset vggface2 -p track lfw -p batch_size 84 --devices 2

On several machines, or under SLURM, the respective launcher starts the processes:
  torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint HOST:29500 -m trsfnet train ...
  srun --ntasks-per-node 8 --gpus-per-node 8 trsfnet train ...

If the command is interrupted or killed, repeat it to resume from the last checkpoint. Finished runs are not
repeated.

`papermill --help-notebook notebooks/train.ipynb` lists the settings; so does, in Python,
help(trsfnet.TrainConfig).
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from trsfnet.experiments.options import OPTIONS

    parser.add_argument(
        "-p",
        dest="parameters",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a setting, as for papermill; may be repeated",
    )
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help=OPTIONS["preset"].help,
    )
    parser.add_argument(
        "--devices",
        type=int,
        default=1,
        metavar="N",
        help=f"{OPTIONS['devices'].help} (default: %(default)s)",
    )
    parser.add_argument("--again", action="store_true", help=OPTIONS["again"].help)
    parser.add_argument(
        "--runs",
        type=argument.path,
        default="runs",
        metavar="FOLDER",
        help=f"{OPTIONS['runs'].help} (default: %(default)s)",
    )
    parser.add_argument(
        "--data-root",
        type=argument.path,
        metavar="FOLDER",
        help=OPTIONS["data_root"].help,
    )


def run(given: argparse.Namespace) -> int:
    """Train a network and print the location of its record."""
    # Imported here so that --help and --version need not wait for torch.
    from trsfnet.errors import ConfigError
    from trsfnet.experiments.launch import is_launched
    from trsfnet.experiments.parameters import config_of
    from trsfnet.experiments.run import run as train
    from trsfnet.training.distributed import started_as

    parameters = {name: _value(text) for name, text in given.parameters}
    if len(parameters) < len(given.parameters):
        names = [name for name, _ in given.parameters]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"{repeated} must be given only once with -p, got {names.count(repeated)} values.")
    world = started_as()
    record = train(
        config_of(parameters, given.preset),
        runs=given.runs,
        data_root=given.data_root,
        preset=given.preset,
        devices=given.devices,
        again=given.again,
    )
    if world.rank == 0 and not is_launched():
        print(f"{record.status}: {record.path}  {record.info['message']}".rstrip())
    # torchrun treats any nonzero exit code as a crash, but a collapse is a result.
    return 0 if record.status == "done" or world.size > 1 else 1


def _value(text: str) -> object:
    """Parse `True`, `None`, numbers and lists as Python literals; anything else is text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
