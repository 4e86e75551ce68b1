"""The command line: `python -m trsfnet`, or `trsfnet` once installed.

Each command is a module of this package, with its `PURPOSE`, its `EPILOG`, its `options` and its `run`.

Exit codes: 0 done, 1 the training collapsed, 2 something given is wrong (one sentence on standard error),
130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import trsfnet
from trsfnet.cli import align, evaluate, pack, train
from trsfnet.errors import TrsfnetError

COMMANDS = {"train": train, "evaluate": evaluate, "align": align, "pack": pack}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command given by `arguments` (the process's own by default) and return its exit code."""
    parser = argparse.ArgumentParser(prog="trsfnet", description=trsfnet.__doc__)
    parser.add_argument("--version", action="version", version=f"trsfnet {trsfnet.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.PURPOSE,
            description=f"{module.PURPOSE}.",
            epilog=module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.options(command)
    given = parser.parse_args(arguments)
    try:
        return COMMANDS[given.command].run(given)
    except TrsfnetError as error:
        print(f"trsfnet: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("trsfnet: interrupted; the same command goes on from what is done.", file=sys.stderr)
        return 130
