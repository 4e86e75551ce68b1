"""The paper's claims beside what the runs say: subjects, numbers, tables and figures."""

from trsfnet.report.claims.details import details
from trsfnet.report.claims.figures import counts, forest
from trsfnet.report.claims.glance import glance
from trsfnet.report.claims.judged import Judged, by_subject, judged, telling
from trsfnet.report.claims.tables import campaigns_table, rules, subject_table, verdict

__all__ = [
    "Judged",
    "by_subject",
    "campaigns_table",
    "counts",
    "details",
    "forest",
    "glance",
    "judged",
    "rules",
    "subject_table",
    "telling",
    "verdict",
]
