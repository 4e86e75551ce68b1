"""What the pipeline is asked for, as runs by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from trsfnet.data.tracks import fetch_track
from trsfnet.errors import ConfigError, choice
from trsfnet.experiments.budgets import BUDGETS, configs
from trsfnet.experiments.mechanism import mechanism_configs
from trsfnet.experiments.variants import GRID, STABILITY, Variant, variants_in
from trsfnet.training.config import TrainConfig

_OPTIONS = ("study", "budget", "track", "seeds", "exhibit", "precision")
STUDIES = ("paper", "stability", "mechanism")


def planned_runs(options: Mapping[str, Any], root: Path | None) -> dict[tuple[str, str], TrainConfig]:
    """The runs that `options` ask for, by track and run id.

    Args:
        options: `study` (one of `STUDIES`), `budget`, `track`, `seeds` (such as `0,1`; by default the
            budget's number of them), `exhibit` (such as `table 1`: only its variants) and `precision`, a
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
    budget = options.get("budget", "quick" if study == "paper" else study)
    choice("budget", budget, tuple(BUDGETS))
    track = options.get("track", "paper" if budget == "paper" else "synthetic")
    seeds = _seeds(options.get("seeds"))
    if study == "mechanism":
        if (budget, track) != ("mechanism", "synthetic") or "exhibit" in options:
            raise ConfigError(
                "study mechanism has its own budget and track, and is part of no exhibit of the paper."
            )
        runs = mechanism_configs(seeds=seeds)
    else:
        variants = _variants(study, options.get("exhibit"))
        runs = configs(variants, budget=budget, track=track, seeds=seeds)
    if "precision" in options:
        runs = [replace(config, precision=str(options["precision"])) for config in runs]
    fetch_track(track, root=root)
    return {(track, config.resolved(root).run_id): config for config in runs}


def _variants(study: str, exhibit: str | None) -> Sequence[Variant]:
    """What a study trains, or the part of it that an exhibit shows."""
    if exhibit is None:
        return GRID if study == "paper" else STABILITY
    variants = variants_in(exhibit)
    if not variants:
        known = sorted({name for variant in GRID for name in variant.exhibits})
        raise ConfigError(f"exhibit must be one of {', '.join(known)}, got {exhibit!r}.")
    return variants


def planned_number(budget: str, track: str) -> int:
    """How many runs a budget has on a track, with all of its seeds.

    Raises:
        ConfigError: unknown budget, or the budget is not made for the track.
    """
    if budget == "mechanism":
        return len(mechanism_configs())
    return len(configs(STABILITY if budget == "stability" else GRID, budget=budget, track=track))


def _seeds(asked: object) -> list[int] | None:
    """`0,1` as [0, 1]."""
    if asked is None:
        return None
    try:
        return [int(seed) for seed in str(asked).split(",")]
    except ValueError:
        raise ConfigError(f"seeds must be whole numbers such as 0,1,2, got {asked!r}.") from None
