"""Measures variants alternately, round by round, so that only their ratios are compared.

If the machine slows down for a while, all variants slow down, and the median ratio over the rounds stays
valid.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from trsfnet.experiments.provenance import hardware, libraries

RESULTS = Path(__file__).parent / "results"


def command_parser(doc: str) -> argparse.ArgumentParser:
    """A parser for a benchmark's command line, described by the first line of its docstring."""
    return argparse.ArgumentParser(description=doc.partition("\n")[0])


def machine() -> dict[str, Any]:
    """The hardware and software that the numbers depend on, besides the code."""
    amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    return {
        **hardware(),
        "amx": amx,
        "cores": os.cpu_count(),
        "torch": libraries()["torch"],
        "date": datetime.date.today().isoformat(),
    }


def interleaved(variants: Mapping[str, Callable[[], Any]], rounds: int, title: str) -> dict[str, list[float]]:
    """Seconds of each variant in each of `rounds` rounds, after one warm-up round."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    with tqdm(total=(rounds + 1) * len(variants), desc=title, unit="call", disable=None) as bar:
        for number in range(rounds + 1):
            for name, call in variants.items():
                started = time.perf_counter()
                call()
                if number:
                    seconds[name].append(time.perf_counter() - started)
                bar.update()
    return seconds


def ratio(above: Sequence[float], below: Sequence[float]) -> dict[str, float]:
    """`above` divided by `below` of the same round: median, minimum and maximum over the rounds."""
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def save(script: str, result: dict[str, Any]) -> None:
    """Write the machine and `result` to `results/<script>.json`, the source of the README's tables."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **result}, indent=1)
    (RESULTS / f"{script}.json").write_text(text + "\n", encoding="utf-8")
