"""Budgets (the size of a run on each track) and the protocol that comparable runs share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from trsfnet.data.tracks import TRACKS
from trsfnet.errors import ConfigError, choice
from trsfnet.experiments.variants import Variant
from trsfnet.training.config import LATER_SETTINGS, TrainConfig, track_defaults

BUDGETS: dict[str, dict[str, Any]] = json.loads(
    (resources.files("trsfnet.experiments") / "budgets.json").read_text(encoding="utf-8")
)
"""Budgets in ascending order of size, with `about`, `seeds`, and for each track the settings it overrides.

Budgets with committed results specify the precision, so that results are comparable across machines. Some
have `more_seeds` for the variants of a table, by track, and a `first_seed` other than 0. The runs of a budget
marked `study` appear in no table of the paper. Such a budget may have `learning_rates`, each with its number
of seeds, and list in `varies` the training settings that differ between its runs. With `own_seeds`, only runs
whose seed is in the budget's range belong to it, which distinguishes them from another budget's runs with the
same settings.
"""

LONG_STUDIES = ("long", "long-usual-decay")
"""The studies on the length of training: at the paper's decay budget, and with the usual weight decay."""

OTHER = "other"
"""Suffix of the study name for runs that match no budget."""

# Settings that a table varies. All others form the protocol, which must agree between compared runs.
_SETTING_FIELDS = {
    "arch",
    "trsf",
    "trsf_per_channel",
    "scale_init",
    "fixed_scales",
    "activation",
    "slope_init",
    "loss",
    "seed",
}
ROUNDING_FIELDS = {"precision"}
"""Settings that affect only rounding."""


def configs(
    settings: Sequence[Variant], *, budget: str, track: str, seeds: Sequence[int] | None = None
) -> list[TrainConfig]:
    """Return the configurations of `settings` at a budget and at each of its learning rates, seed by seed.

    Args:
        settings: the variants to train.
        budget: name of the budget, such as `short`.
        track: name of the track, such as `lfw`.
        seeds: seeds for every variant; by default those of the budget.

    Raises:
        ConfigError: the budget is unknown or not defined for the track.
    """
    overrides = budget_settings(budget, track)
    planned: list[tuple[Variant, dict[str, Any], int]] = [
        (setting, overrides | {"learning_rate": rate}, number)
        for rate, number in learning_rates(budget).items()
        for setting in settings
    ] or [(setting, overrides, seeds_of(setting, budget=budget, track=track)) for setting in settings]
    most, first = max(number for *_, number in planned), first_seed(budget)
    return [
        setting.config(track=track, seed=seed, **changed)
        for seed in (range(first, first + most) if seeds is None else seeds)
        for setting, changed, number in planned
        if seeds is not None or seed < first + number
    ]


def first_seed(budget: str) -> int:
    """Return the first seed of a budget."""
    return BUDGETS[budget].get("first_seed", 0)


def seeds_of(setting: Variant, *, budget: str, track: str) -> int:
    """Return the number of seeds of a variant at a budget without `learning_rates` of its own."""
    entry = BUDGETS[budget]
    more = entry.get("more_seeds", {}).get(track, {})
    return max([entry["seeds"], *(more.get(exhibit, 0) for exhibit in setting.exhibits)])


def budget_settings(budget: str, track: str) -> dict[str, Any]:
    """Return the settings of the track that a budget overrides.

    Raises:
        ConfigError: the budget or the track is unknown, or the budget is not defined for the track.
    """
    choice("budget", budget, tuple(BUDGETS))
    choice("track", track, TRACKS)
    if track not in BUDGETS[budget]:
        made_for = " and ".join(name for name in TRACKS if name in BUDGETS[budget])
        raise ConfigError(f"budget {budget} is defined for the track {made_for}, got {track!r}.")
    return dict(BUDGETS[budget][track])


