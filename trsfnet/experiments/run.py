"""One experiment's way through the house: configuration -> data -> training -> run record."""

from __future__ import annotations

import shlex
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

import trsfnet
from trsfnet.data.faces import FaceSet, TrackData
from trsfnet.data.tracks import data_root as find_data_root
from trsfnet.data.tracks import load_track
from trsfnet.errors import RecordError
from trsfnet.experiments.events import Events
from trsfnet.experiments.provenance import git_commit, hardware, libraries, source_hash
from trsfnet.experiments.record import SCHEMA, Record, read_record
from trsfnet.training.config import TrainConfig
from trsfnet.training.loop import History, Outcome, train

RUNS = Path("runs")


def run(config: TrainConfig, *, runs: Path | str = RUNS, data_root: str | None = None) -> Record:
    """Train and evaluate what `config` describes and record it under `runs`.

    A run that is already there, done or collapsed, is returned at once; one that was interrupted goes on
    from its last epoch.

    Args:
        config: the settings; open ones are resolved first.
        runs: folder of the records.
        data_root: folder of the datasets, by default `TRSFNET_DATA`.

    Raises:
        ConfigError: settings that cannot be trained.
        DataError: the track's images are missing or damaged.
    """
    root = find_data_root(data_root)
    asked, config = config, config.resolved(root)
    path = Path(runs) / config.track / config.run_id
    try:
        earlier = read_record(path)
    except RecordError:
        earlier = None
    if earlier and earlier.status in ("done", "collapsed"):
        return earlier

    data = load_track(
        config.track,
        size=config.image_size,
        identities=config.identities or 0,
        images_per_identity=config.images_per_identity,
        root=root,
    )
    record = Record(path, _opening(asked, config, data))
    record.write_info()
    started = time.perf_counter()
    before = earlier.info.get("seconds", 0.0) if earlier else 0.0

    events = Events(path / "tensorboard")

    def on_epoch(history: History) -> None:
        record.write_history(history.epochs)
        record.write_parameters(history.parameters)
        record.write_info(seconds=round(before + time.perf_counter() - started, 1))
        events.write(history)
        tqdm.write(epoch_line(config, history))

    try:
        outcome = train(config, data, checkpoint=path / "checkpoints" / "last.pt", on_epoch=on_epoch)
    except BaseException as error:
        record.write_info(status="failed", message=f"{type(error).__name__}: {error}")
        raise
    finally:
        events.close()
    _close(record, outcome)
    return read_record(path)


def _opening(asked: TrainConfig, config: TrainConfig, data: TrackData) -> dict[str, object]:
    """What `run.json` says while the run goes on."""
    return {
        "schema": SCHEMA,
        "run_id": config.run_id,
        "track": config.track,
        "status": "running",
        "message": "",
        "seed": config.seed,
        "command": papermill_command(asked),
        "config": asdict(config),
        "metrics": {},
        "data": {"train": _describe(data.train), "test": _describe(data.test)},
        "version": trsfnet.__version__,
        "git_commit": git_commit(),
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


def _close(record: Record, outcome: Outcome) -> None:
    """Write the final scores and numbers. The status comes last: `done` means that everything is there."""
    changes: dict[str, object] = {
        "counts": {
            "parameters": sum(p.numel() for p in outcome.model.parameters()),
            "scales": len(outcome.model.scales()),
            "slopes": len(outcome.model.slopes()),
        },
    }
    record.write_parameters(outcome.history.parameters)
    if outcome.evaluation:
        record.write_scores(outcome.evaluation.scores)
        changes |= {
            "metrics": outcome.evaluation.metrics,
            "evaluation": {"protocol": outcome.evaluation.protocol, "results": outcome.evaluation.details},
        }
    record.write_info(**changes, status=outcome.status, message=outcome.message, finished=_now())


def papermill_command(config: TrainConfig) -> str:
    """The command that repeats a run, naming what differs from the defaults."""
    output = f"runs/{config.slug}.ipynb"
    return shlex.join(["papermill", "notebooks/train.ipynb", output, *papermill_parameters(config)])


def papermill_parameters(config: TrainConfig) -> list[str]:
    """Options of papermill for every setting of `config` that differs from the defaults."""
    standard = TrainConfig()
    words = []
    for name, value in asdict(config).items():
        if value != getattr(standard, name):
            if isinstance(value, tuple):
                words += ["-y", f"{name}: {list(value)}"]
            else:
                words += ["-p", name, str(value)]
    return words
