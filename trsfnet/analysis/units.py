"""Number formats of quantities."""

from __future__ import annotations

from dataclasses import dataclass

from trsfnet.text import NBSP


@dataclass(frozen=True)
class Unit:
    """The number format of a quantity.

    Attributes:
        digits: number of digits after the decimal point.
        suffix: text after the number.
        factor: factor by which the value is multiplied before it is written.
        signed: True if positive numbers are written with a plus sign.
        logarithm: True if the value is the decimal logarithm of the number written.
    """

    digits: int
    suffix: str = ""
    factor: float = 1.0
    signed: bool = False
    logarithm: bool = False

    def bare(self, value: float, more_digits: int = 0) -> str:
        """Format the number without its suffix.

        Args:
            value: the value.
            more_digits: number of additional digits.
        """
        shown = 10**value if self.logarithm else self.factor * value
        # A number that rounds to 0 has no sign.
        shown = round(shown, self.digits + more_digits) + 0.0
        sign = "+" if self.signed and shown else ""
        return f"{shown:{sign},.{self.digits + more_digits}f}".replace("-", "−")

    def text(self, value: float, more_digits: int = 0) -> str:
        """Format the number with its suffix."""
        return self.bare(value, more_digits) + self.suffix

    def interval(self, value: float, low: float, high: float) -> str:
        """Format a value with its interval, such as `+1.2 points (−0.3 to +2.7)`."""
        return f"{self.text(value)} ({self.bare(low)} to {self.bare(high)})"

    def reachable(self, distance: float) -> bool:
        """Return whether two values can lie this far apart; two shares differ by less than 1."""
        return self.logarithm or self.factor != 100 or distance < 1

    def distance(self, value: float) -> str:
        """Format an unsigned distance, such as `1.2 points`; `none` if no two shares differ so much."""
        if self.logarithm:
            return f"a factor of {10**value:.3g}"
        if not self.reachable(value):
            return "none"
        suffix = " points" if self.factor == 100 else self.suffix
        return f"{self.factor * value:.{self.digits}f}{suffix}"


SHARE, POINTS = Unit(1, f"{NBSP}%", 100), Unit(1, " points", 100, signed=True)
NUMBER, SIGNED_NUMBER = Unit(2), Unit(2, signed=True)
COUNT, SIGNED_COUNT = Unit(0), Unit(0, signed=True)
EPOCHS, SIGNED_EPOCHS = Unit(1, " epochs"), Unit(1, " epochs", signed=True)
FACTOR, TIMES = Unit(2, logarithm=True), Unit(2, " times", logarithm=True)
