"""The table in a study's `runs.csv`: one row per run with the most important columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from trsfnet.experiments.record import Record
from trsfnet.experiments.variants import variant_key

# Settings always shown, in addition to those in which the runs differ; `runs.jsonl` has all settings.
_SETTINGS = ("learning_rate", "weight_decay", "schedule", "epochs", "batch_size", "image_size", "width")
_PROVENANCE = ("precision", "images")
# Decimal places; more than the precision of any metric.
_DIGITS = 6


def overview(runs: Sequence[Record]) -> pd.DataFrame:
    """Return the runs as a table for readers, with numbers rounded to six decimal places.

    Args:
        runs: the runs of one study, in the order of the rows.

    Raises:
        RecordError: an entry of a record is invalid.
    """
    settings = [
        *_SETTINGS,
        *(name for name in _varied(runs) if name not in (*_SETTINGS, "seed", *_PROVENANCE)),
    ]
    table = pd.DataFrame([_row(run, settings) for run in runs])
    collapse_step = table["collapse_step"].astype("Int64")  # integers with missing values
    return table.assign(collapse_step=collapse_step).round(_DIGITS)


def _varied(runs: Sequence[Record]) -> list[str]:
    """Return the settings in which the runs differ."""
    names = dict.fromkeys(name for run in runs for name in run.config)
    return [name for name in names if len({json.dumps(run.config.get(name)) for run in runs}) > 1]


def _row(run: Record, settings: Sequence[str]) -> dict[str, Any]:
    with run.naming("entries"):
        collapse = run.collapse
        return {
            "run": run.run_id,
            "track": run.track,
            "variant": variant_key(run.config),
            "seed": run.seed,
            "status": run.status,
            "collapse": collapse.kind if collapse else None,
            "collapse_step": collapse.step if collapse else None,
            **run.metrics,
            **{name: run.config.get(name) for name in settings},
            "minutes": run.info.get("seconds", 0.0) / 60,
            **{name: run.config.get(name) for name in _PROVENANCE},
            "started": run.info.get("started"),
            "results_version": run.info.get("results_version"),
            "version": run.info.get("version"),
            "git_commit": run.info.get("git_commit"),
            "command": run.info.get("command"),
        }
