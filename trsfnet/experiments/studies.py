"""The studies that the pipeline can run, and the runs that its options select."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
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
    LONG_USUAL_DECAY,
    STABILITY,
    WIDTH,
    WIDTH_NARROW,
    Variant,
    variants_in,
)
from trsfnet.training.config import TrainConfig

_OPTIONS = ("study", "budget", "track", "seeds", "exhibit", "precision")


@dataclass(frozen=True)
class Study:
    """A set of runs that the pipeline executes together.

    Attributes:
        budget: the default budget.
        variants: the variants to train.
        configs: replaces `variants` if the runs differ in more than the variant; a function that returns the
            runs for some seeds, or for the default seeds if given None, on a track.
        further_tracks: the tracks besides `track` on which its runs are planned as well.
    """

    budget: str
    variants: tuple[Variant, ...] = ()
    configs: Callable[[Sequence[int] | None, str], list[TrainConfig]] | None = None
    further_tracks: tuple[str, ...] = ()

    @property
    def track(self) -> str:
        """The default track: `synthetic` if the budget is defined for it, otherwise `lfw`."""
        return "synthetic" if "synthetic" in BUDGETS[self.budget] else "lfw"

    def planned_on(self, budget: str, track: str) -> bool:
        """Return whether its runs are planned for a budget on a track."""
        return budget == self.budget and track in (self.track, *self.further_tracks)


STUDIES = {
    "paper": Study("quick", GRID),
    "control": Study("full", CONTROLS, further_tracks=("lfw",)),
    "stability": Study("stability", STABILITY),
    "collapse": Study("collapse", COLLAPSE),
    "width-narrow": Study("width-narrow", WIDTH_NARROW),
    "width": Study("width", WIDTH),
    "mechanism": Study("mechanism", configs=lambda seeds, _: mechanism_configs(seeds=seeds)),
    "matched-pilot": Study("matched-pilot", configs=pilot_configs, further_tracks=("lfw",)),
    "long": Study("long", LONG),
    "long-usual-decay": Study("long-usual-decay", LONG_USUAL_DECAY),
}
"""The studies by name; `budgets.json` describes each of them."""


def planned_runs(options: Mapping[str, Any], root: Path | None) -> dict[tuple[str, str], TrainConfig]:
    """Return the runs that `options` select, by track and run id.

    Args:
        options: `study` (one of `STUDIES`), `budget`, `track`, `seeds` (such as `0,1`; by default those of
            the budget), `exhibit` (such as `table 1`, to select only its variants) and `precision`, which is
            part of the run id and must be given if the compute nodes use another one than this machine.
        root: folder of the datasets.

    Raises:
        ConfigError: an option or value is unknown.
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
        if not study.planned_on(budget, track) or "exhibit" in options:
            raise ConfigError(
                f"study {name} has its own budget and track, and belongs to no exhibit of the paper."
            )
        runs = study.configs(seeds, track)
    else:
        if name != "paper" and "exhibit" in options:
            raise ConfigError(f"study {name} has its own variants, and belongs to no exhibit of the paper.")
        variants = _variants(study, options.get("exhibit"))
        runs = configs(variants, budget=budget, track=track, seeds=seeds)
    if "precision" in options:
        runs = [replace(config, precision=str(options["precision"])) for config in runs]
    fetch_track(track, root=root)
    return {(track, config.resolved(root).run_id): config for config in runs}


def _variants(study: Study, exhibit: str | None) -> Sequence[Variant]:
    """Return the variants of a study, or those of the grid that an exhibit shows."""
    if exhibit is None:
        return study.variants
    variants = variants_in(exhibit)
    if not variants:
        known = sorted({name for variant in GRID for name in variant.exhibits})
        raise ConfigError(f"exhibit must be one of {', '.join(known)}, got {exhibit!r}.")
    return variants


@cache
def planned_configs(budget: str, track: str) -> tuple[TrainConfig, ...]:
    """Return the runs of a budget on a track, with all of its seeds; planned only once.

    Those of a budget that is also a study are the study's, those of another budget the paper's.

    Raises:
        ConfigError: the budget is unknown or not defined for the track.
    """
    study = STUDIES.get(budget, STUDIES["paper"])
    if study.configs:
        return tuple(study.configs(None, track))
    return tuple(configs(study.variants, budget=budget, track=track))


def configs_of_budget(budget: str, track: str) -> tuple[TrainConfig, ...]:
    """Return the runs of all studies with this budget on a track: the paper's, and controls if there are any.

    Raises:
        ConfigError: the budget is unknown or not defined for the track.
    """
    further = [
        study
        for name, study in STUDIES.items()
        if study.planned_on(budget, track) and study.variants and name not in ("paper", budget)
    ]
    found = [config for study in further for config in configs(study.variants, budget=budget, track=track)]
    return (*planned_configs(budget, track), *found)


def _seeds(asked: object) -> list[int] | None:
    """Parse `0,1` as [0, 1]; None selects the default seeds."""
    if asked is None:
        return None
    try:
        return [int(seed) for seed in str(asked).split(",")]
    except ValueError:
        raise ConfigError(f"seeds must be whole numbers such as 0,1,2, got {asked!r}.") from None
