"""The papermill command that makes a run. It needs no training code, because reports show it."""

from __future__ import annotations

import shlex

from trsfnet.training.config import TrainConfig


def papermill_command(config: TrainConfig, preset: str | None = None, devices: int = 1) -> str:
    """Return the papermill command that repeats a run, with all settings that differ from the defaults."""
    output = f"runs/{config.track}-{config.slug}.ipynb"
    words = papermill_parameters(config, preset)
    if preset is not None:
        words += ["-p", "preset", preset]
    if devices > 1:
        words += ["-p", "devices", str(devices)]
    return shlex.join(["papermill", "notebooks/train.ipynb", output, *words])


def papermill_parameters(config: TrainConfig, preset: str | None = None) -> list[str]:
    """Return papermill options for every setting of `config` that differs from the defaults or preset."""
    words = []
    for name, value in config.differing(preset).items():
        if isinstance(value, tuple):
            words += ["-y", f"{name}: {list(value)}"]
        else:
            words += ["-p", name, str(value)]
    return words
