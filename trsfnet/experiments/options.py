"""Options of the notebook and the command that train, apart from the settings of the run."""

from __future__ import annotations

from types import UnionType
from typing import NamedTuple


class Option(NamedTuple):
    """An option: where and how to train, as opposed to a setting, which may change the result.

    Attributes:
        kind: type of its value.
        help: its meaning in a few words.
    """

    kind: type | UnionType
    help: str


OPTIONS = {
    "preset": Option(str | None, "the paper's schedule for settings that are not given: vggface2 or ms1mv2"),
    "data_root": Option(
        str | None, "folder of the datasets (default: TRSFNET_DATA, otherwise LFW is downloaded)"
    ),
    "runs": Option(str, "folder of the run records"),
    "devices": Option(int, "number of GPUs, or of processes on the CPU, that train together"),
    "again": Option(bool, "retrain a run whose arithmetic has changed since; the old run is kept"),
}
"""The options by name."""
