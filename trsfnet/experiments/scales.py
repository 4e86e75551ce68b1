"""At what scale the grid is run on a track, and which runs may stand beside each other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib import resources
from typing import Any

from trsfnet.errors import ConfigError, choice
from trsfnet.experiments.grid import Setting
from trsfnet.training.config import LATER_SETTINGS, TrainConfig, track_defaults

SCALES: dict[str, dict[str, Any]] = json.loads(
    (resources.files("trsfnet.experiments") / "scales.json").read_text(encoding="utf-8")
)
"""Scales from the smallest: `about`, `seeds`, and by track the settings that differ from its own.

Some have `more_seeds`, by track, for what feeds a table; one has `learning_rates` with the seeds of each.
"""

# What a table varies. Everything else, the protocol, must agree between runs that are compared.
_SETTING_FIELDS = {
    "arch",
    "trsf",
    "trsf_per_channel",
    "scale_init",
    "activation",
    "slope_init",
    "loss",
    "seed",
}
# What changes not the thing learned, only its rounding.
_ROUNDING_FIELDS = {"precision"}


def configs(
    settings: Sequence[Setting], *, scale: str, track: str, seeds: Sequence[int] | None = None
) -> list[TrainConfig]:
    """The runs of `settings` at a scale, seed by seed; if the scale has learning rates, at each of them.

    Args:
        settings: what to train.
        scale: such as `full`.
        track: such as `lfw`.
        seeds: of every setting; by default as many, from 0, as the scale has for each.

    Raises:
        ConfigError: unknown scale, or the scale is not made for the track.
    """
    overrides = scale_settings(scale, track)
    planned: list[tuple[Setting, dict[str, Any], int]] = [
        (setting, overrides | {"learning_rate": rate}, number)
        for rate, number in learning_rates(scale).items()
        for setting in settings
    ] or [(setting, overrides, seeds_of(setting, scale=scale, track=track)) for setting in settings]
    return [
        setting.config(track=track, seed=seed, **changed)
        for seed in (range(max(number for *_, number in planned)) if seeds is None else seeds)
        for setting, changed, number in planned
        if seeds is not None or seed < number
    ]


def seeds_of(setting: Setting, *, scale: str, track: str) -> int:
    """How many seeds a setting has at a scale that leaves the learning rate to the track."""
    entry = SCALES[scale]
    more = entry.get("more_seeds", {}).get(track, {})
    return max([entry["seeds"], *(more.get(exhibit, 0) for exhibit in setting.feeds)])


def scale_settings(scale: str, track: str) -> dict[str, Any]:
    """The settings by which a scale differs from the track's own.

    Raises:
        ConfigError: unknown scale, or the scale is not made for the track.
    """
    choice("scale", scale, tuple(SCALES))
    if track not in SCALES[scale]:
        made_for = " and ".join(name for name, entry in SCALES[scale].items() if isinstance(entry, dict))
        raise ConfigError(f"scale {scale} is made for the track {made_for}, got {track!r}.")
    return dict(SCALES[scale][track])


def scale_of(config: Mapping[str, Any]) -> str | None:
    """The scale at which a run was made, at any of the learning rates that it has; None if it is none."""
    for scale, entry in SCALES.items():
        if config["track"] in entry:
            odd = _departures(config, scale)
            if not odd or (odd.keys() == {"learning_rate"} and odd["learning_rate"] in learning_rates(scale)):
                return scale
    return None


def learning_rates(scale: str) -> dict[float, int]:
    """The rates at which a scale has every setting trained, with the number of seeds; none if the track's."""
    return {float(rate): seeds for rate, seeds in SCALES[scale].get("learning_rates", {}).items()}


def varies_rate(config: Mapping[str, Any]) -> bool:
    """Whether a run is of a scale that tries several learning rates, the study on stability, at any rate."""
    usual = track_defaults(config["track"], config.get("train_set"))["learning_rate"]
    scale = scale_of({**config, "learning_rate": usual})
    return scale is not None and bool(learning_rates(scale))


def protocol(config: Mapping[str, Any]) -> dict[str, Any]:
    """What two runs must share to be compared: data, sizes, schedule, augmentation, ArcFace's constants."""
    others = _SETTING_FIELDS | _ROUNDING_FIELDS
    shared = {k: v for k, v in (LATER_SETTINGS | dict(config)).items() if k not in others}
    # A run with softmax has no such constants; it stands beside the runs with its track's own.
    defaults = track_defaults(config["track"], config.get("train_set"))
    for name in ("arcface_scale", "arcface_margin"):
        if shared.get(name) is None:
            shared[name] = defaults[name]
    return shared


def departures(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run's protocol that are not those of the nearest scale; empty in the tables."""
    found = [_departures(config, scale) for scale, entry in SCALES.items() if config["track"] in entry]
    return min(found, key=len)


def _departures(config: Mapping[str, Any], scale: str) -> dict[str, Any]:
    standard = _standard(scale, config["track"], config.get("train_set"))
    return {
        name: value
        for name, value in protocol(config).items()
        if name != "images" and name in standard and _as_json(value) != standard[name]
    }


@cache
def _standard(scale: str, track: str, train_set: str | None) -> dict[str, Any]:
    """Every setting at a scale, as `run.json` has it; a report of many runs asks again and again."""
    standard = asdict(TrainConfig(track=track, train_set=train_set))
    standard |= track_defaults(track, train_set) | scale_settings(scale, track)
    return {name: _as_json(value) for name, value in standard.items()}


def _as_json(value: Any) -> Any:
    """A setting as it comes back from `run.json`."""
    return list(value) if isinstance(value, tuple) else value
