"""Run records made up for tests: the shape of real ones, without training."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import vl_convert

from trsfnet.experiments.budgets import budget_settings
from trsfnet.experiments.code import source_hash
from trsfnet.experiments.commands import papermill_command
from trsfnet.experiments.record import SCHEMA, RunFolder
from trsfnet.experiments.stale import RESULTS_VERSION
from trsfnet.experiments.variants import Variant
from trsfnet.models import InceptionResnet
from trsfnet.report.explore.charts import VEGA_LITE
from trsfnet.training.config import TrainConfig

_STEPS = 60  # per epoch
IMAGES = {"synthetic": "renderer-1", "lfw": "deepfunneled"}


def resolved(config: TrainConfig) -> TrainConfig:
    """What `TrainConfig.resolved` gives, without looking for images."""
    start = 0.1 if config.trsf and config.scale_init == "paper" else config.scale_init
    return replace(config, scale_init=start, precision="float32", images=IMAGES[config.track])


def fake_run(
    root: Path,
    setting: str = "v1-relu",
    *,
    track: str = "synthetic",
    seed: int = 0,
    status: str = "done",
    tar: float = 0.2,
    info: dict[str, Any] | None = None,
    **others: Any,
) -> RunFolder:
    """Write a run that ended at `tar` and return its record.

    Args:
        root: folder such as `runs`.
        setting: such as `v1-trsf-prelu`.
        track: its track.
        seed: its seed.
        status: of the run; one that runs has finished half of its epochs.
        tar: TAR@FAR=1e-3 at the end.
        info: entries of `run.json` to replace.
        others: further settings.
    """
    arch, *words = setting.split("-")
    trsf = "trsf" in words
    activation = "_".join(word for word in words if word != "trsf")
    asked = replace(
        Variant(arch=arch, trsf=trsf, activation=activation).config(track=track, seed=seed), **others
    )
    config = resolved(asked)
    epochs = config.epochs if status == "done" else config.epochs // 2
    record = RunFolder(root / track / config.run_id, {})
    record.write_info(**(_info(asked, config, status, _metrics(track, tar)) | (info or {})))
    rng = np.random.default_rng([seed, *setting.encode()])
    record.write_history(
        [_row(epoch, track, tar * epoch / config.epochs, rng) for epoch in range(1, epochs + 1)]
    )
    record.write_parameters(_parameters(config, epochs, rng))
    if status == "done" and track == "lfw":
        people = np.repeat(np.arange(4, dtype=np.int32), [9, 1, 5, 5])
        same = np.repeat([True, False], [15, 5])
        record.write_scores(
            {"score": rng.random(20), "same": same, "left_person": people, "right_person": people}
        )
    return record


def add_branches(record: RunFolder, value: float = 0.1) -> RunFolder:
    """Give a run kernels and residual ratios of a value before and after training, and return it."""
    config = record.config
    values = [
        {"epoch": epoch, "kind": kind, "name": f"{kind}_{module}", "channel": 0, "value": value}
        for epoch in (0, config["epochs"])
        for kind in ("kernel", "ratio")
        for module in range({"v1": 21, "v2": 40}[config["arch"]])
    ]
    has_some = config["trsf"] or config["activation"] == "prelu"
    known = record.parameters().to_dict("records") if has_some else []
    record.write_parameters(known + values)
    return record


def study_run(root: Path, setting: str = "v1-trsf-relu", *, rate: float = 0.2, **others: Any) -> RunFolder:
    """Write a run of the stability study and return its record."""
    size = budget_settings("stability", "synthetic")
    return fake_run(root, setting, learning_rate=rate, **size, **others)


def _info(asked: TrainConfig, config: TrainConfig, status: str, metrics: dict[str, float]) -> dict[str, Any]:
    images = _STEPS * config.batch_size
    faces = {"identities": 40, "images": images, "size": config.image_size, "fingerprint": "0" * 64}
    done = status == "done"
    return {
        "schema": SCHEMA,
        "run_id": config.run_id,
        "track": config.track,
        "status": status,
        "message": "The loss became nan at step 7." if status == "collapsed" else "",
        "seed": config.seed,
        "command": papermill_command(asked),
        "config": config.recorded,
        "metrics": metrics if done else {},
        "data": {"train": faces, "test": faces},
        "source_hash": source_hash(config.track),
        "results_version": RESULTS_VERSION,
        "started": f"2027-01-0{config.seed % 9 + 1}T00:00:00+00:00",
        "seconds": 321.0,
    } | ({"counts": {"parameters": 2_000_000, "scales": 20, "slopes": 131}} if done else {})


def _metrics(track: str, tar: float) -> dict[str, float]:
    if track == "synthetic":
        more = {"tar@1e-2": min(1.0, 1.5 * tar), "all_pairs_tar@1e-3": 0.5 * tar}
        more["all_pairs_tar@1e-2"] = tar
        return {"accuracy": 0.9, "tar@1e-3": tar, **more}
    return {"tar@1e-3": tar, "tar_by_person@1e-3": min(1.0, 1.1 * tar)}


def _row(epoch: int, track: str, tar: float, rng: np.random.Generator) -> dict[str, float]:
    row = {"epoch": epoch, "step": _STEPS * epoch, "learning_rate": 0.05 / epoch, "loss": 5 / epoch}
    row |= {"train_accuracy": 1 - 1 / epoch, "images_per_second": 200.0, "seconds": 20.0}
    return row | _metrics(track, tar * rng.uniform(0.95, 1.05))


@cache
def _names(arch: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    network = InceptionResnet(version=arch, residual_scale="trainable", activation="prelu", width=0.125)
    return tuple(network.scales()), tuple(network.slopes())


def _parameters(config: TrainConfig, epochs: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    scales, slopes = _names(config.arch)
    kinds = {"trsf": (scales, 0.1, 0.9) if config.trsf else ((), 0, 0)}
    kinds["slope"] = (slopes, 0.2, -0.2) if config.activation == "prelu" else ((), 0, 0)
    rows = []
    for kind, (names, start, change) in kinds.items():
        ends = change + 0.2 * rng.standard_normal(len(names))
        for epoch in range(epochs + 1):
            for name, end in zip(names, ends, strict=True):
                value = start + end * epoch / config.epochs
                rows.append({"epoch": epoch, "kind": kind, "name": name, "channel": 0, "value": value})
    return rows


def drawn_figure(card: str) -> str:
    """The only figure of a card as SVG, drawn as the reader's browser does."""
    (spec,) = re.findall(r'<script type="application/json">(.*?)</script>', card)
    return vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
