"""The runs of a group of cards, with each record read once and its faults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trsfnet.analysis.run import Run
from trsfnet.analysis.soundness import fault
from trsfnet.errors import TrsfnetError
from trsfnet.experiments.record import read_record

# Errors that a damaged record can raise wherever it is read.
READ_ERRORS = (TrsfnetError, KeyError, ValueError, TypeError, AttributeError, OSError)


@dataclass(frozen=True, eq=False)
class CardRun:
    """A run and what is known about its record.

    Attributes:
        path: path of the record.
        run: the run; None if its record cannot be read at all.
        fault: what is wrong with the record, in a sentence; None if it is sound.
        variant: variant, such as `v1-trsf-prelu`; empty if the record does not tell.
        in_study: whether the run belongs to the stability study; False if the record does not tell.
    """

    path: Path
    run: Run | None
    fault: str | None
    variant: str = ""
    in_study: bool = False


def read_run(path: Path) -> CardRun:
    """Read the run whose record is at `path`, even if the record is damaged."""
    try:
        run = Run(read_record(path))
    except READ_ERRORS as error:
        return CardRun(path, None, cannot_be_shown(path, error))
    try:
        wrong = fault(run)
    except READ_ERRORS as error:
        wrong = cannot_be_shown(path, error)
    try:
        return CardRun(path, run, wrong, run.variant, run.in_stability_study)
    except READ_ERRORS:
        return CardRun(path, run, wrong)


def cannot_be_shown(path: Path, error: Exception) -> str:
    """Return a sentence on a record that cannot be read completely."""
    return f"The run record {path} cannot be shown: {error}"
