"""How long runs took, as their records say."""

from __future__ import annotations

import pandas as pd

from trsfnet.experiments.budgets import budget_of
from trsfnet.experiments.record import Record
from trsfnet.report.collection import Collection
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.report.names import NBSP, duration

_KINDS = ["track", "scale", "arch", "machine"]


def durations(collection: Collection) -> Markdown:
    """Wall time of one finished run, by track, scale, network and machine."""
    finished = [_row(r) for r in collection.records if r.status == "done" and r.info.get("seconds")]
    if not finished:
        return Markdown("No run has finished yet, so that no time was measured.")
    rows = []
    for (track, scale, arch, machine), seconds in pd.DataFrame(finished).groupby(_KINDS)["seconds"]:
        ends = dict.fromkeys(duration(end).replace(" ", NBSP) for end in (seconds.min(), seconds.max()))
        span = " to ".join(ends)  # one of them, where they are the same in words
        options = f"`TRACK={track} BUDGET={scale}`" if scale else f"`{track}`, settings of its own"
        rows.append((options, arch, machine, str(len(seconds)), duration(seconds.median()), span))
    header = ("Options of `make runs`", "Network", "Machine", "Runs", "Median", "Range")
    caption = "Wall time of one run, from the records of all that have finished."
    return Markdown(captioned(caption, "durations", table(header, rows)))


def _row(record: Record) -> dict[str, object]:
    hardware = record.info.get("hardware", {})
    threads = hardware.get("threads", "?")
    device, machine = hardware.get("device", "cpu"), hardware.get("cpu", "unknown machine")
    words = device if device != "cpu" else f"{machine}, {threads} thread{'' if threads == 1 else 's'}"
    if "note" in hardware:
        words += f", {hardware['note']}"
    return {
        "track": record.info["track"],
        "scale": budget_of(record.config) or "",
        "arch": record.config["arch"],
        "machine": words,
        "seconds": record.info["seconds"],
    }
