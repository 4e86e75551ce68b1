"""The command line: `python -m trsfnet`, or `trsfnet` once installed.

Each command is a module of this package that defines `PURPOSE`, `EPILOG`, `options` and `run`. Commands
import the packages below in their functions, so that `--help` need not wait for PyTorch.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
import warnings
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
from trsfnet.cli.output import lasting_output
from trsfnet.errors import TrsfnetError, cut, lacks_memory
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
# Commands that write files continue if the reader of their output closes it, as `head` does, and say this.
_CONTINUING = dict.fromkeys(
    ("evaluate", "compare", "merge", "embed", "export", "align", "pack"), "the command continues"
) | {"train": "training continues, and `trsfnet runs` shows its progress"}
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
        # argparse accepts -1 and -0.5 as numbers, but would treat -1e-3 as an option.
        self._negative_number_matcher = re.compile(r"-(\.?\d|inf|nan)")

    def error(self, message: str) -> NoReturn:
        """Report an error in one sentence, without the usage."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help.\n")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse `arguments` (by default, those of the process); `command` is the name of the command."""
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
        # argparse's own message would refer to the general help instead of the command's.
        commands.choices[given.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command given by `arguments` (by default, those of the process) and return its exit code."""
    # Pillow's warnings on damaged metadata or large images name no file; what cannot be read gets a sentence.
    warnings.filterwarnings("ignore", module="PIL")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may not support every character
    try:
        try:
            given = parse(arguments)
        except SystemExit:  # after --help or --version
            _flush()
            raise
        with termination(), _output(given.command):
            code = COMMANDS[given.command].run(given)
            _flush()
        return code
    except TrsfnetError as error:
        return _fail(2, str(error))
    except KeyboardInterrupt:
        return _fail(130, "interrupted; repeat the command to resume.")
    except Terminated as error:
        return _fail(error.exit_code, f"{error} Repeat the command to resume.")
    except BrokenPipeError:
        # The reader of the output, such as `head`, closed it. Python must not flush into the pipe at exit.
        _drop_output()
        return 0
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        return _fail(2, "there is not enough memory: choose smaller batches or images, or a larger machine.")
    except UnicodeEncodeError as error:
        # A library has no way to open a file whose name is not UTF-8, or not in this locale.
        return _fail(
            2, f"the name {cut(error.object)!a} must be UTF-8 and of this locale; try LC_ALL=C.UTF-8."
        )
    except OSError as error:
        # Errors of files that no other code handles, or a full disk behind the output.
        if error.filename is None:
            _drop_output()
        return _fail(2, f"{error.filename or 'the output'}: {error.strerror or error}.")


def _output(command: str) -> contextlib.AbstractContextManager[None]:
    consequence = _CONTINUING.get(command)
    return lasting_output(consequence) if consequence else contextlib.nullcontext()


def _flush() -> None:
    """Flush the output here: if that failed at exit, Python would print a message of its own."""
    if sys.stdout:  # None if it was closed
        sys.stdout.flush()


def _fail(code: int, sentence: str) -> int:
    try:
        _flush()
    except OSError:
        _drop_output()
    # With several processes, only the parent process reports an interruption.
    if code < 128 or "TORCHELASTIC_RUN_ID" not in os.environ:
        print(f"trsfnet: {sentence}", file=sys.stderr)
    return code


def _drop_output() -> None:
    """Prevent Python from flushing into a closed or full output at exit."""
    with contextlib.suppress(AttributeError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
