"""The state of a run on disk: written aside and then renamed, read without executing anything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` so that `path` always holds a complete checkpoint, the old one or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".partial")
    torch.save(state, aside)
    os.replace(aside, path)


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any] | None:
    """The state in `path`, or None if there is no such file. Only tensors and plain values are admitted."""
    if not path.is_file():
        return None
    return torch.load(path, map_location=device, weights_only=True)
