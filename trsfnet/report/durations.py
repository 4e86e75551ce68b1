"""How long runs took, according to their records."""

from __future__ import annotations

import pandas as pd

from trsfnet.analysis import Analysis
from trsfnet.analysis.run import Run
from trsfnet.report.display import Markdown, captioned, table
from trsfnet.text import NBSP, duration


def durations(found: Analysis) -> Markdown:
    """Tabulate the wall time of one finished run, by track, budget, network and machine."""
    frame = found.frame
    frame = frame[(frame["status"] == "done") & (frame["seconds"] > 0)] if len(frame) else frame
    if frame.empty:
        return Markdown("No run has finished yet, so no time has been measured.")
    machines = pd.Series({run.run_id: _machine(run) for run in found.runs}).reindex(frame["run_id"])
    rows = []
    for key, seconds in frame.groupby(["track", "budget", "arch", machines.to_numpy()])["seconds"]:
        track, budget, arch, machine = map(str, key)
        ends = dict.fromkeys(duration(end).replace(" ", NBSP) for end in (seconds.min(), seconds.max()))
        span = " to ".join(ends)  # a single duration if both ends read the same
        options = f"`TRACK={track} BUDGET={budget}`" if budget else f"`{track}`, other settings"
        rows.append((options, arch, machine, str(len(seconds)), duration(seconds.median()), span))
    header = ("Options of `make runs`", "Network", "Machine", "Runs", "Median", "Range")
    caption = "Wall time of one run, from the records of all finished runs."
    return Markdown(captioned(caption, "durations", table(header, rows)))


def _machine(run: Run) -> str:
    hardware = run.info.get("hardware", {})
    threads = hardware.get("threads", "?")
    device, machine = hardware.get("device", "cpu"), hardware.get("cpu", "unknown machine")
    words = device if device != "cpu" else f"{machine}, {threads} thread{'' if threads == 1 else 's'}"
    return f"{words}, {hardware['note']}" if "note" in hardware else words
