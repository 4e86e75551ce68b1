"""The paper's published numbers, with their place in the text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class PaperTable:
    """One table of the paper.

    Attributes:
        number: its number there.
        caption: as printed.
        place: section and table.
        quantity: what the cells measure.
        unit: `percent`, or empty.
        trials: number of same-person pairs behind a percentage (LFW 3,000: every cell is k/3000), or None.
        cells: value by setting (`v1-trsf-prelu`) or, in table 6, by starting slope.
    """

    number: int
    caption: str
    place: str
    quantity: str
    unit: str
    trials: int | None
    cells: dict[str, float]


@dataclass(frozen=True)
class PaperFigure:
    """What the paper counts in the caption of one of its figures.

    Attributes:
        number: its number there.
        caption: its first sentence, as printed.
        place: section and figure.
        quantity: what is counted.
        cells: counts by setting (`v1-trsf-prelu`), then by what they count.
    """

    number: int
    caption: str
    place: str
    quantity: str
    cells: dict[str, dict[str, int]]


@cache
def _content() -> dict[str, Any]:
    text = (resources.files("trsfnet.experiments") / "paper.json").read_text(encoding="utf-8")
    return json.loads(text)


def reference() -> dict[str, Any]:
    """Title, authors, journal, year and DOI of the paper."""
    return _content()["reference"]


def paper_table(number: int) -> PaperTable:
    """Table `number` (1 to 6) as published."""
    return PaperTable(number=number, **{"trials": None} | _content()["tables"][str(number)])


def paper_figure(number: int) -> PaperFigure:
    """The counts of figure `number` (9 or 10) as published."""
    return PaperFigure(number=number, **_content()["figures"][str(number)])
