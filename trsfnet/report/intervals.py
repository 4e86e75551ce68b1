"""The intervals that the report shows; their formulas are in `trsfnet.evaluation.statistics`."""

from trsfnet.evaluation.statistics import LEVEL, Interval, difference, mean_over_seeds, wilson

__all__ = ["LEVEL", "Interval", "difference", "mean_over_seeds", "wilson"]
