"""How numbers are called in records and reports."""

from __future__ import annotations


def far_name(far: float) -> str:
    """`1e-3` for 0.001: how a FAR is written in the names of metrics."""
    mantissa, exponent = f"{far:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"
