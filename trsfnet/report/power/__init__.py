"""How many seeds a difference needs."""

from trsfnet.report.power.calculation import SeedSpread, seed_spreads, smallest_difference
from trsfnet.report.power.exhibits import plan, power_figure, power_table, spreads_table

__all__ = [
    "SeedSpread",
    "plan",
    "power_figure",
    "power_table",
    "seed_spreads",
    "smallest_difference",
    "spreads_table",
]
