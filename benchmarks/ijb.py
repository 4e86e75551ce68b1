"""Compare our 1:1 verification with insightface's on a generated set of IJB-B's full size, alternately.

`python -m benchmarks.ijb` writes `results/ijb.json`. Both implementations read the same meta files and
receive the same features in memory, and their tables must agree. Each run is a separate process, so that its
memory can be measured.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.metrics import roc_curve
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.ijb_set import Shape, write_set
from benchmarks.measure import command_parser, save
from trsfnet.data.ijb_meta import read_pairs, read_templates
from trsfnet.evaluation.templates import FARS, pool, score_templates, tar_at_fars

PHASES = ("meta files", "templates", "pairs", "ROC")
THREADS = 2
OURS_A_ROUND = 3
TARGET_SECONDS, TARGET_BYTES = 3.0, 3 * 2**30


class Laps:
    """Measures the seconds between consecutive calls of `lap`."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._last = time.perf_counter()

    def lap(self) -> None:
        """Record the seconds since the last call."""
        now = time.perf_counter()
        self.seconds.append(now - self._last)
        self._last = now


def our_way(features: np.ndarray, root: Path, dataset: str, laps: Laps) -> list[float]:
    """TAR at each FAR by our implementation, read from the curve as insightface reads it."""
    templates = read_templates(root, dataset)
    pairs = read_pairs(root, dataset, templates)
    laps.lap()
    pooled = pool(features, templates)
    laps.lap()
    scores = score_templates(pooled, pairs)
    laps.lap()
    results = tar_at_fars(scores, pairs.same, FARS)
    laps.lap()
    return [result.tar_insightface for result in results]


def insightface_way(features: np.ndarray, root: Path, dataset: str, laps: Laps) -> list[float]:
    """The same by the method of insightface's `ijb_11.py`, with norms and detector scores, no mirroring."""
    meta = root / "meta"
    images = pd.read_csv(meta / f"{dataset}_face_tid_mid.txt", sep=" ", header=None).values
    template_of, medium_of = images[:, 1].astype(int), images[:, 2].astype(int)
    pairs = pd.read_csv(meta / f"{dataset}_template_pair_label.txt", sep=" ", header=None).values
    first, second, label = pairs.T
    lines = (meta / f"{dataset}_name_5pts_score.txt").read_text(encoding="utf-8").splitlines()
    detector = np.array([line.split(" ")[-1] for line in lines]).astype(np.float32)
    laps.lap()

    weighted = features * detector[:, None]
    ids = np.unique(template_of)
    pooled = np.zeros((len(ids), features.shape[1]))
    for row, template in enumerate(ids):
        (chosen,) = np.where(template_of == template)
        frames, media = weighted[chosen], medium_of[chosen]
        pooled[row] = sum(frames[media == medium].mean(axis=0) for medium in np.unique(media))
    pooled = normalize(pooled)
    laps.lap()

    row_of = np.zeros(ids.max() + 1, dtype=int)
    row_of[ids] = np.arange(len(ids))
    scores = np.zeros(len(pairs))
    for start in range(0, len(pairs), 100_000):
        batch = slice(start, start + 100_000)
        scores[batch] = np.sum(pooled[row_of[first[batch]]] * pooled[row_of[second[batch]]], axis=-1)
    laps.lap()

    far, tar, _ = roc_curve(label, scores)
    far, tar = far[::-1], tar[::-1]
    table = [float(tar[np.argmin(np.abs(far - target))]) for target in FARS]
    laps.lap()
    return table


WAYS: dict[str, Callable[..., list[float]]] = {"ours": our_way, "insightface": insightface_way}


def measure_way(way: str, root: Path) -> dict[str, Any]:
    """Run one implementation: its table, seconds by phase, total CPU time and peak memory of the process."""
    pa.set_cpu_count(THREADS)
    features = np.load(root / "features.npy")
    with threadpool_limits(THREADS):
        cpu, laps = time.process_time(), Laps()
        table = WAYS[way](features, root, "ijbb", laps)
        cpu = time.process_time() - cpu
    seconds = dict(zip(PHASES, laps.seconds, strict=True)) | {"all": sum(laps.seconds), "CPU time": cpu}
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    return {"table": table, "seconds": seconds, "peak": peak}


def in_own_process(way: str, root: Path) -> dict[str, Any]:
    with multiprocessing.get_context("spawn").Pool(1) as workers:
        return workers.apply(measure_way, (way, root))


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Median, minimum and maximum seconds of each phase, and the largest peak memory."""
    seconds = {name: [run["seconds"][name] for run in runs] for name in runs[0]["seconds"]}
    return {
        "runs": len(runs),
        "seconds": {
            name: {"median": statistics.median(s), "min": min(s), "max": max(s)}
            for name, s in seconds.items()
        },
        "peak": max(run["peak"] for run in runs),
    }


def compare(root: Path, shape: Shape, rounds: int) -> dict[str, Any]:
    """Run both implementations alternately on a new set under `root`.

    Each round consists of several runs of ours and one of insightface's.
    """
    np.save(root / "features.npy", write_set(root, "ijbb", shape))
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    order = [*["ours"] * OURS_A_ROUND, "insightface"] * rounds
    for way in tqdm(order, "IJB-B", unit="run", disable=None):
        runs[way].append(in_own_process(way, root))
    tables = {way: [run["table"] for run in of_way] for way, of_way in runs.items()}
    difference = shape.probes * max(
        abs(a - b) for ours in tables["ours"] for a, b in zip(ours, tables["insightface"][0], strict=True)
    )
    # Scores that differ in double precision may tie in single precision and move a threshold by a pair.
    if difference > 1.5:
        raise RuntimeError(f"The two ways differ by {difference:.1f} genuine pairs: {tables}.")
    return {
        "rounds": rounds,
        "threads": THREADS,
        "shape": asdict(shape),
        "target": {"seconds": TARGET_SECONDS, "bytes": TARGET_BYTES},
        "fars": list(FARS),
        "tables": {way: of_way[0] for way, of_way in tables.items()},
        "difference_in_pairs": round(difference),
        "ways": {way: summary(of_way) for way, of_way in runs.items()},
    }


def main() -> None:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--rounds", type=int, default=2, help="times to run theirs, and thrice ours (default 2)"
    )
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        save("ijb", compare(Path(folder), Shape(), rounds))


if __name__ == "__main__":
    main()
