"""The size of a run on each track, its budget, and which runs may be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib import resources
from typing import Any

from trsfnet.errors import ConfigError, choice
from trsfnet.experiments.variants import Variant
from trsfnet.training.config import LATER_SETTINGS, TrainConfig, track_defaults

BUDGETS: dict[str, dict[str, Any]] = json.loads(
    (resources.files("trsfnet.experiments") / "budgets.json").read_text(encoding="utf-8")
)
"""Budgets from the smallest: `about`, `seeds`, and by track the settings that differ from its own.

Those with committed results name their precision, so that results stay of one kind on any machine.
Some have `more_seeds`, by track, for what a table shows, and a `first_seed` other than 0. The budget of a
`study` is in no table of the paper. It may have `learning_rates`, with the seeds of each, and name in
`varies` the settings of training that differ between its runs. With `own_seeds` a run is the study's by its
seed, where its settings may be another budget's too.
"""

OTHER = "other"
"""Ends the name of the study of runs that are of no budget."""

# What a table varies. Everything else, the protocol, must agree between runs that are compared.
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
# What changes not the thing learned, only its rounding.
_ROUNDING_FIELDS = {"precision"}


def configs(
    settings: Sequence[Variant], *, budget: str, track: str, seeds: Sequence[int] | None = None
) -> list[TrainConfig]:
    """The runs of `settings` at a budget, seed by seed; if the budget has learning rates, at each of them.

    Args:
        settings: what to train.
        budget: such as `full`.
        track: such as `lfw`.
        seeds: of every setting; by default as many as the budget has for each, from its first.

    Raises:
        ConfigError: unknown budget, or the budget is not made for the track.
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
    """The seed from which those of a budget are numbered."""
    return BUDGETS[budget].get("first_seed", 0)


def seeds_of(setting: Variant, *, budget: str, track: str) -> int:
    """How many seeds a setting has at a budget that leaves the learning rate to the track."""
    entry = BUDGETS[budget]
    more = entry.get("more_seeds", {}).get(track, {})
    return max([entry["seeds"], *(more.get(exhibit, 0) for exhibit in setting.exhibits)])


def budget_settings(budget: str, track: str) -> dict[str, Any]:
    """The settings by which a budget differs from the track's own.

    Raises:
        ConfigError: unknown budget, or the budget is not made for the track.
    """
    choice("budget", budget, tuple(BUDGETS))
    if track not in BUDGETS[budget]:
        made_for = " and ".join(name for name, entry in BUDGETS[budget].items() if isinstance(entry, dict))
        raise ConfigError(f"budget {budget} is made for the track {made_for}, got {track!r}.")
    return dict(BUDGETS[budget][track])


def budget_of(config: Mapping[str, Any]) -> str | None:
    """The budget at which a run was made, at any of the learning rates that it has; None if it is none."""
    for budget, entry in BUDGETS.items():
        if config["track"] in entry and _may_have(budget, config["seed"]):
            odd = _departures(config, budget)
            at_a_rate = odd.keys() == {"learning_rate"} and odd["learning_rate"] in learning_rates(budget)
            if at_a_rate or odd.keys() <= set(entry.get("varies", ())):
                return budget
    return None


def _may_have(budget: str, seed: int) -> bool:
    """Whether a run of a budget may have the seed."""
    entry, first = BUDGETS[budget], first_seed(budget)
    return not entry.get("own_seeds") or first <= seed < first + entry["seeds"]


def learning_rates(budget: str) -> dict[float, int]:
    """The learning rates of a budget, each with its number of seeds; empty if it has the track's alone."""
    return {float(rate): seeds for rate, seeds in BUDGETS[budget].get("learning_rates", {}).items()}


def of_a_study(config: Mapping[str, Any]) -> bool:
    """Whether a run belongs to a study of its own, which is in no table of the paper."""
    usual = track_defaults(config["track"], config.get("train_set"))["learning_rate"]
    budget = budget_of(config) or budget_of({**config, "learning_rate": usual})
    return budget is not None and BUDGETS[budget].get("study", False)


def protocol(config: Mapping[str, Any]) -> dict[str, Any]:
    """What two runs must share to be compared: data, sizes, schedule, augmentation, ArcFace's constants."""
    others = _SETTING_FIELDS | _ROUNDING_FIELDS
    shared = {k: v for k, v in (LATER_SETTINGS | dict(config)).items() if k not in others}
    # A run with softmax has no such constants; it stands next to the runs with its track's own.
    defaults = track_defaults(config["track"], config.get("train_set"))
    for name in ("arcface_scale", "arcface_margin"):
        if shared.get(name) is None:
            shared[name] = defaults[name]
    return shared


def departures(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run's protocol that are not those of the nearest budget; empty in the tables."""
    found = [_departures(config, budget) for budget, entry in BUDGETS.items() if config["track"] in entry]
    return min(found, key=len)


def _departures(config: Mapping[str, Any], budget: str) -> dict[str, Any]:
    standard = _standard(budget, config["track"], config.get("train_set"))
    return {
        name: value
        for name, value in protocol(config).items()
        if name != "images" and name in standard and _as_json(value) != standard[name]
    }


@cache
def _standard(budget: str, track: str, train_set: str | None) -> dict[str, Any]:
    """Every setting at a budget, as `run.json` has it; a report of many runs asks again and again."""
    standard = asdict(TrainConfig(track=track, train_set=train_set))
    standard |= track_defaults(track, train_set) | budget_settings(budget, track)
    return {name: _as_json(value) for name, value in standard.items()}


def _as_json(value: Any) -> Any:
    """A setting as it comes back from `run.json`."""
    return list(value) if isinstance(value, tuple) else value


def study_of(config: Mapping[str, Any]) -> str:
    """The study that a run belongs to, named for its track and budget: its folder in `results/`."""
    return f"{config['track']}-{budget_of(config) or OTHER}"
