"""The paper's claims and the verdicts of the runs: subjects, numbers, tables and figures."""

from trsfnet.report.claims.figures import forest, outcomes
from trsfnet.report.claims.log_odds import gains
from trsfnet.report.claims.overview_figure import overview
from trsfnet.report.claims.subjects import by_subject
from trsfnet.report.claims.tables import campaigns_table, claims_table, rules, verdict
from trsfnet.report.claims.verdict_evidence import evidence

__all__ = [
    "by_subject",
    "campaigns_table",
    "claims_table",
    "evidence",
    "forest",
    "gains",
    "outcomes",
    "overview",
    "rules",
    "verdict",
]
