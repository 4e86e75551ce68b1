"""The commands to start with, with their measured durations, and those that repeat the runs on a page."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from trsfnet.analysis.benchmarks import measured
from trsfnet.analysis.tables import TableRuns
from trsfnet.experiments.budgets import BUDGETS
from trsfnet.experiments.studies import planned_configs
from trsfnet.report.display import Markdown, table
from trsfnet.report.names import TRACKS
from trsfnet.text import counted, duration
from trsfnet.training.budget import Regime
from trsfnet.training.config import TrainConfig

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


def repeating(exhibit: str, shown: Sequence[TableRuns]) -> Markdown:
    """List the commands that repeat the runs on a page, with the settings that these runs share.

    Args:
        exhibit: the table or figure of the paper, such as `table 1`.
        shown: the tables whose runs the page shows.
    """
    groups: dict[tuple[str, str], list[TableRuns]] = {}
    for each in shown:
        if each.runs:
            groups.setdefault((each.track, each.budget), []).append(each)
    lines = [f"- {_repeated(exhibit, *group, tables)}" for group, tables in groups.items()]
    short = f'`make runs EXHIBIT="{exhibit}"` trains a brief version (3 epochs, one seed).'
    title = f"To repeat the runs of {exhibit} that are shown here:\n"
    return Markdown("\n".join([short if not lines else title, *lines]))


def _repeated(exhibit: str, track: str, budget: str, tables: Sequence[TableRuns]) -> str:
    words = [f'EXHIBIT="{exhibit}"', f"BUDGET={budget}"]
    words += [f"TRACK={track}"] if track != "synthetic" else []
    cells = {variant: cell for table in tables for variant, cell in table.cells.items() if cell}
    seeds = {variant: {run.seed for run in cell} for variant, cell in cells.items()}
    planned: dict[str, set[int]] = {variant: set() for variant in seeds}
    for config in planned_configs(budget, track) if budget in BUDGETS else ():
        if config.variant in planned:
            planned[config.variant].add(config.seed)
    if seeds != planned:  # without them, all planned seeds are trained
        words.append(f"SEEDS={','.join(map(str, sorted(set().union(*seeds.values()))))}")
    settings = _settings(tables[0].runs[0].settings, tables[0].regime)
    return f"On {TRACKS[track]}: `make runs {' '.join(words)}` ({settings})."


def _settings(config: TrainConfig, regime: Regime | None) -> str:
    """Return the settings of runs that their budget determines, in words."""
    steps = f"{regime.steps:,} steps with " if regime else ""
    width = f"{Fraction(config.width)} of the full width" if config.width < 1 else "full width"
    return (
        f"{counted(config.epochs, 'epoch')}, {steps}batches of {config.batch_size}, {config.schedule} "
        f"schedule from a learning rate of {config.learning_rate:g}, weight decay {config.weight_decay:g}, "
        f"{config.image_size} pixels, {width}"
    )
