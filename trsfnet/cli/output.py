"""Output of commands: tables for people, JSON for programs."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO


def json_option(parser: argparse.ArgumentParser) -> None:
    """Declare `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def print_json(content: Any) -> None:
    """Print `content` as JSON."""
    print(json.dumps(content, indent=1, allow_nan=False))


def print_table(header: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[str] = ()) -> None:
    """Print a table with a header; the columns named in `right` are right-aligned."""
    lines = [tuple(header), *(tuple(map(str, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(header, line, widths, strict=True)
        ]
        print("  ".join(cells).rstrip())


@contextlib.contextmanager
def lasting_output(consequence: str) -> Iterator[None]:
    """Let the work in this context continue if the reader of the output closes it, as `head` does.

    Args:
        consequence: continuation of the message "the output was closed: ", which is then printed on standard
            error if that is still open.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_lasting(stream, consequence) for stream in before)
    try:
        yield
    finally:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        sys.stdout, sys.stderr = before


def _lasting(stream: TextIO, consequence: str) -> TextIO:
    """Return a stream to the same file that accepts output even after the reader has closed it."""
    try:
        raw = _Lasting(stream.fileno(), consequence)
    except (AttributeError, OSError):  # closed at the start, or not a file, as in tests
        return stream
    return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, "replace", line_buffering=True)


class _Lasting(io.FileIO):
    def __init__(self, descriptor: int, consequence: str) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._consequence = consequence

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            # From here on the descriptor leads to the null device, for Python's own streams as well.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            with contextlib.suppress(OSError):
                os.write(2, f"trsfnet: the output was closed: {self._consequence}.\n".encode())
            return len(content)
