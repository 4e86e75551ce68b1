"""One experiment's way through the house: configuration -> data -> training -> run record."""

from __future__ import annotations

import os
import shlex
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

import trsfnet
from trsfnet.data.faces import FaceSet, TrackData
from trsfnet.data.tracks import data_root as find_data_root
from trsfnet.data.tracks import fetch_track, load_track
from trsfnet.errors import RecordError
from trsfnet.experiments.code import source_hash
from trsfnet.experiments.events import Events
from trsfnet.experiments.launch import check_devices, launch
from trsfnet.experiments.lock import locked
from trsfnet.experiments.provenance import git_commit, hardware, libraries
from trsfnet.experiments.record import RECORD, SCHEMA, Record, RunFolder, UnknownFormat, read_record
from trsfnet.experiments.stale import RESULTS_VERSION, set_aside, why_stale
from trsfnet.paths import user_path
from trsfnet.termination import termination
from trsfnet.training.config import PRESETS, TrainConfig
from trsfnet.training.distributed import World, join, leave, peers
from trsfnet.training.history import History
from trsfnet.training.loop import Outcome, train

RUNS = Path("runs")
CHECKPOINT = Path("checkpoints", "last.pt")


@termination()
def run(
    config: TrainConfig,
    *,
    runs: Path | str = RUNS,
    data_root: Path | str | None = None,
    preset: str | None = None,
    devices: int = 1,
    again: bool = False,
) -> Record:
    """Train and evaluate what `config` describes and record it under `runs`.

    A run that is already there, done or collapsed, is returned at once; one that was interrupted continues
    from its last checkpoint. Within `torchrun` or `srun`, the processes that they started train together.

    Args:
        config: the settings; open ones are resolved first.
        runs: folder of the records.
        data_root: folder of the datasets, by default `TRSFNET_DATA`.
        preset: name of the preset that `config` was made from, to be recorded.
        devices: how many GPUs, or processes on the CPU, train together. Each computes its share of the
            micro-batches, of which there are as many as devices unless `config` says otherwise.
        again: if other arithmetic than the present made the run, or a part of it, set that aside and train
            again; see `RESULTS_VERSION`.

    Raises:
        ConfigError: settings that cannot be trained.
        DataError: the track's images are missing or damaged.
        RecordError: another process is at this run, or another version of trsfnet wrote its record.
        LostPeer: one of several processes failed.
    """
    runs = user_path(runs, "runs")
    check_devices(devices)
    world = join()
    together = max(devices, world.size)
    root = find_data_root(data_root)
    asked = config
    if config.micro_batches == 1:
        config = replace(config, micro_batches=together)
    if world.rank == 0:
        fetch_track(config.track, root=root)
    world.wait()
    config = config.resolved(root)
    path = runs / config.track / config.run_id
    if again and world.rank == 0:
        _make_room(path)
    world.wait()
    if _finished(path):
        pass
    elif together > world.size:
        _load(config, root, world)  # what is wrong with the data is better reported once, here
        launch(_command_words(asked, runs, data_root, preset), devices)
    else:
        with peers():
            data = _load(config, root, world)
            opening = _opening(asked, config, data, preset, world)
            if world.rank == 0:
                with locked(path):
                    _train_and_record(config, data, world, path, opening)
            else:
                train(config, data, world=world, checkpoint=path / CHECKPOINT)
            world.wait()
    leave()
    return read_record(path)


def _finished(path: Path) -> bool:
    """Whether the record in `path` needs no more training."""
    record = _existing(path)
    return record is not None and record.status in ("done", "collapsed")


def _make_room(path: Path) -> None:
    """Set the record in `path` aside if it is stale, and say why."""
    record = _existing(path)
    reason = why_stale(record) if record else ""
    if record and reason:
        with locked(path):
            tqdm.write(
                f"{record.run_id} is retrained because {reason}; the old run is kept in {set_aside(record)}"
            )


def _existing(path: Path) -> Record | None:
    """The record in `path`, if there is a sound one.

    Raises:
        UnknownFormat: another version of trsfnet wrote it, and it is not ours to replace.
    """
    try:
        return read_record(path)
    except UnknownFormat:
        raise
    except RecordError:
        return None


def _keep_damaged(path: Path) -> None:
    """Set a `run.json` aside that cannot be read, and say so."""
    file = path / RECORD
    try:
        read_record(path)
    except RecordError as error:
        if file.exists():
            kept = file.with_name(f"{RECORD}.damaged")
            os.replace(file, kept)
            tqdm.write(f"{error} It is kept as {kept}.")


def _load(config: TrainConfig, root: Path | None, world: World) -> TrackData:
    """The faces of the track. Rank 0 comes first: it may have to draw or decode them into the cache."""
    if world.rank > 0:
        world.wait()
    data = load_track(config.track, root=root, **config.face_settings)
    if world.rank == 0:
        world.wait()
    return data


