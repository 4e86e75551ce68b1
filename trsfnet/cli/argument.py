"""Types of arguments that several commands take."""

from __future__ import annotations

import argparse
from pathlib import Path

from trsfnet.errors import ConfigError
from trsfnet.paths import user_path


def path(text: str) -> Path:
    """`type=` of an argument that is a path."""
    try:
        return user_path(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from error
