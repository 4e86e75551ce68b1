"""The command line: `python -m trsfnet`, or `trsfnet` once installed.

Each command is a module of this package, with its `PURPOSE`, its `EPILOG`, its `options` and its `run`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import trsfnet
from trsfnet.cli import (
    align,
    compare,
    embed,
    evaluate,
    export,
    info,
    merge,
    pack,
    report,
    runs,
    train,
    verify,
)
from trsfnet.errors import TrsfnetError, lacks_memory
from trsfnet.termination import Terminated, termination

COMMANDS = {
    "train": train,
    "evaluate": evaluate,
    "compare": compare,
    "runs": runs,
    "merge": merge,
    "report": report,
    "embed": embed,
    "verify": verify,
    "export": export,
    "info": info,
    "align": align,
    "pack": pack,
}
_EPILOG = """\
`trsfnet COMMAND --help` explains a command and shows examples. To try trsfnet without any data:
  trsfnet info v1
  trsfnet train -p trsf True -p activation prelu
  trsfnet runs

Exit codes: 0 done; 1 the training collapsed; 2 invalid input, explained in one sentence on standard error;
130 interrupted; 143 terminated. Output files appear only when they are complete. After Ctrl-C or a kill,
repeat the command to resume.
"""


class _Parser(argparse.ArgumentParser):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # argparse itself takes -1e-3, unlike -1 and -0.5, for an option.
        self._negative_number_matcher = re.compile(r"-(\.?\d|inf|nan)")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one sentence, without the usage."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help.\n")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What `arguments` (the process's own by default) ask for; `command` names the command."""
    parser = _Parser(
        prog="trsfnet",
        description=trsfnet.__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"trsfnet {trsfnet.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.PURPOSE,
            description=f"{module.PURPOSE[0].upper()}{module.PURPOSE[1:]}.",
            epilog=module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.options(command)
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        # Left to argparse, the sentence would send the user to the help of all commands.
        commands.choices[given.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command given by `arguments` (the process's own by default) and return its exit code."""
    given = parse(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may not know a sign or a name
    try:
        with termination():
            code = COMMANDS[given.command].run(given)
            if sys.stdout:  # None where it was closed
                sys.stdout.flush()
        return code
    except TrsfnetError as error:
        return _fail(2, str(error))
    except KeyboardInterrupt:
        return _fail(130, "interrupted; repeat the command to resume.")
    except Terminated as error:
        return _fail(error.exit_code, f"{error} Repeat the command to resume.")
    except BrokenPipeError:
        # Whoever read the output, such as `head`, has enough. Python must not flush into the pipe at its end.
        _drop_output()
        return 0
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        return _fail(2, "there is not enough memory: choose smaller batches or images, or a larger machine.")
    except OSError as error:
        # Of all files that were not foreseen to fail, and of a full disk behind the output.
        if error.filename is None:
            _drop_output()
        return _fail(2, f"{error.filename or 'the output'}: {error.strerror or error}.")


def _fail(code: int, sentence: str) -> int:
    # An interruption of several processes is reported once, by the one that started them.
    if code < 128 or "TORCHELASTIC_RUN_ID" not in os.environ:
        print(f"trsfnet: {sentence}", file=sys.stderr)
    return code


def _drop_output() -> None:
    """Keep Python from flushing, at its end, into what takes no more."""
    with contextlib.suppress(AttributeError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