def _train_and_record(
    config: TrainConfig, data: TrackData, world: World, path: Path, opening: dict[str, object]
) -> None:
    """What rank 0 does: train, and write down what happens."""
    if _finished(path):  # by another process, between our first look and our lock
        return
    _keep_damaged(path)
    earlier = _existing(path)
    before = earlier.info.get("seconds", 0.0) if earlier else 0.0
    record = RunFolder(path, opening)
    record.write_info()
    started = time.perf_counter()
    events = Events(path / "tensorboard")

    def on_epoch(history: History) -> None:
        record.write_history(history.epochs)
        record.write_parameters(history.parameters)
        record.write_info(seconds=round(before + time.perf_counter() - started, 1))
        events.write(history)
        tqdm.write(epoch_line(config, history))

    try:
        outcome = train(config, data, world=world, checkpoint=path / CHECKPOINT, on_epoch=on_epoch)
    except BaseException as error:
        record.write_info(status="failed", message=f"{type(error).__name__}: {error}".removesuffix(": "))
        raise
    finally:
        events.close()
    _close(record, outcome)


def _opening(
    asked: TrainConfig, config: TrainConfig, data: TrackData, preset: str | None, world: World
) -> dict[str, object]:
    """What `run.json` says while the run continues."""
    return {
        "schema": SCHEMA,
        "run_id": config.run_id,
        "track": config.track,
        "status": "running",
        "message": "",
        "seed": config.seed,
        "command": papermill_command(asked, preset, world.size),
        "config": asdict(config),
        "preset": None if preset is None else {"name": preset, "overridden": _overridden(config, preset)},
        "processes": world.size,
        "metrics": {},
        "data": {"train": _describe(data.train), "test": _describe(data.test)},
        "version": trsfnet.__version__,
        "git_commit": git_commit(),
        "results_version": RESULTS_VERSION,
        "source_hash": source_hash(config.track),
        "hardware": hardware(),
        "libraries": libraries(),
        "started": _now(),
        "finished": None,
        "seconds": 0.0,
    }


def epoch_line(config: TrainConfig, history: History) -> str:
    """One line about the epoch just finished, with the time that the remaining ones will take."""
    row = history.epochs[-1]
    left = (config.epochs - row["epoch"]) * row["seconds"]
    return (
        f"epoch {row['epoch']}/{config.epochs}  loss {row['loss']:.3f}  "
        f"train accuracy {row['train_accuracy']:.1%}  TAR@FAR=1e-3 {row['tar@1e-3']:.1%}  "
        f"{row['images_per_second']:.0f} images/s  {left / 60:.1f} min left"
    )


def _describe(faces: FaceSet) -> dict[str, object]:
    return {
        "identities": len(faces.identities),
        "images": len(faces),
        "size": faces.images.shape[1],
        "fingerprint": faces.fingerprint,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _close(record: RunFolder, outcome: Outcome) -> None:
    """Write the final scores and numbers. The status comes last: `done` means that everything is there."""
    changes: dict[str, object] = {
        "counts": {
            "parameters": sum(p.numel() for p in outcome.model.parameters()),
            "scales": len(outcome.model.scales()),
            "slopes": len(outcome.model.slopes()),
        },
        "acceleration": outcome.prepared.to_dict(),
    }
    record.write_parameters(outcome.history.parameters)
    if outcome.evaluation:
        record.write_scores(outcome.evaluation.scores)
        changes |= {
            "metrics": outcome.evaluation.metrics,
            "evaluation": {"protocol": outcome.evaluation.protocol, "results": outcome.evaluation.details},
        }
    if outcome.collapse:
        changes["collapse"] = outcome.collapse.to_dict()
    record.write_info(**changes, status=outcome.status, message=outcome.message, finished=_now())


def _overridden(config: TrainConfig, preset: str) -> dict[str, object]:
    """The settings of `config` that are not those of its preset."""
    standard = TrainConfig.from_parameters({}, preset)
    settings = {name: (value, getattr(standard, name)) for name, value in asdict(config).items()}
    return {
        name: value
        for name, (value, usual) in settings.items()
        if name in PRESETS[preset]["settings"] and value != usual
    }


def papermill_command(config: TrainConfig, preset: str | None = None, devices: int = 1) -> str:
    """The command that repeats a run, naming what differs from the defaults."""
    output = f"runs/{config.slug}.ipynb"
    words = papermill_parameters(config, preset)
    if preset is not None:
        words += ["-p", "preset", preset]
    if devices > 1:
        words += ["-p", "devices", str(devices)]
    return shlex.join(["papermill", "notebooks/train.ipynb", output, *words])


def papermill_parameters(config: TrainConfig, preset: str | None = None) -> list[str]:
    """Options of papermill for every setting of `config` that differs from the defaults or the preset."""
    words = []
    for name, value in config.differing(preset).items():
        if isinstance(value, tuple):
            words += ["-y", f"{name}: {list(value)}"]
        else:
            words += ["-p", name, str(value)]
    return words


def _command_words(
    config: TrainConfig, runs: Path, data_root: Path | str | None, preset: str | None
) -> list[str]:
    """`trsfnet train ...` for the same run."""
    words = ["train", "--runs", str(runs)]
    for name, value in config.differing().items():
        words += ["-p", name, str(value)]
    if data_root is not None:
        words += ["--data-root", str(user_path(data_root, "data_root"))]
    return words if preset is None else [*words, "--preset", preset]
