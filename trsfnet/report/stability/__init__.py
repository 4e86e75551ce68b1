"""The study on collapse: which scales train at which learning rates, and how and when others fail."""

from trsfnet.report.stability.accuracy import accuracy_figure, differences
from trsfnet.report.stability.conclusion import stability_claims, verdict
from trsfnet.report.stability.curves import loss_curves
from trsfnet.report.stability.grid import endings_grid
from trsfnet.report.stability.tables import about, collapses, limits, speed

__all__ = [
    "about",
    "accuracy_figure",
    "collapses",
    "differences",
    "endings_grid",
    "limits",
    "loss_curves",
    "speed",
    "stability_claims",
    "verdict",
]
