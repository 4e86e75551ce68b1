"""Tasks to kill: the commands `align`, `pack`, `embed` and `merge`, and the writing of checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.kill_trials.harness import Work
from tests.report.fakes import fake_run
from trsfnet.data.align import Face, MarginCrop, align_faces
from trsfnet.data.folder import FolderSource
from trsfnet.data.pack import write_pack
from trsfnet.experiments.merge import merge
from trsfnet.experiments.record import read_records
from trsfnet.inference import embeddings
from trsfnet.inference.embedder import Embedder
from trsfnet.inference.embeddings import write_embeddings
from trsfnet.interop.description import Description
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.weights import Weights
from trsfnet.models import InceptionResnet
from trsfnet.training.checkpoint import load_checkpoint, save_checkpoint

IMAGES = 16


def photographs(inputs: Path) -> None:
    """Write a folder of people, including a file that is not an image."""
    rng = np.random.default_rng(0)
    for number in range(IMAGES):
        file = inputs / f"person{number // 4}" / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (75, 75, 3), dtype=np.uint8)).save(file)
    (inputs / "person0" / "broken.png").write_bytes(b"<html>")


def one_face(images: np.ndarray) -> list[list[Face]]:
    """Stand-in for a detector: finds one face in the middle of every image."""
    points = np.array([[25, 30], [45, 30], [35, 40], [28, 50], [42, 50]], dtype=float)
    return [[Face(np.array([15.0, 15.0, 60.0, 60.0]), points, 0.9)] for _ in images]


def align(folder: Path) -> None:
    """Crop all faces."""
    align_faces(FolderSource(folder / "inputs"), folder / "target", one_face, MarginCrop(32, 4))


def pack(folder: Path) -> None:
    """Make a pack."""
    write_pack(FolderSource(folder / "inputs"), folder / "target", size=32, skip_corrupt=True)


def embed(folder: Path) -> None:
    """Write all embeddings in parts of 4 images."""
    embeddings.PART = 4
    torch.set_num_threads(1)
    torch.manual_seed(0)
    settings: dict[str, Any] = {"version": "v1", "width": 0.03125, "embedding_size": 16, "input_size": 75}
    state = InceptionResnet(**settings).state_dict()
    weights = Weights(Description("tiny", "trsfnet", settings, Preprocessing(75)), state)
    source = FolderSource(folder / "inputs")
    write_embeddings(Embedder(weights, precision="float32"), source, folder / "target" / "faces.parquet")


def records(inputs: Path) -> None:
    """Write finished runs of two studies."""
    for seed in range(3):
        for setting in ("v1-relu", "v1-trsf-relu"):
            fake_run(inputs, setting, seed=seed, track="lfw")
        fake_run(inputs, "v1-relu", seed=seed)


def merge_all(folder: Path) -> None:
    """Merge the runs two at a time, so that later merges find the results of earlier ones."""
    found, _ = read_records([folder / "inputs"])
    found.sort(key=lambda record: record.run_id)
    for some in range(0, len(found), 2):
        merge(found[some : some + 2], folder / "target")


def nothing(inputs: Path) -> None:
    """No inputs."""


def checkpoint(folder: Path) -> None:
    """Count to sixty from the last checkpoint, which must never be lost or be older by two counts."""
    file, seen = folder / "target" / "last.pt", folder / "seen.txt"
    state = load_checkpoint(file)
    count = state["count"] if state else 0
    before = int(seen.read_text() or 0) if seen.exists() else 0
    if count < before - 1:
        raise RuntimeError(f"The checkpoint is of step {count}, after {before} had been written.")
    for step in range(count + 1, 61):
        save_checkpoint(file, {"count": step, "weights": torch.full((200, 200), float(step))})
        seen.write_text(str(step))


def _bytes(file: Path) -> bytes:
    return file.read_bytes()


def _rows(file: Path) -> bytes:
    """The content of a file, with sorted rows for a table: a killed task may write them in another order."""
    content = file.read_bytes()
    return b"".join(sorted(content.splitlines(keepends=True))) if file.suffix == ".csv" else content


def _state(file: Path) -> bytes:
    """The tensors of a checkpoint, without the timestamps of its zip file."""
    state = torch.load(file, weights_only=True)
    return str(state["count"]).encode() + state["weights"].numpy().tobytes()


WORKS = {
    "checkpoint": Work(checkpoint, nothing, _state),
    "align": Work(align, photographs, _rows),
    "pack": Work(pack, photographs, _bytes),
    "embed": Work(embed, photographs, _bytes),
    "merge": Work(merge_all, records, _bytes),
}
