"""The commands to start with, and their measured durations."""

from __future__ import annotations

from trsfnet.analysis.benchmarks import measured
from trsfnet.report.display import Markdown, table
from trsfnet.text import duration

# Command, description, and the measured steps that it runs on a new machine.
_COMMANDS = (
    (
        "make book",
        "trains the paper's 18 settings briefly on rendered faces (3 epochs, one seed; the verdicts rest on "
        "the committed runs) and builds this book, `_build/html/index.html`",
        ("environment", "runs", "book"),
    ),
    (
        "make test",
        "runs all tests and builds the book with warnings as errors",
        ("environment", "tests"),
    ),
    (
        "make explore",
        "opens the explorer in JupyterLab, with every scale and slope of every run",
        ("environment",),
    ),
)


def commands() -> Markdown:
    """Tabulate the commands with their total time and the time of each step, under a heading of their own."""
    found = measured("commands")
    seconds = found["seconds"] if found else {}
    place = f"Times are for {found['machine']['cores']} CPU cores without a GPU. " if found else ""
    rows = [(f"`{command}`", what, _time(steps, seconds)) for command, what, steps in _COMMANDS]
    body = table(("Command", "What it does", "Time"), rows)
    return Markdown(
        f"## See for yourself\n\n{body}\n\n{place}Each command does its own set-up; none downloads faces."
    )


def _time(steps: tuple[str, ...], seconds: dict[str, float]) -> str:
    if not set(steps) <= seconds.keys():
        return "not timed yet"
    total = duration(sum(seconds[step] for step in steps))
    parts = [f"{step} {duration(seconds[step])}" for step in steps]
    return total if len(steps) == 1 else f"{total} ({', '.join(parts)})"
