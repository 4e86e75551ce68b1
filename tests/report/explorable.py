"""Made-up runs with values of every kind, for tests of the explorer."""

from __future__ import annotations

from pathlib import Path

from tests.report.fakes import fake_run
from trsfnet.experiments.record import Record


def whole_run(root: Path, setting: str = "v1-trsf-prelu", **others: object) -> Record:
    """A run that also recorded residual ratios and kernel norms."""
    record = fake_run(root, setting, **others)
    rows = record.parameters().to_dict("records")
    rows += [
        {**row, "kind": kind, "name": row["name"].replace("TRSF", kind), "value": factor / (1 + row["epoch"])}
        for row in rows
        for kind, factor in (("ratio", abs(row["value"]) / 7), ("kernel", 9.0))
        if row["kind"] == "trsf"
    ]
    # What runs of a study record besides, under names of other forms.
    further = {"zeros": "features", "rescaled_loss": "2"}
    rows += [{**rows[-1], "kind": kind, "name": name} for kind, name in further.items()]
    record.write_parameters(rows)
    return record
