"""The paper's published numbers with their location in the text, and the results of checking them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

# In this order: contradicts the paper's other numbers or its sources; is not stated or not shown; is less
# certain than stated; is an error without consequences; is confirmed by recomputation.
AUDIT_KINDS = ("contradiction", "gap", "statistics", "slip", "holds")


@dataclass(frozen=True)
class PaperTable:
    """One table of the paper.

    Attributes:
        number: number of the table in the paper.
        caption: the caption as printed.
        place: section and table.
        quantity: the quantity in the cells.
        unit: `percent`, or empty.
        cells: values by variant (`v1-trsf-prelu`) or, in table 6, by initial slope.
        trials: number of same-person pairs behind a percentage (LFW 3,000: every cell is k/3000), or None.
        variants: the variant of each cell if the cells are not named by variant.
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
        """The cells by variant, such as `v2-prelu-from0.25`; percentages are converted to shares in 0..1."""
        scale = 100 if self.unit == "percent" else 1
        return {self.variants.get(cell, cell): value / scale for cell, value in self.cells.items()}


@dataclass(frozen=True)
class PaperFigure:
    """The counts that the paper states in the caption of a figure.

    Attributes:
        number: number of the figure in the paper.
        caption: the first sentence of the caption, as printed.
        place: section and figure.
        quantity: the quantity counted.
        cells: counts by variant (`v1-trsf-prelu`), then by category, such as `negative`.
    """

    number: int
    caption: str
    place: str
    quantity: str
    cells: dict[str, dict[str, int]]


@dataclass(frozen=True)
class PaperQuantity:
    """A number stated in the text of the paper.

    Attributes:
        name: unique name.
        value: the number as printed, or a list of numbers.
        unit: unit in words, or empty.
        quote: the literal text around it.
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
            ValueError: there are several values.
        """
        if isinstance(self.value, list):
            raise ValueError(f"{self.name} has several values: expected one.")
        return self.value

    @property
    def share(self) -> float:
        """The single value, given in percent or percentage points, converted to a share.

        Raises:
            ValueError: the unit is another one, or there are several values.
        """
        if self.unit not in ("percent", "points"):
            raise ValueError(f"{self.name} is not in percent or points but in {self.unit or 'no unit'}.")
        return self.number / 100


@dataclass(frozen=True)
class AuditEntry:
    """A statement of the paper that was checked.

    Attributes:
        id: unique short name.
        kind: result of the check, one of `AUDIT_KINDS`.
        place: sections, tables or figures.
        says: the literal quote.
        reading: how this project interprets it.
        evidence: the reason for the result.
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
    """Return title, authors, journal, year and DOI of the paper."""
    return _content()["reference"]


def paper_table(number: int) -> PaperTable:
    """Return table `number` (1 to 6) as published."""
    return PaperTable(number=number, **_content()["tables"][str(number)])


def paper_figure(number: int) -> PaperFigure:
    """Return the counts of figure `number` (9 or 10) as published."""
    return PaperFigure(number=number, **_content()["figures"][str(number)])


@cache
def paper_quantities() -> dict[str, PaperQuantity]:
    """Return the numbers stated in the text, by name."""
    return {entry["name"]: PaperQuantity(**entry) for entry in _content()["quantities"]}


def audit() -> list[AuditEntry]:
    """Return the checked statements, in the order of the paper."""
    return [AuditEntry(**entry) for entry in _content()["audit"]]
