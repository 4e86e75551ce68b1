"""What the pipeline is asked for, as runs by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from trsfnet.errors import ConfigError, choice
from trsfnet.experiments.budgets import BUDGETS, configs
from trsfnet.experiments.variants import GRID, STABILITY, feeding
from trsfnet.training.config import TrainConfig

_OPTIONS = ("study", "budget", "track", "seeds", "exhibit", "precision")
STUDIES = ("paper", "stability")


def planned_runs(options: Mapping[str, Any], root: Path | None) -> dict[tuple[str, str], TrainConfig]:
    """The runs that `options` ask for, by track and run id.

    Args:
        options: `study` (`paper` or `stability`), `budget`, `track`, `seeds` (such as `0,1`; by default the
            budget's number of them), `exhibit` (such as `table 1`: only what feeds it) and `precision`, a
            part of a run's id, where the nodes compute in another one than this machine.
        root: folder of the datasets.

    Raises:
        ConfigError: an unknown option or value.
        DataError: the track's images are missing.
    """
    for name in options:
        choice("option", name, _OPTIONS)
    study = options.get("study", "paper")
    choice("study", study, STUDIES)
    budget = options.get("budget", "stability" if study == "stability" else "quick")
    choice("budget", budget, tuple(BUDGETS))
    track = options.get("track", "paper" if budget == "paper" else "synthetic")
    settings = GRID if study == "paper" else STABILITY
    if "exhibit" in options:
        settings = feeding(options["exhibit"])
        if not settings:
            known = sorted({exhibit for setting in GRID for exhibit in setting.feeds})
            raise ConfigError(f"exhibit must be one of {', '.join(known)}, got {options['exhibit']!r}.")
    precision = str(options.get("precision", "auto"))
    runs = configs(settings, budget=budget, track=track, seeds=_seeds(options.get("seeds")))
    runs = [replace(config, precision=precision) for config in runs]
    return {(track, config.resolved(root).run_id): config for config in runs}


def planned_number(budget: str, track: str) -> int:
    """How many runs a budget has on a track, with all of its seeds.

    Raises:
        ConfigError: unknown budget, or the budget is not made for the track.
    """
    settings = STABILITY if budget == "stability" else GRID
    return len(configs(settings, budget=budget, track=track))


def _seeds(asked: object) -> list[int] | None:
    """`0,1` as [0, 1]."""
    if asked is None:
        return None
    try:
        return [int(seed) for seed in str(asked).split(",")]
    except ValueError:
        raise ConfigError(f"seeds must be whole numbers such as 0,1,2, got {asked!r}.") from None
