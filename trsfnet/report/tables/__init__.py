"""The paper's tables 1 to 6 compared with our runs row by row, and the claims that rest on each table."""

from trsfnet.report.tables.comparison import comparison_table, papers_intervals
from trsfnet.report.tables.conclusion import claims_on, verdict
from trsfnet.report.tables.means import means_figure
from trsfnet.report.tables.runs import other_runs, runs_behind, why_by_person
from trsfnet.report.tables.wording import rule, sentence

__all__ = [
    "claims_on",
    "comparison_table",
    "means_figure",
    "other_runs",
    "papers_intervals",
    "rule",
    "runs_behind",
    "sentence",
    "verdict",
    "why_by_person",
]
