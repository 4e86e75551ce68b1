"""What the pipeline is asked for, as runs by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trsfnet.data.tracks import fetch_track
from trsfnet.errors import ConfigError, choice
from trsfnet.experiments.budgets import BUDGETS, configs
from trsfnet.experiments.mechanism import mechanism_configs
from trsfnet.experiments.pilot import pilot_configs
from trsfnet.experiments.variants import (
    COLLAPSE,
    CONTROLS,
    GRID,
    LONG,
    STABILITY,
    WIDTH,
    Variant,
    variants_in,
)
from trsfnet.training.config import TrainConfig

_OPTIONS = ("study", "budget", "track", "seeds", "exhibit", "precision")


@dataclass(frozen=True)
class Study:
    """What belongs together in the pipeline.

    Attributes:
        budget: the one that it has if none is asked for.
        variants: what it trains.
        configs: its runs by seeds, in place of `variants`, where they differ in more than that.
    """

    budget: str
    variants: tuple[Variant, ...] = ()
    configs: Callable[[Sequence[int] | None], list[TrainConfig]] | None = None

    @property
    def track(self) -> str:
        """The one that it has if none is asked for: rendered faces where its budget has them."""
        return "synthetic" if "synthetic" in BUDGETS[self.budget] else "lfw"


STUDIES = {
    "paper": Study("quick", GRID),
    "control": Study("full", CONTROLS),
    "stability": Study("stability", STABILITY),
    "collapse": Study("collapse", COLLAPSE),
    "width": Study("width", WIDTH),
    "mechanism": Study("mechanism", configs=lambda seeds: mechanism_configs(seeds=seeds)),
    "matched-pilot": Study("matched-pilot", configs=pilot_configs),
    "long": Study("long", LONG),
}
"""What may be asked for by name; `budgets.json` says what each is about."""


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
    name = options.get("study", "paper")
    choice("study", name, tuple(STUDIES))
    study = STUDIES[name]
    budget = options.get("budget", study.budget)
    choice("budget", budget, tuple(BUDGETS))
    track = options.get("track", "paper" if budget == "paper" else study.track)
    seeds = _seeds(options.get("seeds"))
    if study.configs:
        if (budget, track) != (study.budget, study.track) or "exhibit" in options:
            raise ConfigError(
                f"study {name} has its own budget and track, and is part of no exhibit of the paper."
            )
        runs = study.configs(seeds)
    else:
        variants = _variants(study, options.get("exhibit"))
        runs = configs(variants, budget=budget, track=track, seeds=seeds)
    if "precision" in options:
        runs = [replace(config, precision=str(options["precision"])) for config in runs]
    fetch_track(track, root=root)
    return {(track, config.resolved(root).run_id): config for config in runs}


def _variants(study: Study, exhibit: str | None) -> Sequence[Variant]:
    """What a study trains, or the part of it that an exhibit shows."""
    if exhibit is None:
        return study.variants
    variants = variants_in(exhibit)
    if not variants:
        known = sorted({name for variant in GRID for name in variant.exhibits})
        raise ConfigError(f"exhibit must be one of {', '.join(known)}, got {exhibit!r}.")
    return variants


def planned_configs(budget: str, track: str) -> list[TrainConfig]:
    """The runs of a budget on a track, with all of its seeds.

    Raises:
        ConfigError: unknown budget, or the budget is not made for the track.
    """
    study = STUDIES.get(budget, STUDIES["paper"])
    return study.configs(None) if study.configs else configs(study.variants, budget=budget, track=track)


def _seeds(asked: object) -> list[int] | None:
    """`0,1` as [0, 1]."""
    if asked is None:
        return None
    try:
        return [int(seed) for seed in str(asked).split(",")]
    except ValueError:
        raise ConfigError(f"seeds must be whole numbers such as 0,1,2, got {asked!r}.") from None
