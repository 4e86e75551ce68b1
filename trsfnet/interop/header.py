"""What stands in the header of a file, checked: anyone can have written it."""

from __future__ import annotations

import json
import reprlib
import sys
from collections.abc import Mapping
from typing import Any

from trsfnet.errors import ConfigError

_WORDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    dict: "a JSON object",
}


def text(header: Mapping[str, str], name: str) -> str:
    """The text under `name`.

    Raises:
        ConfigError: there is none.
    """
    if name not in header:
        raise ConfigError(f"{name} is missing.")
    return header[name]


def fields(header: Mapping[str, str], name: str) -> dict[str, Any]:
    """The JSON object under `name`.

    Raises:
        ConfigError: there is none.
    """
    try:
        found = json.loads(text(header, name))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name} must be {_WORDS[dict]}, got {reprlib.repr(header[name])}.") from error
    check(name, found, dict)
    return found


def check(name: str, value: object, kind: type) -> None:
    """Refuse a value of another kind; a whole number is a number too.

    Raises:
        ConfigError: it is; the sentence begins with `name`.
    """
    good = type(value) is kind or (kind is float and type(value) is int)
    if good and isinstance(value, int | float) and kind is float:
        # Written so that NaN is refused, and a whole number that no float holds.
        good = -sys.float_info.max <= value <= sys.float_info.max
    if not good:
        raise ConfigError(f"{name} must be {_WORDS[kind]}, got {reprlib.repr(value)}.")
