"""Checks whether a record can be reported, and if not, why."""

from __future__ import annotations

import math
from dataclasses import fields

from trsfnet.analysis.measures import MEASURES
from trsfnet.analysis.reach import run_regimes
from trsfnet.analysis.run import Run
from trsfnet.errors import ConfigError, RecordError
from trsfnet.experiments.budgets import LONG_STUDIES
from trsfnet.experiments.mechanism import BUDGET
from trsfnet.text import joined
from trsfnet.training.config import LATER_SETTINGS, TrainConfig

# Settings that every run resolves and that pages use in computations.
_ALWAYS_SET = {"loss", "image_size", "width", "epochs", "batch_size", "learning_rate", "precision"}


def fault(run: Run) -> str | None:
    """Return a sentence that says why a run's record cannot be reported; None if it is valid."""
    if run.track not in MEASURES:
        return f"The run record {run.path} is of an unknown track, {run.track!r}."
    try:
        _check_types(run)
        missing = _missing(run) if run.done else []
    except RecordError as error:
        return str(error)
    except KeyError as error:
        return f"The run record {run.path} is damaged: it lacks {error}."
    except (ConfigError, ValueError, TypeError, OSError) as error:
        return f"The run record {run.path} is damaged: {str(error).rstrip('.')}."
    if missing:
        return f"The run record {run.path} is damaged: it lacks {', '.join(missing)}."
    return None


def _missing(run: Run) -> list[str]:
    """Return what is missing from the record of a finished run."""
    missing = [name for name in run.measures if name not in run.metrics]
    missing += [] if run.epochs_done else ["history.csv"]
    if lacking := _recorded_kinds(run) - run.learned.keys():
        missing.append(f"{joined(sorted(lacking))} in parameters.parquet")
    return missing


def _recorded_kinds(run: Run) -> set[str]:
    """Return the kinds of values that the record of a finished run must have."""
    kinds = {"trsf"} if run.config["trsf"] else set()
    if run.budget not in (BUDGET, *LONG_STUDIES):
        return kinds  # the first runs recorded no more
    return kinds | {"kernel", "ratio"} | ({"slope"} if run.config["activation"] == "prelu" else set())


def _check_types(run: Run) -> None:
    """Check that fields used everywhere are readable and of the right type.

    Raises:
        ValueError: a field has an invalid value.
        KeyError: a setting is missing.
    """
    if not isinstance(run.run_id, str):
        raise ValueError(f"run_id must be text, got {run.run_id!r}")
    missing = [field.name for field in fields(TrainConfig) if field.name not in LATER_SETTINGS | run.config]
    if missing:
        raise KeyError(missing[0])
    for name in _ALWAYS_SET:
        if getattr(run.settings, name) is None:
            raise ValueError(f"{name} must be set, got None")
    for name, value in run.metrics.items():
        if type(value) not in (int, float) or not math.isfinite(value):
            raise ValueError(f"{name} must be a number, got {value!r}")
    # Read each once here, so that nothing fails later.
    _ = run.departures, run.history, run.learned, run.started_at, run.collapse
    if run.ended:
        run_regimes(run)
