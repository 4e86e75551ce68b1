"""Lists of runs with their progress and staleness, and comparisons of two runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trsfnet.analysis import Analysis, load
from trsfnet.analysis.run import Run
from trsfnet.errors import ConfigError
from trsfnet.experiments.budgets import protocol
from trsfnet.experiments.record import is_study, read_record
from trsfnet.paths import user_path
from trsfnet.report.names import measure_header
from trsfnet.report.run_state import message, value_of
from trsfnet.training.config import LATER_SETTINGS

HEADER = ("track", "run", "status", "epochs", "result", "budget", "stale")
"""The columns of `lines`."""


def lines(runs: Sequence[Run]) -> list[tuple[str, ...]]:
    """Return the runs as rows with the columns `HEADER`."""
    return [
        (
            run.track,
            run.run_id,
            run.status,
            _epochs(run),
            value_of(run, run.measures[0]) if run.done else "–",
            run.budget or "of its own",
            run.stale,
        )
        for run in runs
    ]


def _epochs(run: Run) -> str:
    """Return the finished and the planned epochs, such as `3/4`."""
    return f"{run.epochs_done}/{run.config['epochs']}"


def to_dict(run: Run) -> dict[str, Any]:
    """Return a run as JSON types, without its tables."""
    return {
        "run": run.run_id,
        "path": str(run.path),
        "track": run.track,
        "variant": run.variant,
        "seed": run.seed,
        "status": run.status,
        "message": message(run),
        "epochs_done": run.epochs_done,
        "epochs": run.config["epochs"],
        "budget": run.budget,
        "metrics": run.metrics,
        "seconds": run.info.get("seconds"),
        "stale": run.stale,
    }


def measures(runs: Sequence[Run]) -> list[str]:
    """Name the measures in the column `result` for each track of `runs`."""
    found: dict[str, dict[str, None]] = {}
    for run in runs:
        found.setdefault(run.track, {})[measure_header(run.measures[0], run.track)] = None
    return [f"{track}: {' or '.join(names)}" for track, names in found.items()]


def sorted_runs(found: Analysis) -> list[Run]:
    """Return all runs, sorted by track, variant and seed."""
    return sorted(found.runs, key=lambda run: (run.track, run.variant, run.seed, run.run_id))


def find_run(name: str, roots: Sequence[Path]) -> Run:
    """Find a run by its folder, its place in a study, or the beginning of its id under `roots`.

    Raises:
        ConfigError: no id begins with `name`, or several do.
        RecordError: a root does not exist, or the folder holds no run.
    """
    folder = user_path(name)
    if folder.is_dir() or is_study(folder.parent):
        return Run(read_record(folder))
    found = [run for run in sorted_runs(load(*roots)) if run.run_id.startswith(name)]
    if len(found) != 1:
        where = " and ".join(map(str, roots))
        several = ", ".join(run.run_id for run in found[:3])
        raise ConfigError(
            f"{len(found)} runs in {where} begin with {name} ({several}, ...): give more of the id."
            if found
            else f"No run in {where} begins with {name}: `trsfnet runs` lists them."
        )
    return found[0]


@dataclass(frozen=True)
class RunComparison:
    """The differences between two runs.

    Attributes:
        runs: ids of the two runs.
        settings: the settings that differ, by name, each with the values of both runs.
        results: final metrics by name, each with the values of both runs; None if a run lacks one.
        facts: status, epochs, duration in seconds and staleness, each with the values of both runs.
        comparable: whether the runs were made with the same protocol, so that their results may be compared.
    """

    runs: tuple[str, str]
    settings: dict[str, tuple[Any, Any]]
    results: dict[str, tuple[float | None, float | None]]
    facts: dict[str, tuple[Any, Any]]
    comparable: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)

    @property
    def advice(self) -> str:
        """A sentence on the conclusions that the results of the two runs permit."""
        if not self.comparable:
            return "The runs were evaluated with different protocols: their results cannot be compared."
        statuses = zip(self.runs, self.facts["status"], strict=True)
        if ended_otherwise := [
            f"{run} {_WITHOUT_RESULT[status]}" for run, status in statuses if status != "done"
        ]:
            return f"{' and '.join(ended_otherwise)}: there is no final result to compare."
        return "One run each: `trsfnet report` tests whether a difference exceeds the spread between seeds."


_WITHOUT_RESULT = {"collapsed": "collapsed", "failed": "was cut off", "running": "is not finished"}


def compare(a: Run, b: Run) -> RunComparison:
    """Compare the settings and results of two runs."""
    settings = [LATER_SETTINGS | run.config for run in (a, b)]
    names = dict.fromkeys(name for config in settings for name in config)
    values = {name: (settings[0].get(name), settings[1].get(name)) for name in names}
    metrics = dict.fromkeys((*a.metrics, *b.metrics))
    facts = {
        "status": (a.status, b.status),
        "epochs": (_epochs(a), _epochs(b)),
        "seconds": (a.info.get("seconds"), b.info.get("seconds")),
        "stale": (a.stale or "no", b.stale or "no"),
    }
    messages = (message(a), message(b))
    facts |= {"message": messages} if any(messages) else {}
    return RunComparison(
        runs=(a.run_id, b.run_id),
        settings={name: pair for name, pair in values.items() if pair[0] != pair[1]},
        results={name: (a.metrics.get(name), b.metrics.get(name)) for name in metrics},
        facts=facts,
        comparable=protocol(a.config) == protocol(b.config),
    )
