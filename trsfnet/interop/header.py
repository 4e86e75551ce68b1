"""Validation of values in a file's header, which cannot be trusted."""

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
    list: "a list",
}


def text(header: Mapping[str, str], name: str) -> str:
    """Return the text under `name`.

    Raises:
        ConfigError: if it is missing.
    """
    if name not in header:
        raise ConfigError(f"{name} is missing.")
    return header[name]


def fields(header: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return the JSON object under `name`.

    Raises:
        ConfigError: if it is missing or not a JSON object.
    """
    try:
        found = json.loads(text(header, name))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name} must be {_WORDS[dict]}, got {reprlib.repr(header[name])}.") from error
    check(name, found, dict)
    return found


def check(name: str, value: object, kind: type) -> None:
    """Reject a value that is not of the given type; an integer is accepted as a float.

    Raises:
        ConfigError: if the type is wrong or a float is not finite; the message begins with `name`.
    """
    good = type(value) is kind or (kind is float and type(value) is int)
    if good and isinstance(value, int | float) and kind is float:
        # This comparison also rejects NaN and integers too large for a float.
        good = -sys.float_info.max <= value <= sys.float_info.max
    if not good:
        raise ConfigError(f"{name} must be {_WORDS[kind]}, got {reprlib.repr(value)}.")
