"""Executes one experiment: configuration -> data -> training -> run record."""

from __future__ import annotations

import os
import time
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

import trsfnet
from trsfnet.data.faces import FaceSet, TrackData
from trsfnet.data.files import check_name
from trsfnet.data.tracks import data_root as find_data_root
from trsfnet.data.tracks import fetch_track, load_track
from trsfnet.errors import ConfigError, DataError, RecordError
from trsfnet.experiments.code import source_hash
from trsfnet.experiments.commands import papermill_command
from trsfnet.experiments.events import Events
from trsfnet.experiments.launch import check_devices, launch
from trsfnet.experiments.lock import locked
from trsfnet.experiments.pipeline import epochs_done
from trsfnet.experiments.provenance import git_commit, hardware, libraries
from trsfnet.experiments.record import (
    CHECKPOINT,
    RECORD,
    SCHEMA,
    Record,
    RunFolder,
    UnknownFormat,
    read_record,
)
from trsfnet.experiments.stale import RESULTS_VERSION, results_version, set_aside, why_stale
from trsfnet.paths import user_path
from trsfnet.termination import termination
from trsfnet.training.checkpoint import has_checkpoint
from trsfnet.training.config import PRESETS, TrainConfig, splits
from trsfnet.training.distributed import World, join, leave, peers
from trsfnet.training.history import History
from trsfnet.training.loop import Outcome, check_sizes, train

RUNS = Path("runs")


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
    """Train and evaluate the network described by `config` and record the run under `runs`.

    An existing run that is done or collapsed is returned immediately; an interrupted one continues from its
    last checkpoint. Under `torchrun` or `srun`, all processes that they started train together.

    Args:
        config: the settings; those left open are resolved first.
        runs: folder of the records.
        data_root: folder of the datasets; by default `TRSFNET_DATA`.
        preset: name of the preset on which `config` is based, for the record.
        devices: number of GPUs, or of processes on the CPU, that train together. Each computes its share of
            the micro-batches; unless `config` sets their number, it equals the number of devices.
        again: if an existing run, or a part of it, was made with another `RESULTS_VERSION`, set it aside and
            train again.

    Returns:
        The record of the run.

    Raises:
        ConfigError: the settings cannot be trained, or not on this number of devices.
        DataError: the track's images are missing or damaged, or `runs` has a name that not all libraries can
            handle, or cannot be written to.
        RecordError: another process is working on this run, or another version of trsfnet wrote its record.
        CheckpointError: another version of trsfnet wrote its checkpoint.
        LostPeer: another process of the run failed.
        TrsfnetError: one of the processes that were started for `devices` failed.
    """
    runs = user_path(runs, "runs")
    check_name(runs)
    check_devices(devices)
    world = join()
    if world.size > 1 and devices not in (1, world.size):
        raise ConfigError(
            f"devices must be left out, because torchrun or srun has started {world.size} processes, "
            f"got {devices}."
        )
    together = max(devices, world.size)
    root = find_data_root(data_root)
    asked = config
    if config.micro_batches == 1:
        if not splits(config.batch_size, together):
            name = "devices" if devices > 1 else "The number of processes"
            raise ConfigError(
                f"{name} must split batch_size ({config.batch_size}) into equal parts of two or more, "
                f"got {together}."
            )
        config = replace(config, micro_batches=together)
    if world.rank == 0:
        fetch_track(config.track, root=root)
    world.wait()
    config = config.resolved(root)
    path = runs / config.track / config.run_id
    if again and world.rank == 0:
        _make_room(path)
    world.wait()
    if _finished(path, world):
        pass
    elif together > world.size:
        # Report problems with the data and their number once, here.
        check_sizes(config, _load(config, root, world), together)
        launch(_command_words(asked, runs, data_root, preset), devices)
    else:
        with peers():
            data = _load(config, root, world)
            opening = _opening(asked, config, data, preset, world)
            with locked(path) if world.rank == 0 else nullcontext():
                if not _finished(path, world):  # another job may have ended the run since the first check
                    if world.rank == 0:
                        _train_and_record(config, data, world, path, opening)
                    else:
                        train(config, data, world=world, checkpoint=path / CHECKPOINT)
                    world.wait()
    leave()
    return read_record(path)


def _finished(path: Path, world: World) -> bool:
    """Return whether the run in `path` has ended and needs no more training.

    Rank 0 decides for all processes: if another job ends the run meanwhile, they would answer differently,
    and those that train would wait for the others.
    """
    record = _existing(path) if world.rank == 0 else None
    return world.agree(record is not None and record.ended)


def _make_room(path: Path) -> None:
    """If the record in `path` is stale, set it aside and print the reason."""
    record = _existing(path)
    reason = why_stale(record) if record else ""
    if record and reason:
        with locked(path):
            tqdm.write(
                f"{record.run_id} is retrained because {reason}; the old run is kept in {set_aside(record)}"
            )


