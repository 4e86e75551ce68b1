"""The table of one run, for the notebook that trained it."""

from __future__ import annotations

from typing import Any

from trsfnet.experiments.record import Record
from trsfnet.report.display import Markdown, table
from trsfnet.report.names import duration, percent, setting_name


def run_summary(record: Record) -> Markdown:
    """What one run was and what came of it, as a table in plain Markdown."""
    info = record.info
    rows = [
        ("Setting", setting_name(record)),
        ("Track and seed", f"{record.info['track']}, seed {record.seed}"),
        ("Status", f"**{record.status}** {info.get('message', '')}"),
        *((measure_name(name), percent(value)) for name, value in record.metrics.items()),
        *_data(info.get("data", {})),
        *_counts(info.get("counts")),
        ("Wall time", duration(info.get("seconds", 0.0))),
        ("Record", f"`{record.path}`"),
        ("Repeat it", f"`{info.get('command', '')}`"),
    ]
    return Markdown(table(("Run", f"`{record.run_id}`"), rows))


def measure_name(name: str) -> str:
    """`TAR@FAR=1e-3, mean over people` for `tar_by_person@1e-3`."""
    kind, _, far = name.partition("@")
    words = {"tar": "TAR", "tar_by_person": "TAR, mean over people"}
    return f"{words.get(kind, kind.capitalize())}{f' at FAR {far}' if far else ''}"


def _data(data: dict[str, Any]) -> list[tuple[str, str]]:
    uses = {"train": "Trained on", "test": "Verified on"}
    return [
        (uses[part], f"{faces['images']:,} images of {faces['identities']:,} people, {faces['size']} px")
        for part, faces in data.items()
    ]


def _counts(counts: dict[str, int] | None) -> list[tuple[str, str]]:
    if counts is None:
        return []
    return [
        (
            "Network",
            f"{counts['parameters']:,} parameters, among them {counts['scales']:,} residual scales "
            f"and {counts['slopes']:,} slopes",
        )
    ]
