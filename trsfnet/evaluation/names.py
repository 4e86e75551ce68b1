"""Formatting of numbers in metric names, for records and reports."""

from __future__ import annotations


def far_name(far: float) -> str:
    """Format a FAR as in metric names, such as `1e-3` for 0.001."""
    mantissa, exponent = f"{far:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"
