"""The state of a run on disk: written aside and then renamed, checked and read without executing anything."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm


def previous(path: Path) -> Path:
    """Where the checkpoint before the one in `path` is kept."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` to `path`, keeping the checkpoint that was there as `previous(path)`.

    Whenever the process ends, at least one of the two is complete.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".partial")
    with aside.open("wb") as file:
        torch.save(state, file)
        # Renaming must not reach the disk before the content does.
        file.flush()
        os.fsync(file.fileno())
    if path.is_file():
        os.replace(path, previous(path))
    os.replace(aside, path)


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any] | None:
    """The state in `path`; if that is damaged, the one before it; None if there is neither.

    Only tensors and plain values are admitted. What was wrong with a damaged file is said on standard error.
    """
    for file in (path, previous(path)):
        if not file.is_file():
            continue
        try:
            return _read(file, device)
        # torch.load raises almost anything on damaged bytes.
        except Exception as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            tqdm.write(
                f"The checkpoint {file} is damaged ({reason}); going on from the one before it, if any.",
                file=sys.stderr,
            )
    return None


def _read(file: Path, device: torch.device) -> dict[str, Any]:
    # torch.load verifies no checksum: without this a flipped bit would become a wrong weight.
    with zipfile.ZipFile(file) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(f"wrong checksum in {damaged}")
    return torch.load(file, map_location=device, weights_only=True)
