"""The paper's claims, grouped by subject."""

from __future__ import annotations

from trsfnet.analysis.rules import paper_rules
from trsfnet.paper.claims import Claim, claims_by_id

# The order on the page; other subjects follow.
_FIRST = (
    "Accuracy",
    "Speed of convergence",
    "Residual scales",
    "The role of the branches",
    "Slopes of PReLU",
    "Stability",
    "Counts",
    "The paper's values themselves",
    "Mechanisms",
    "What these runs cannot decide",
)


def by_subject() -> dict[str, list[Claim]]:
    """Return the paper's claims by subject, in the order of the page."""
    subjects: dict[str, list[Claim]] = {subject: [] for subject in _FIRST}
    for claim, rule in paper_rules().items():
        subjects.setdefault(rule.subject, []).append(claims_by_id()[claim])
    return subjects
