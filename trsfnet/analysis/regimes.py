"""Travel and decay budget of every schedule of this project and of the paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from trsfnet.data.lfw_files import read_people
from trsfnet.data.tracks.lfw import TRAIN_SETS
from trsfnet.experiments.budgets import BUDGETS, budget_settings, first_seed, learning_rates
from trsfnet.experiments.mechanism import LADDER
from trsfnet.experiments.pilot import pilot_configs
from trsfnet.training.budget import regime
from trsfnet.training.config import PRESETS, TrainConfig

# `smoke` only tests that everything runs, `width-narrow` has the schedule of `width`, and `paper` and
# `matched-pilot` are planned in their own ways.
_SHOWN = [budget for budget in BUDGETS if budget not in ("smoke", "width-narrow", "paper", "matched-pilot")]


def regimes() -> pd.DataFrame:
    """Return a table with one row per schedule, computed from configurations; the paper's come first.

    Returns:
        A table with the columns `budget` (for the paper's schedules, the training set), `track`, `steps`,
        `batch_size`, `people` and `images` (of the training set; none for the paper's), `schedule`,
        `learning_rate` (the largest), `weight_decay`, `travel` and `decay_budget`; see
        `trsfnet.training.budget`.
    """
    # The paper's rows have no numbers, with which pandas would turn all others into floats.
    return pd.DataFrame([*_papers(), *_ours()]).astype({"people": "Int64", "images": "Int64"})


def _papers() -> Iterator[dict[str, Any]]:
    for name in PRESETS:
        config = TrainConfig.from_parameters({"precision": "float32"}, name)
        yield _row(name, config, (None, None))


def _ours() -> Iterator[dict[str, Any]]:
    for budget in _SHOWN:
        for track in ("synthetic", "lfw"):
            if track in BUDGETS[budget]:
                settings = budget_settings(budget, track) | {"precision": "float32"}
                config = TrainConfig(track=track, **settings)
                rates = list(learning_rates(budget)) or [config.learning_rate]
                decays = LADDER if budget == "mechanism" else [config.weight_decay]
                for rate in {rates[0], rates[-1]}:
                    for decay in {decays[0], decays[-1]}:
                        varied = replace(config, learning_rate=rate, weight_decay=decay)
                        yield _row(budget, varied, _training_set(varied))
    for track in ("synthetic", "lfw"):
        for config in pilot_configs([first_seed("matched-pilot")], track):
            yield _row("matched-pilot", config, _training_set(config))


def _training_set(config: TrainConfig) -> tuple[int, int]:
    """Return the number of people and of images in the training set of a public track."""
    if config.track == "synthetic":
        return config.identities, config.identities * config.images_per_identity
    people, fewest = read_people(), config.images_per_identity
    found = [p.images for i in TRAIN_SETS for p in people[i] if p.images >= fewest]
    return len(found), sum(found)


def _row(budget: str, config: TrainConfig, training_set: tuple[int | None, int | None]) -> dict[str, Any]:
    people, images = training_set
    found = regime(config, config.steps_per_epoch or (images or 0) // config.batch_size)
    return {
        "budget": budget,
        "track": config.track,
        "steps": found.steps,
        "batch_size": config.batch_size,
        "people": people,
        "images": images,
        "schedule": config.schedule,
        "learning_rate": config.learning_rate,
        "weight_decay": config.weight_decay,
        "travel": found.travel,
        "decay_budget": found.decay_budget,
    }
