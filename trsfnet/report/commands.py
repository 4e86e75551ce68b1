"""The commands to start with and how long they took where they were measured."""

from __future__ import annotations

from trsfnet.report.data.measured import measured
from trsfnet.report.display import Markdown, table
from trsfnet.report.names import duration

# Command, what it does, and which of the measured steps it goes through on a new machine.
_COMMANDS = (
    (
        "make book",
        "environment, the paper's 18 runs on rendered faces, the book in `_build/html/index.html`",
        ("environment", "runs", "book"),
    ),
    (
        "make test",
        "environment, linting, all tests, the book with warnings as errors",
        ("environment", "tests"),
    ),
    (
        "papermill notebooks/train.ipynb runs/mine.ipynb -p trsf True",
        "one run of your own; `jupyter-book build book/` then shows it",
        ("one run",),
    ),
)


def commands() -> Markdown:
    """Under a heading of their own, for the first page."""
    return Markdown(f"## See for yourself\n\n{commands_table()}\n\nNone of them downloads faces.")


def commands_table() -> str:
    """Three commands, each with its time step by step."""
    found = measured("commands")
    seconds = found["seconds"] if found else {}
    rows = [(f"`{command}`", what, _time(steps, seconds)) for command, what, steps in _COMMANDS]
    place = f"measured on {found['machine']['cores']} CPU cores, no GPU" if found else "measured"
    return table(("command", "what it does", place), rows)


def _time(steps: tuple[str, ...], seconds: dict[str, float]) -> str:
    if not set(steps) <= seconds.keys():
        return "not yet"
    total = duration(sum(seconds[step] for step in steps))
    parts = [f"{step} {duration(seconds[step])}" for step in steps]
    return total if len(steps) == 1 else f"{total} ({', '.join(parts)})"
