"""Opens files for Arrow, whatever their names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pyarrow as pa


def arrow_file(path: Path, mode: Literal["rb", "wb"] = "rb") -> pa.OSFile:
    """Open a file for Arrow, which encodes paths as UTF-8 itself.

    It would fail on names that are not ASCII under `LC_ALL=C`, where Python may keep them as bytes. A Python
    file is no alternative: to release it, Arrow's threads need Python's lock, and they abort the process if
    Python exits meanwhile.

    Raises:
        OSError: if the file cannot be opened.
    """
    return pa.OSFile(os.fsencode(path), mode)
