"""The paper's tables 1 to 6 beside our runs, row by row, with the claims that rest on each."""

from trsfnet.report.results.beside import beside, papers_intervals
from trsfnet.report.results.conclusion import claims_on, verdict
from trsfnet.report.results.details import other_runs, runs_behind, why_by_person
from trsfnet.report.results.dots import dots
from trsfnet.report.results.wording import rule, sentence

__all__ = [
    "beside",
    "claims_on",
    "dots",
    "other_runs",
    "papers_intervals",
    "rule",
    "runs_behind",
    "sentence",
    "verdict",
    "why_by_person",
]
