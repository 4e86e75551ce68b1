"""One setting of a configuration: its default, its valid values and its help, all next to its field."""

from __future__ import annotations

import math
import reprlib
import sys
from dataclasses import MISSING, Field, field
from typing import Any

from trsfnet.errors import ConfigError, choice
from trsfnet.text import joined


def setting(
    default: Any = MISSING,
    *,
    help: str,
    notes: str = "",
    choices: tuple[str, ...] = (),
    at_least: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
    none: Any = MISSING,
    needs: tuple[str, tuple[str, ...]] | None = None,
    argument: str = "",
    before: Any = MISSING,
) -> Any:
    """A field with its meaning and its valid values; without `default`, the track provides the default.

    Args:
        default: the default value.
        help: the meaning in a few words, without `choices` and `needs`, which `summary` adds.
        notes: what else the documentation says, in full sentences.
        choices: the valid values, if they are few.
        at_least: the smallest valid number.
        above: a number below all valid ones.
        below: a number above all valid ones.
        none: a value outside this range that turns the setting off; records store it as null.
        needs: another setting, and its values with which this one has an effect. With others, it keeps its
            default, and records store it as null.
        argument: the argument of `InceptionResnet` that it gives, if any.
        before: for a setting that was added later, what the records of all earlier runs imply.
    """

    def check(name: str, value: Any) -> None:
        if value == none:
            return
        if choices:
            choice(name, value, choices)
        if isinstance(value, tuple):
            for item in value:
                check(name, item)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return
        if not abs(value) <= sys.float_info.max:  # also a whole number that exceeds every float, or NaN
            raise ConfigError(f"{name} must be a finite number, got {reprlib.repr(value)}.")
        if value < at_least:
            raise ConfigError(f"{name} must be at least {at_least}, got {value}.")
        if value <= above:
            raise ConfigError(f"{name} must be above {above}, got {value}.")
        if value >= below:
            raise ConfigError(f"{name} must be below {below}, got {value}.")

    bounds = {"at least": at_least, "above": above, "below": below}
    metadata = {
        "help": help,
        "notes": notes,
        "choices": choices,
        "range": joined([f"{word} {bound:g}" for word, bound in bounds.items() if math.isfinite(bound)]),
        "check": check,
        "none": none,
        "needs": needs,
        "argument": argument,
        "before": before,
    }
    return field(default=default, metadata=metadata)


def summary(field_: Field[Any]) -> str:
    """Return the meaning of a setting, its choices and what it needs, on one line."""
    text = field_.metadata["help"]
    if field_.metadata["choices"]:
        text += f": {joined(field_.metadata['choices'], 'or')}"
    if field_.metadata["needs"]:
        other, values = field_.metadata["needs"]
        text += f"; needs {other} {joined(values, 'or')}"
    return text


def documentation(field_: Field[Any]) -> str:
    """Return the summary, the range and the notes of a setting, as full documentation gives them."""
    limits = f" ({field_.metadata['range']})" if field_.metadata["range"] else ""
    return f"{summary(field_)}{limits}. {field_.metadata['notes']}".strip()
