"""Plain text for readers: numbers with units, and lists of words. No markup."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

# Placed between a number and its unit to prevent a line break there.
NBSP = "\u00a0"


def percent(share: float) -> str:
    """`12.3 %` for 0.123; a dash for a non-finite value."""
    return f"{100 * share:.1f}{NBSP}%" if math.isfinite(share) else "–"


def points(difference: float) -> str:
    """`+1.2` for 0.012: a difference in percentage points with its sign, or `0.0`."""
    shown = round(100 * difference, 1)
    return f"{shown:+.1f}".replace("-", "−") if shown else "0.0"


def p_value(value: float) -> str:
    """A p value for a table, such as `0.012` or `<0.0001`."""
    return "<0.0001" if value < 1e-4 else f"{value:.2g}"


def p_in_text(value: float) -> str:
    """A p value for a sentence, such as `p = 0.012` or `p < 0.0001`."""
    return "p < 0.0001" if value < 1e-4 else f"p = {value:.2g}"


def percent_range(low: float, high: float) -> str:
    """The bounds of a proportion, such as `11.0 to 13.6 %`, limited to 0 and 100 %."""
    # A mean of proportions lies between 0 and 1, but Student's interval can exceed that range.
    return f"{100 * max(low, 0.0):.1f} to {100 * min(high, 1.0):.1f}{NBSP}%"


def decimal(value: float, digits: int = 2) -> str:
    """A number of either sign, such as `−0.12`."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def number_range(values: Sequence[float]) -> str:
    """The range of some numbers, such as `0.1 to 0.3`, or `0.1` if all are equal."""
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def significant(value: float, digits: int = 2) -> str:
    """A positive number with significant digits and without an exponent, such as `0.00033` or `1.4`."""
    if not value or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.{digits - 1}e}")  # may reach the next power of ten
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(rounded)))}f}"


def with_range(value: float, low: float, high: float, write: Callable[[float], str]) -> str:
    """A value with its range or interval, each as `write` writes it, such as `1.42 (1.30 to 1.55)`."""
    return f"{write(value)} ({write(low)} to {write(high)})"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def joined(words: Sequence[str], conjunction: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {conjunction} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def in_words(number: int) -> str:
    """`two` for 2, and so on up to nine; digits for other numbers."""
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[number] if 0 <= number < len(words) else f"{number:,}"


def counted(number: int, noun: str) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def capitalised(text: str) -> str:
    """`text` with a capital first letter; names in it keep their capitals."""
    return text[:1].upper() + text[1:]
