"""What a report needs to know about one run, beyond its record."""

from __future__ import annotations

import math
import os
from collections.abc import Hashable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd

from trsfnet.errors import ConfigError, RecordError
from trsfnet.experiments.budgets import departures
from trsfnet.experiments.record import Record
from trsfnet.experiments.stale import why_stale
from trsfnet.experiments.variants import GRID
from trsfnet.models.inception_resnet import PAPER_SCALE, PAPER_SLOPE
from trsfnet.report.names import MEASURES, percent
from trsfnet.report.places import page, place
from trsfnet.training.config import LATER_SETTINGS, TrainConfig

_PAPERS = {setting.key for setting in GRID}
# What a run has always resolved, and pages compute with.
_ALWAYS_SET = {"loss", "image_size", "width", "epochs", "batch_size", "learning_rate", "precision"}


def damage(record: Record) -> str | None:
    """What makes a record unfit to report, as a sentence; None if it is sound."""
    track = record.info["track"]
    if track not in MEASURES:
        return f"The run record {record.path} is of an unknown track, {track!r}."
    try:
        _check_types(record)
        peculiarities(record)
        epochs = epochs_done(record)
        values = learned(record)
        missing = [name for name in MEASURES[track] if name not in record.metrics]
        missing += [] if epochs else ["history.csv"]
        missing += ["parameters.parquet"] if record.config["trsf"] and "trsf" not in values else []
    except KeyError as error:
        return f"The run record {record.path} is damaged: it lacks {error}."
    except (ConfigError, ValueError, TypeError, OSError) as error:
        return f"The run record {record.path} is damaged: {str(error).rstrip('.')}."
    if record.status == "done" and missing:
        return f"The run record {record.path} is damaged: it lacks {', '.join(missing)}."
    return None


def _check_types(record: Record) -> None:
    """What is read everywhere must be of its type; a ValueError or KeyError says what is not."""
    if not isinstance(record.run_id, str):
        raise ValueError(f"run_id must be text, got {record.run_id!r}")
    config = LATER_SETTINGS | record.config
    TrainConfig.from_parameters(config)
    values = {field.name: config[field.name] for field in fields(TrainConfig)}
    for name in _ALWAYS_SET:
        if values[name] is None:
            raise ValueError(f"{name} must be set, got None")
    for name, value in record.metrics.items():
        if type(value) not in (int, float) or not math.isfinite(value):
            raise ValueError(f"{name} must be a number, got {value!r}")


def learned(record: Record) -> dict[str, pd.DataFrame]:
    """Values by kind (`trsf`, `slope`, `ratio`, `kernel`): a row per epoch, a column per module.

    A module with a factor per channel counts with their mean.
    """
    if not record.has("parameters"):
        return {}
    key = record.version("parameters")
    if key not in _TABLES:
        _TABLES[key] = _tables(record.parameters())
    return {kind: table.copy() for kind, table in _TABLES[key].items()}


# Kept, since every page of the book reads every record.
_TABLES: dict[Hashable, dict[str, pd.DataFrame]] = {}


def _tables(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The values by kind: a row per epoch, a column per module."""
    # By hand in a fraction of the time that pivot_table takes: there are hundreds of files.
    row, epochs = rows["epoch"].factorize(sort=True)
    column, names = rows["name"].factorize()
    kind, kinds = rows["kind"].factorize()
    cell = row * len(names) + column
    count = np.bincount(cell, minlength=len(epochs) * len(names))
    total = np.bincount(cell, rows["value"], minlength=len(count))
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    mean = mean.reshape(len(epochs), -1)
    index, columns = pd.Index(epochs, name="epoch"), pd.Index(names, name="name")
    tables = {}
    for number, word in enumerate(kinds):
        own = pd.unique(column[kind == number])
        known = ~np.isnan(mean[:, own]).all(axis=1)
        tables[word] = pd.DataFrame(mean[known][:, own], index[known], columns[own])
    return tables


def epochs_done(record: Record) -> int:
    """How many epochs the run has finished."""
    try:
        return len(record.history())
    except RecordError:
        return 0


def settled(records: list[Record]) -> list[Record]:
    """The finished runs; while there is none, all: an early end must not stand for a setting."""
    return [r for r in records if r.status == "done"] or records


def state(record: Record) -> str:
    """Status of a run in words, with what a reader should know about it."""
    words = record.status
    if record.status == "running":
        words = f"running, {epochs_done(record)} of {record.config['epochs']} epochs done"
    elif record.info.get("message"):
        words = f"{record.status}: {record.info['message']}"
    return f"{words} (made by earlier code)" if is_stale(record) else words


def value_of(record: Record, measure: str) -> str:
    """A run's final value, or its status where it has none."""
    return percent(record.metrics[measure]) if record.status == "done" else record.status


def card_link(record: Record, text: str) -> str:
    """`text` as a link to a run's card; where no cards were made beside the page, to its record.

    Pages are made in their own folder, which is the working folder.
    """
    return _link(record, text, place(record))


def page_link(record: Record, text: str) -> str:
    """`text` as a link to the page that has a run's card, whether or not it has others."""
    return _link(record, text, page(record))


def _link(record: Record, text: str, where: str) -> str:
    track = record.track
    if Path("runs", track, page(record)).is_file():
        return f"[{text}](runs/{track}/{where})"
    file = os.path.relpath(next(iter(record.files.values()), record.path)).replace(os.sep, "/")
    return f"[{text}]({file})"


def is_stale(record: Record) -> bool:
    """Whether other arithmetic than the present made the run."""
    return bool(why_stale(record))


def peculiarities(record: Record) -> list[str]:
    """How a run departs from the paper's settings and its track's protocol, such as `epochs 2`."""
    config = record.config
    usual = {
        "loss": "softmax",
        "scale_init": PAPER_SCALE if config["trsf"] else None,
        "slope_init": PAPER_SLOPE,
        "trsf_per_channel": False,
    }
    others = {name: config[name] for name, value in usual.items() if config[name] not in (None, value)}
    if record.setting in _PAPERS:
        others = {}  # its loss and its starts are what a table of the paper varies
    return [f"{name} {value}" for name, value in (departures(config) | others).items()]