def budget_of(config: Mapping[str, Any]) -> str | None:
    """Return the budget that a run's settings match, at any of its learning rates; None if there is none."""
    for budget, entry in BUDGETS.items():
        if config["track"] in entry and _may_have(budget, config["seed"]):
            odd = departures_from(budget, config)
            at_a_rate = odd.keys() == {"learning_rate"} and odd["learning_rate"] in learning_rates(budget)
            if at_a_rate or odd.keys() <= set(varies(budget)):
                return budget
    return None


def _may_have(budget: str, seed: int) -> bool:
    """Return whether a run of a budget may have the seed."""
    entry, first = BUDGETS[budget], first_seed(budget)
    return not entry.get("own_seeds") or first <= seed < first + entry["seeds"]


def learning_rates(budget: str) -> dict[float, int]:
    """Return a budget's learning rates with their numbers of seeds; empty if it uses only the track's."""
    return {float(rate): seeds for rate, seeds in BUDGETS[budget].get("learning_rates", {}).items()}


def varies(budget: str | None) -> tuple[str, ...]:
    """Return the settings, besides the learning rate, that a budget's runs are trained with differently.

    Empty if all are trained alike, and for no budget.
    """
    return tuple(BUDGETS[budget].get("varies", ())) if budget else ()


def budget_at_any_rate(config: Mapping[str, Any]) -> str | None:
    """Return the budget of a run; one at another learning rate belongs to that of the track's usual rate.

    None if there is none at either rate.
    """
    usual = track_defaults(config["track"], config.get("train_set"))["learning_rate"]
    return budget_of(config) or budget_of({**config, "learning_rate": usual})


def of_a_study(config: Mapping[str, Any]) -> bool:
    """Return whether a run belongs to a separate study, which appears in no table of the paper."""
    budget = budget_at_any_rate(config)
    return budget is not None and is_study(budget)


def is_study(budget: str) -> bool:
    """Return whether the runs of a budget belong to a separate study."""
    return bool(BUDGETS[budget].get("study"))


def protocol(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that must agree for runs to be comparable.

    They include data, sizes, schedule, augmentation and ArcFace's constants, but not precision, which affects
    only rounding.
    """
    others = _SETTING_FIELDS | ROUNDING_FIELDS
    shared = {k: v for k, v in (LATER_SETTINGS | dict(config)).items() if k not in others}
    # A softmax run has no ArcFace constants; treat it as having the track's.
    defaults = track_defaults(config["track"], config.get("train_set"))
    for name in ("arcface_scale", "arcface_margin"):
        if shared.get(name) is None:
            shared[name] = defaults[name]
    return shared


def departures(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the protocol settings that differ from the nearest budget; empty for runs in the tables."""
    found = [departures_from(budget, config) for budget, entry in BUDGETS.items() if config["track"] in entry]
    return min(found, key=len)


def departures_from(budget: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the protocol settings that differ from a budget, which must be defined for the track.

    For a run of the budget, these can only be settings that the budget varies, or the learning rate.
    """
    standard = _standard(budget, config["track"], config.get("train_set"))
    return {
        name: value
        for name, value in protocol(config).items()
        if name != "images" and name in standard and _as_json(value) != standard[name]
    }


@cache
def _standard(budget: str, track: str, train_set: str | None) -> dict[str, Any]:
    """Return every setting at a budget as stored in `run.json`; cached, as reports need it for each run."""
    standard = TrainConfig(track=track, train_set=train_set).recorded
    standard |= track_defaults(track, train_set) | budget_settings(budget, track)
    return {name: _as_json(value) for name, value in standard.items()}


def _as_json(value: Any) -> Any:
    """Convert a setting to the form in which it is read from `run.json`."""
    return list(value) if isinstance(value, tuple) else value


def study_of(config: Mapping[str, Any]) -> str:
    """Return the study to which a run belongs: its folder in `results/`, named after track and budget."""
    return f"{config['track']}-{budget_of(config) or OTHER}"
