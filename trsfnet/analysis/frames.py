"""Tidy pandas tables of runs, their histories and their parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.run import Run
from trsfnet.experiments.variants import short_name

KEYS = ("run_id", "track", "variant", "name", "seed", "budget")
"""Columns that identify a run in every table; `name` is the readable variant, such as `v1 + TRSF`."""

_MEASURES = tuple(dict.fromkeys(name for names in MEASURES.values() for name in names))
_ALWAYS = (
    "status",
    "collapse_kind",
    "collapse_step",
    "epochs_done",
    "seconds",
    "started",
    "stale",
    "path",
    "arch",
    "loss",
    "learning_rate",
    *_MEASURES,
)
"""Columns that a table of runs has even without runs."""


def runs_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """Return a table with one row per run: see `trsfnet.analysis.runs`."""
    found = pd.DataFrame([_row(run) for run in runs])
    return found.reindex(columns=list(dict.fromkeys([*KEYS, *_ALWAYS, *found.columns])))


def histories_frame(runs: Iterable[Run]) -> pd.DataFrame:
    """Return a table with one row per run and epoch: see `trsfnet.analysis.histories`."""
    return _stacked(((run, run.history) for run in runs), ("epoch", "loss", "train_accuracy", *_MEASURES))


def parameters_frame(runs: Iterable[Run]) -> pd.DataFrame:
    """Return a table with one row per run, epoch and module: see `trsfnet.analysis.parameters`."""
    tables = ((run, _long(table).assign(kind=kind)) for run in runs for kind, table in run.learned.items())
    return _stacked(tables, ("epoch", "module", "value", "kind"))


def _long(table: pd.DataFrame) -> pd.DataFrame:
    """Reshape a table to one row per epoch and module."""
    return pd.Series(table.rename_axis(columns="module").stack(), name="value").reset_index()


def _key(run: Run) -> dict[str, Any]:
    values = (run.run_id, run.track, run.variant, short_name(run.variant), run.seed, run.budget or "")
    return dict(zip(KEYS, values, strict=True))


def _row(run: Run) -> dict[str, Any]:
    ended = {
        "status": run.status,
        "collapse_kind": run.collapse.kind if run.collapse else None,
        "collapse_step": run.collapse.step if run.collapse else None,
        "epochs_done": run.epochs_done,
        "seconds": run.info.get("seconds"),
        "started": run.started,
        "stale": run.stale,
        "path": str(run.path),
    }
    settings = {name: value for name, value in run.config.items() if name not in KEYS}
    return _key(run) | ended | run.metrics | settings


def _stacked(tables: Iterable[tuple[Run, pd.DataFrame]], columns: Sequence[str]) -> pd.DataFrame:
    """Concatenate the tables, adding the key columns of its run to each row; without any, give `columns`."""
    parts = [table.assign(**_key(run))[[*KEYS, *table.columns]] for run, table in tables if len(table)]
    if not parts:
        return pd.DataFrame(columns=[*KEYS, *columns])
    found = pd.concat(parts, ignore_index=True)
    # These strings repeat hundreds of thousands of times, so categories save memory.
    words = [name for name in (*KEYS, "kind", "module") if name in found and name != "seed"]
    return found.astype(dict.fromkeys(words, "category"))