def _existing(path: Path) -> Record | None:
    """Return the record in `path`; None if it is missing or damaged.

    Raises:
        UnknownFormat: another version of trsfnet wrote it, so it must not be replaced.
    """
    try:
        return read_record(path)
    except UnknownFormat:
        raise
    except RecordError:
        return None


def _keep_damaged(path: Path) -> None:
    """Rename a `run.json` that cannot be read, and print a message."""
    file = path / RECORD
    try:
        read_record(path)
    except RecordError as error:
        if file.exists():
            kept = file.with_name(f"{RECORD}.damaged")
            os.replace(file, kept)
            tqdm.write(f"{error} It is kept as {kept}.")


def _load(config: TrainConfig, root: Path | None, world: World) -> TrackData:
    """Load the faces of the track; rank 0 goes first, because it may have to render or decode them."""
    if world.rank > 0:
        world.wait()
    data = load_track(config.track, root=root, **config.face_settings)
    if world.rank == 0:
        world.wait()
    return data


def _train_and_record(
    config: TrainConfig, data: TrackData, world: World, path: Path, opening: dict[str, object]
) -> None:
    """Train and record the run; called on rank 0 only, which holds its lock."""
    _keep_damaged(path)
    earlier = _existing(path)
    before = earlier.info.get("seconds", 0.0) if earlier else 0.0
    opening = opening | {"seconds": before}
    resumes = has_checkpoint(path / CHECKPOINT)
    if earlier and resumes:
        # A run that resumes is stale if an earlier version of the arithmetic made a part of it.
        opening |= {"results_version": min(results_version(earlier), RESULTS_VERSION)}
        opening |= {"started": earlier.info.get("started", opening["started"])}
    elif resumes:
        opening |= {"results_version": 0}  # unknown: the record that stated it was damaged or lost
    record = RunFolder(path, opening)
    record.write_info()
    began = time.perf_counter()
    # The events of an epoch are written before its row of the history.
    events = Events(path / "tensorboard", epochs_done(path) if resumes else 0)

    def seconds() -> float:
        """Return the wall time of all attempts so far."""
        return round(before + time.perf_counter() - began, 1)

    def on_epoch(history: History) -> None:
        events.write(history)
        record.write_history(history.epochs)
        record.write_parameters(history.parameters)
        record.write_info(seconds=seconds())
        tqdm.write(epoch_line(config, history))

    try:
        with peers():
            outcome = train(config, data, world=world, checkpoint=path / CHECKPOINT, on_epoch=on_epoch)
        events.write(outcome.history)
    except BaseException as error:
        message = ": ".join(filter(None, (type(error).__name__, str(error))))
        # On a full disk, this fails as well, and the first error says more.
        with suppress(DataError):
            record.write_info(status="failed", message=message, seconds=seconds())
        raise
    finally:
        events.close()
    _close(record, outcome, seconds())


def _opening(
    asked: TrainConfig, config: TrainConfig, data: TrackData, preset: str | None, world: World
) -> dict[str, object]:
    """Return the contents of `run.json` at the start of a run."""
    return {
        "schema": SCHEMA,
        "run_id": config.run_id,
        "track": config.track,
        "status": "running",
        "message": "",
        "seed": config.seed,
        "command": papermill_command(asked, preset, world.size),
        "config": config.recorded,
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
    """Return a line about the last finished epoch, with an estimate of the remaining time."""
    row = history.epochs[-1]
    left = (config.epochs - row["epoch"]) * row["seconds"]
    remaining = f"  {left / 60:.1f} min left" if left else ""
    return (
        f"epoch {row['epoch']}/{config.epochs}  loss {row['loss']:.3f}  "
        f"train accuracy {row['train_accuracy']:.1%}  TAR@FAR=1e-3 {row['tar@1e-3']:.1%}  "
        f"{row['images_per_second']:.0f} images/s{remaining}"
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


def _close(record: RunFolder, outcome: Outcome, seconds: float) -> None:
    """Write the final scores and metrics; the status comes last, so `done` means that all files exist."""
    changes: dict[str, object] = {
        "counts": outcome.model.counts(),
        "acceleration": outcome.prepared.to_dict(),
        "seconds": seconds,
    }
    # The last epoch's tables are missing if the run was interrupted right after its last checkpoint.
    if outcome.history.epochs:
        record.write_history(outcome.history.epochs)
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
    """Return the settings of the preset that `config` overrides, with their values in `config`."""
    standard = TrainConfig.from_parameters({}, preset)
    return {
        name: getattr(config, name)
        for name in config.recorded
        if name in PRESETS[preset]["settings"] and getattr(config, name) != getattr(standard, name)
    }


def _command_words(
    config: TrainConfig, runs: Path, data_root: Path | str | None, preset: str | None
) -> list[str]:
    """Return the arguments of `trsfnet` that start the same run."""
    words = ["train", "--runs", str(runs)]
    for name, value in config.differing(preset).items():
        words += ["-p", name, str(value)]
    if data_root is not None:
        words += ["--data-root", str(user_path(data_root, "data_root"))]
    return words if preset is None else [*words, "--preset", preset]
