"""The runs of a group of cards, each record read once, and what is wrong with those that cannot be shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trsfnet.analysis.run import Run
from trsfnet.analysis.soundness import fault
from trsfnet.errors import TrsfnetError
from trsfnet.experiments.record import read_record
from trsfnet.report.card_links import in_study

# What a damaged record can raise wherever something is read of it.
READ_ERRORS = (TrsfnetError, KeyError, ValueError, TypeError, AttributeError, OSError)


@dataclass(frozen=True, eq=False)
class CardRun:
    """A run as a card needs it.

    Attributes:
        path: of its record.
        run: the run; None if nothing of its record can be read.
        fault: what is wrong with the record, in a sentence.
        variant: the cell of the grid, such as `v1-trsf-prelu`; empty of a record that cannot tell.
        in_study: whether it is of the stability study; not of a record that cannot tell.
    """

    path: Path
    run: Run | None
    fault: str | None
    variant: str = ""
    in_study: bool = False


def read_run(path: Path) -> CardRun:
    """The run whose record is at `path`, whatever its state."""
    try:
        run = Run(read_record(path))
    except READ_ERRORS as error:
        return CardRun(path, None, cannot_be_shown(path, error))
    try:
        wrong = fault(run)
    except READ_ERRORS as error:
        wrong = cannot_be_shown(path, error)
    try:
        return CardRun(path, run, wrong, run.variant, in_study(run))
    except READ_ERRORS:
        return CardRun(path, run, wrong)


def cannot_be_shown(path: Path, error: Exception) -> str:
    """What to say of a record of which something cannot be read."""
    return f"The run record {path} cannot be shown: {error}"
