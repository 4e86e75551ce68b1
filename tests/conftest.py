"""What several tests share: a cache of their own, and small faces to learn from in seconds."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from xdist.scheduler import LoadScopeScheduling

from benchmarks.kills import CONFIG
from trsfnet.data.faces import FaceSet, Pairs, TrackData
from trsfnet.training.config import TrainConfig


class TogetherWhatShares(LoadScopeScheduling):
    """Gives one process the tests of a file, and all those of the book, which is slow to build."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/book" if nodeid.startswith("tests/book/") else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> TogetherWhatShares:
    """How `make test` shares the tests among its processes: in their order, see below."""
    config.option.loadscopereorder = False
    return TogetherWhatShares(config, log)


# What `make test-fast` leaves out, besides single tests marked as slow: these train again and again, compile,
# export, build the book, or start many processes.
SLOW = (
    "tests/book/",
    "tests/data/test_faults.py",
    "tests/data/test_kills.py",
    "tests/experiments/test_run.py",
    "tests/golden/",
    "tests/interop/test_export.py",
    "tests/interop/test_int8.py",
    "tests/notebooks/",
    "tests/test_benchmarks.py",
    "tests/test_pipeline.py",
    "tests/test_wheel.py",
    "tests/training/acceleration/",
    "tests/training/test_kills.py",
    "tests/training/test_processes.py",
    "tests/training/test_sharded_head.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of `SLOW` and put them first: in the end no process should wait for one of them."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keep the tests' crops out of the user's cache, and share them between tests and all their processes."""
    root = tmp_path_factory.getbasetemp()
    # Each process of pytest-xdist has a folder of its own within the one that they share.
    shared = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    os.environ["TRSFNET_CACHE"] = str(shared / "cache")


def blobs(people: int, images: int, *, seed: int, size: int = 75) -> FaceSet:
    """Faces that a network tells apart within a few steps: a coloured pattern per person, and noise."""
    rng = np.random.default_rng(seed)
    pattern = rng.uniform(40, 215, size=(people, 5, 5, 3)).repeat(15, axis=1).repeat(15, axis=2)
    labels = np.repeat(np.arange(people), images)
    noise = rng.normal(scale=25, size=(len(labels), size, size, 3))
    pixels = (pattern[labels] + noise).clip(0, 255).astype(np.uint8)
    return FaceSet(pixels, labels, tuple(f"person {seed}-{i}" for i in range(people)))


@pytest.fixture(scope="session")
def tiny_data() -> TrackData:
    """Eight people to learn and ten others to verify, in two pairs of each kind a fold."""
    test = blobs(10, 4, seed=1)
    start = np.arange(10) * 4
    left = np.stack([start, start + 2, start, start + 1], axis=1).ravel()
    right = np.stack([start + 1, start + 3, (start + 4) % 40, (start + 9) % 40], axis=1).ravel()
    same = np.tile([True, True, False, False], 10)
    return TrackData(blobs(8, 8, seed=0), test, Pairs(left, right, same, np.repeat(np.arange(10), 4)))


@pytest.fixture(scope="session")
def tiny_config() -> TrainConfig:
    """The smallest network, two epochs of four steps, everything trainable."""
    return replace(CONFIG, steps_per_epoch=None).resolved(None)


@pytest.fixture
def one_thread():
    """Compute in one thread: on tensors as small as a test's, a second one mostly waits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
