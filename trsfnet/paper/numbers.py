"""The paper's published numbers, with their place in the text, and what in them does not add up."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

# Does not fit the paper's other numbers or its sources; is not said or not shown; is less certain than it
# sounds; misleads nobody; holds when recomputed.
AUDIT_KINDS = ("contradiction", "gap", "statistics", "slip", "holds")


@dataclass(frozen=True)
class PaperTable:
    """One table of the paper.

    Attributes:
        number: its number there.
        caption: as printed.
        place: section and table.
        quantity: what the cells measure.
        unit: `percent`, or empty.
        cells: value by variant (`v1-trsf-prelu`) or, in table 6, by starting slope.
        trials: number of same-person pairs behind a percentage (LFW 3,000: every cell is k/3000), or None.
        variants: variant of each cell, where cells are not named by it.
    """

    number: int
    caption: str
    place: str
    quantity: str
    unit: str
    cells: dict[str, float]
    trials: int | None = None
    variants: dict[str, str] = field(default_factory=dict)

    @property
    def by_variant(self) -> dict[str, float]:
        """The cells by variant, as run ids begin, such as `v2-prelu-from0.25`; percentages as shares."""
        scale = 100 if self.unit == "percent" else 1
        return {self.variants.get(cell, cell): value / scale for cell, value in self.cells.items()}


@dataclass(frozen=True)
class PaperFigure:
    """What the paper counts in the caption of one of its figures.

    Attributes:
        number: its number there.
        caption: its first sentence, as printed.
        place: section and figure.
        quantity: what is counted.
        cells: counts by variant (`v1-trsf-prelu`), then by what they count.
    """

    number: int
    caption: str
    place: str
    quantity: str
    cells: dict[str, dict[str, int]]


@dataclass(frozen=True)
class PaperQuantity:
    """One number in the text.

    Attributes:
        name: what it is the number of, unique.
        value: as printed, or a list of such.
        unit: in words, or empty.
        quote: the literal words around it.
        place: section or figure.
    """

    name: str
    value: float | list[float]
    unit: str
    quote: str
    place: str

    @property
    def number(self) -> float:
        """The single value.

        Raises:
            ValueError: there are several.
        """
        if isinstance(self.value, list):
            raise ValueError(f"{self.name} has several values: expected one.")
        return self.value

    @property
    def share(self) -> float:
        """A single value given in percent or percentage points, as a share.

        Raises:
            ValueError: it is given in another unit, or there are several.
        """
        if self.unit not in ("percent", "points"):
            raise ValueError(f"{self.name} is not in percent or points but in {self.unit or 'no unit'}.")
        return self.number / 100


@dataclass(frozen=True)
class AuditEntry:
    """Something in the paper that was checked.

    Attributes:
        id: a short name, unique.
        kind: one of `AUDIT_KINDS`.
        place: sections, tables or figures.
        says: the literal words.
        reading: how this project takes it.
        evidence: why.
    """

    id: str
    kind: str
    place: str
    says: str
    reading: str
    evidence: str


@cache
def _content() -> dict[str, Any]:
    text = (resources.files("trsfnet.paper") / "numbers.json").read_text(encoding="utf-8")
    return json.loads(text)


def reference() -> dict[str, Any]:
    """Title, authors, journal, year and DOI of the paper."""
    return _content()["reference"]


def paper_table(number: int) -> PaperTable:
    """Table `number` (1 to 6) as published."""
    return PaperTable(number=number, **_content()["tables"][str(number)])


def paper_figure(number: int) -> PaperFigure:
    """The counts of figure `number` (9 or 10) as published."""
    return PaperFigure(number=number, **_content()["figures"][str(number)])


@cache
def paper_quantities() -> dict[str, PaperQuantity]:
    """The numbers in the text, by name."""
    return {entry["name"]: PaperQuantity(**entry) for entry in _content()["quantities"]}


def audit() -> list[AuditEntry]:
    """What was checked in the paper's text, in its order."""
    return [AuditEntry(**entry) for entry in _content()["audit"]]
