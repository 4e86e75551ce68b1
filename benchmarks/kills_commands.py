"""Kill the commands that write files at random moments, start them again, and compare what they leave.

`python -m benchmarks.kills_commands --kills 100` kills each of them so often and writes
`results/kills_commands.json`. The same code is the test of the same claim.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import os
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from benchmarks.kills import starter
from benchmarks.measure import save
from trsfnet.data.align import Face, MarginCrop, align_faces
from trsfnet.data.folder import FolderSource
from trsfnet.data.pack import write_pack
from trsfnet.inference.embedder import Embedder
from trsfnet.inference.embeddings import write_embeddings
from trsfnet.interop.description import Description
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.interop.weights import Weights
from trsfnet.models import InceptionResnet
from trsfnet.training.checkpoint import load_checkpoint, save_checkpoint

IMAGES = 40


def photographs(folder: Path) -> None:
    """A folder of people, with a file that is no picture."""
    rng = np.random.default_rng(0)
    for number in range(IMAGES):
        file = folder / f"person{number // 10}" / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (75, 75, 3), dtype=np.uint8)).save(file)
    (folder / "person0" / "broken.png").write_bytes(b"<html>")


def one_face(images: np.ndarray) -> list[list[Face]]:
    """Finds a face in the middle of every image."""
    points = np.array([[25, 30], [45, 30], [35, 40], [28, 50], [42, 50]], dtype=float)
    return [[Face(np.array([15.0, 15.0, 60.0, 60.0]), points, 0.9)] for _ in images]


def align(folder: Path) -> None:
    """Crop all faces."""
    align_faces(FolderSource(folder / "photographs"), folder / "target", one_face, MarginCrop(32, 4))


def pack(folder: Path) -> None:
    """Make a pack."""
    write_pack(FolderSource(folder / "photographs"), folder / "target", size=32, skip_corrupt=True)


def embed(folder: Path) -> None:
    """Write all embeddings, in parts of 8 images."""
    from trsfnet.inference import embeddings

    embeddings.PART = 8
    torch.set_num_threads(1)
    torch.manual_seed(0)
    settings: dict[str, Any] = {"version": "v1", "width": 0.125, "embedding_size": 16, "input_size": 75}
    state = InceptionResnet(**settings).state_dict()
    weights = Weights(Description("tiny", "trsfnet", settings, Preprocessing(75)), state)
    (folder / "target").mkdir(exist_ok=True)
    source = FolderSource(folder / "photographs")
    write_embeddings(Embedder(weights, precision="float32"), source, folder / "target" / "faces.parquet")


def checkpoint(folder: Path) -> None:
    """Count to sixty, going on from the last checkpoint; it must never be lost, nor go back by two."""
    file, seen = folder / "target" / "last.pt", folder / "seen.txt"
    state = load_checkpoint(file, torch.device("cpu"))
    count = state["count"] if state else 0
    before = int(seen.read_text() or 0) if seen.exists() else 0
    if count < before - 1:
        raise RuntimeError(f"The checkpoint is of step {count}, after {before} had been written.")
    for step in range(count + 1, 61):
        save_checkpoint(file, {"count": step, "weights": torch.full((200, 200), float(step))})
        seen.write_text(str(step))


@dataclass(frozen=True)
class Work:
    """What is killed.

    Attributes:
        call: one start of it, in a folder with `photographs` in it; it writes `target`.
        read: what counts of a file that it leaves.
    """

    call: Callable[[Path], None]
    read: Callable[[Path], bytes]


def _bytes(file: Path) -> bytes:
    return file.read_bytes()


def _rows(file: Path) -> bytes:
    """Of a table that grows, the rows: what was killed may write them in another order."""
    return (
        b"".join(sorted(file.read_bytes().splitlines(keepends=True)))
        if file.suffix == ".csv"
        else _bytes(file)
    )


def _state(file: Path) -> bytes:
    """Of a checkpoint, the tensors: zip files have times."""
    state = torch.load(file, weights_only=True)
    return str(state["count"]).encode() + state["weights"].numpy().tobytes()


WORKS = {
    "align": Work(align, _rows),
    "pack": Work(pack, _bytes),
    "embed": Work(embed, _bytes),
    "checkpoint": Work(checkpoint, _state),
}


def start(name: str, folder: Path) -> None:
    """One start of a work, in a process of its own."""
    os.environ["TRSFNET_CACHE"] = str(folder / "cache")
    os.environ["TQDM_DISABLE"] = "1"
    WORKS[name].call(folder)


def run(name: str, folder: Path, kills: int, seed: int) -> dict[str, int]:
    """Do a work undisturbed once, then again and again with kills until there were so many; compare.

    Returns:
        how often it was done, kills, starts, files compared, and how many of them differ or are missing.
    """
    context, rng = starter("benchmarks.kills_commands"), random.Random(seed)
    start_process = functools.partial(_process, context, name)
    photographs(folder / "photographs")
    seconds = 0.0
    for place in ("whole", "timed"):  # the first start waits for the server that the others fork from
        (folder / place).mkdir(parents=True)
        (folder / place / "photographs").symlink_to(folder / "photographs")
        started = time.perf_counter()
        if start_process(folder / place, None) != 0:
            raise RuntimeError(f"{name} fails undisturbed.")
        seconds = time.perf_counter() - started
    whole = contents(folder / "whole", WORKS[name])
    figures = dict.fromkeys(("times", "kills", "starts", "compared", "different"), 0)
    with tqdm(total=kills, desc=name, unit="kill", disable=None) as bar:
        while figures["kills"] < kills:
            broken = folder / f"broken-{figures['times']}"
            broken.mkdir()
            (broken / "photographs").symlink_to(folder / "photographs")
            figures["times"] += 1
            code: int | None = None
            while code != 0:
                last = figures["kills"] >= kills
                code = start_process(broken, None if last else rng.uniform(0.05, 0.9) * seconds)
                figures["starts"] += 1
                if code is not None and code > 0:
                    raise RuntimeError(f"{name} ended with {code} when it was started again.")
                figures["kills"] += code != 0
                bar.update(int(code != 0))
            found = contents(broken, WORKS[name])
            figures["compared"] += len(whole)
            figures["different"] += sum(found.get(file) != content for file, content in whole.items())
            figures["different"] += len(found.keys() - whole.keys())
    return figures


def _process(context: Any, name: str, folder: Path, seconds: float | None) -> int | None:
    """The exit code of one start, which is killed after so many seconds; negative if it was."""
    process = context.Process(target=start, args=(name, folder))
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
    process.join()
    return process.exitcode


def contents(folder: Path, work: Work) -> dict[str, str]:
    """A digest of every file that the work has left, but for its lock."""
    files = [file for file in (folder / "target").rglob("*") if file.is_file() and file.name != ".lock"]
    return {
        str(file.relative_to(folder)): hashlib.sha256(work.read(file)).hexdigest()
        for file in files
        if not file.name.endswith(".previous.pt")
    }


def main() -> None:
    """Run them all and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="of each")
    options = parser.parse_args()
    figures = {}
    for name in WORKS:
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = run(name, Path(folder), options.kills, seed=0)
        save("kills_commands", {"commands": figures})


if __name__ == "__main__":
    main()
