"""What the runs of a folder say about the paper's claims, as text and as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trsfnet.experiments.folders import find_folder
from trsfnet.paper.claims import claims_by_id
from trsfnet.report.collection import Collection
from trsfnet.report.summary import generated
from trsfnet.report.verdicts import judge


def text(folder: Path) -> str:
    """What `results/README.md` says of our runs, of those in `folder`: Markdown.

    Raises:
        RecordError: there is no such folder.
    """
    return generated(find_folder(folder)).rstrip("\n")


def verdicts(folder: Path) -> list[dict[str, Any]]:
    """A verdict on each claim from each group of runs in `folder` that may be compared, of JSON types.

    Raises:
        RecordError: there is no such folder.
    """
    claims = claims_by_id()
    found = judge(list(claims.values()), Collection.read(folder).records)
    return [{"statement": claims[verdict.claim].statement, **verdict.to_dict()} for verdict in found]
