"""What the runs say about the paper's claims, by rules that were stated before they were made."""

from trsfnet.report.verdicts.comparisons import (
    OPEN,
    Comparison,
    comparisons,
    differences,
    rule,
    sentence,
    verdict,
)
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
    "OPEN",
    "SUPPORTED",
    "Comparison",
    "Measured",
    "Verdict",
    "comparisons",
    "differences",
    "judge",
    "rule",
    "sentence",
    "verdict",
]
