"""What a report needs to know about one run, beyond its record."""

from __future__ import annotations

import os

import pandas as pd

from trsfnet.errors import RecordError
from trsfnet.experiments.grid import is_papers
from trsfnet.experiments.record import Record
from trsfnet.experiments.scales import departures
from trsfnet.experiments.stale import why_stale
from trsfnet.report.names import MEASURES, percent

_STARTS = {"scale_init": 0.1, "slope_init": 0.2, "trsf_per_channel": False}


def damage(record: Record) -> str | None:
    """What makes a record unfit to report, as a sentence; None if it is sound."""
    track = record.info["track"]
    if track not in MEASURES:
        return f"The run record {record.path} is of an unknown track, {track!r}."
    try:
        peculiarities(record)
        epochs = epochs_done(record)
        learned(record)
        missing = [name for name in MEASURES[track] if name not in record.metrics]
    except KeyError as error:
        return f"The run record {record.path} is damaged: it lacks {error}."
    except (ValueError, TypeError, OSError) as error:
        return f"The run record {record.path} is damaged: {error}."
    if record.status == "done" and (missing or not epochs):
        return f"The run record {record.path} is damaged: it lacks {', '.join(missing) or 'history.csv'}."
    return None


def learned(record: Record) -> dict[str, pd.DataFrame]:
    """Values by kind (`trsf`, `slope`, `ratio`, `kernel`): a row per epoch, a column per module.

    A module with a factor per channel counts with their mean.
    """
    try:
        rows = record.parameters()
    except RecordError:
        return {}
    return {
        kind: rows[rows["kind"] == kind]
        .pivot_table(index="epoch", columns="name", values="value", aggfunc="mean", sort=False)
        .sort_index()
        for kind in ("trsf", "slope", "ratio", "kernel")
        if (rows["kind"] == kind).any()
    }


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
    """`text` as a link to what is known of a run, from the page that is being made: its working folder."""
    folder = os.path.relpath(record.path).replace(os.sep, "/")
    return f"[{text}]({folder}/run.json)"


def is_stale(record: Record) -> bool:
    """Whether other code than the present made the run."""
    return bool(why_stale(record))


def peculiarities(record: Record) -> list[str]:
    """How a run departs from the paper's settings and its track's protocol, such as `epochs 2`."""
    config = record.config
    found = [f"{name} {value}" for name, value in departures(config).items()]
    if not is_papers(config):
        found += [f"{k} {config[k]}" for k, v in _STARTS.items() if config[k] not in (None, v)]
    if config["loss"] != "softmax":
        found.append(f"loss {config['loss']}")
    return found
