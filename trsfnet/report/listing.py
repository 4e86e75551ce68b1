"""Runs side by side: what is there, how far it is, whether it is stale, and how two of them differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trsfnet.errors import ConfigError
from trsfnet.experiments.budgets import budget_of, protocol
from trsfnet.experiments.folders import find_folder
from trsfnet.experiments.record import Record, read_record, read_records
from trsfnet.experiments.stale import why_stale
from trsfnet.paths import user_path
from trsfnet.report.names import MEASURE_NAMES, MEASURES
from trsfnet.report.runs import damage, epochs_done, value_of
from trsfnet.training.config import LATER_SETTINGS


@dataclass(frozen=True)
class Listed:
    """A run as a line of a list."""

    record: Record

    @property
    def stale(self) -> str:
        """Why the present code would give other numbers, in a few words; empty if it would not."""
        return why_stale(self.record)

    @property
    def epochs(self) -> str:
        """Such as `3/4`: done, and planned."""
        return f"{epochs_done(self.record)}/{self.record.config['epochs']}"

    @property
    def value(self) -> str:
        """What the verdicts of the run's track rest on, or a dash before the end."""
        measure = MEASURES[self.record.info["track"]][0]
        return value_of(self.record, measure) if self.record.status == "done" else "–"

    def to_dict(self) -> dict[str, Any]:
        """The run of JSON types, without its tables."""
        info = self.record.info
        return {
            "run": self.record.run_id,
            "path": str(self.record.path),
            "track": info["track"],
            "setting": self.record.setting,
            "seed": self.record.seed,
            "status": self.record.status,
            "message": info.get("message", ""),
            "epochs_done": epochs_done(self.record),
            "epochs": self.record.config["epochs"],
            "scale": budget_of(self.record.config),
            "metrics": self.record.metrics,
            "seconds": info.get("seconds"),
            "stale": self.stale,
        }


HEADER = ("track", "run", "status", "epochs", "result", "scale", "stale")
"""What `Listed` gives for a line of text, see `lines`."""


def lines(runs: Sequence[Listed]) -> list[tuple[str, ...]]:
    """The runs as rows under `HEADER`."""
    return [
        (
            run.record.info["track"],
            run.record.run_id,
            run.record.status,
            run.epochs,
            run.value,
            budget_of(run.record.config) or "of its own",
            run.stale,
        )
        for run in runs
    ]


def measures(runs: Sequence[Listed]) -> list[str]:
    """What `result` is on each track of `runs`, in words."""
    tracks = dict.fromkeys(run.record.info["track"] for run in runs)
    return [f"{track}: {MEASURE_NAMES[MEASURES[track][0]]}" for track in tracks]


def listing(roots: Sequence[Path]) -> tuple[list[Listed], list[str]]:
    """The runs under `roots`, and a sentence for each record that is no good.

    Args:
        roots: folders such as `runs`, with a folder for each track in them.

    Raises:
        RecordError: one of them does not exist.
    """
    records, problems = read_records(find_folder(root) for root in roots)
    harms = {record.path: damage(record) for record in records}
    sound = [record for record in records if not harms[record.path]]
    sound.sort(key=lambda record: (record.info["track"], record.setting, record.seed, record.run_id))
    return [Listed(record) for record in sound], problems + [harm for harm in harms.values() if harm]


def find_run(name: str, roots: Sequence[Path]) -> Record:
    """The run that `name` means: its folder, or how its id begins among the runs under `roots`.

    Raises:
        ConfigError: none begins so, or several do.
        DataError: a root does not exist.
        RecordError: the folder holds no run.
    """
    folder = user_path(name)
    if folder.is_dir():
        return read_record(folder)
    runs, _ = listing(roots)
    found = [run.record for run in runs if run.record.run_id.startswith(name)]
    if len(found) != 1:
        where = " and ".join(map(str, roots))
        several = ", ".join(record.run_id for record in found[:3])
        raise ConfigError(
            f"{len(found)} runs in {where} begin with {name} ({several}, ...): give more of the id."
            if found
            else f"No run in {where} begins with {name}: `trsfnet runs` lists them."
        )
    return found[0]


@dataclass(frozen=True)
class Comparison:
    """How two runs differ.

    Attributes:
        runs: their ids.
        settings: those that differ, by name, the values of both.
        results: final numbers, by name, of both; None where a run has none.
        facts: status, epochs, duration and what is stale, of both.
        comparable: whether they were made by one protocol, so that their results may be compared.
    """

    runs: tuple[str, str]
    settings: dict[str, tuple[Any, Any]]
    results: dict[str, tuple[float | None, float | None]]
    facts: dict[str, tuple[Any, Any]]
    comparable: bool

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)

    @property
    def advice(self) -> str:
        """What the results allow to be said."""
        if not self.comparable:
            return "The runs were made by different protocols: their results do not compare."
        return "One run each: whether a difference is more than the seed's, `trsfnet report` says."


def comparison(a: Record, b: Record) -> Comparison:
    """How two runs differ: settings first, then results."""
    settings = [LATER_SETTINGS | run.config for run in (a, b)]
    names = dict.fromkeys(name for config in settings for name in config)
    values = {name: tuple(config.get(name) for config in settings) for name in names}
    metrics = dict.fromkeys(name for run in (a, b) for name in run.metrics)
    listed = Listed(a), Listed(b)
    facts = {
        "status": (a.status, b.status),
        "epochs": (listed[0].epochs, listed[1].epochs),
        "seconds": (a.info.get("seconds"), b.info.get("seconds")),
        "stale": (listed[0].stale or "no", listed[1].stale or "no"),
    }
    return Comparison(
        runs=(a.run_id, b.run_id),
        settings={name: pair for name, pair in values.items() if pair[0] != pair[1]},
        results={name: (a.metrics.get(name), b.metrics.get(name)) for name in metrics},
        facts=facts,
        comparable=protocol(a.config) == protocol(b.config),
    )
