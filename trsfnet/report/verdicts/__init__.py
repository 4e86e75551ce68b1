"""What the runs say about the paper's claims, by rules that were stated before they were made."""

from trsfnet.report.verdicts.comparisons import Row, comparisons, rows
from trsfnet.report.verdicts.findings import (
    ALPHA,
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_RUN,
    SUPPORTED,
    Measured,
    Verdict,
)
from trsfnet.report.verdicts.judge import judge

__all__ = [
    "ALPHA",
    "CONTRADICTED",
    "INCONCLUSIVE",
    "NOT_RUN",
    "SUPPORTED",
    "Measured",
    "Row",
    "Verdict",
    "comparisons",
    "judge",
    "rows",
]
