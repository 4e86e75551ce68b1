"""The study on collapse: which scales train at which learning rates, how the others fail, and when."""

from trsfnet.report.stability.accuracy import accuracy_figure, differences
from trsfnet.report.stability.curves import loss_curves
from trsfnet.report.stability.map import outcome_map
from trsfnet.report.stability.study import Study, find_study
from trsfnet.report.stability.tables import about, collapses, limits, speed
from trsfnet.report.stability.verdict import claims_table, verdict

__all__ = [
    "Study",
    "about",
    "accuracy_figure",
    "claims_table",
    "collapses",
    "differences",
    "find_study",
    "limits",
    "loss_curves",
    "outcome_map",
    "speed",
    "verdict",
]
