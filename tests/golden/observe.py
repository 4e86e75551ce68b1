"""What is kept of a golden run: a hash of every bit of its result, and a few numbers for a tolerance.

Each term of the arithmetic shows in the numbers. Of the weights they therefore hold not the values but the
distance that training moved them: the start would hide it.
"""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trsfnet.models import InceptionResnet
from trsfnet.training.loop import Outcome

Numbers = dict[str, list[float]]

PARAMETER_KINDS = ("trsf", "slope", "ratio", "kernel")
MEASURES = ("learning_rate", "loss", "gradient_norm")
# Where images of the people who are learnt are held out: after each epoch, and at the end.
HELD_OUT = ("held_out_loss", "held_out_accuracy")
RESCALED = ("rescaled_loss", "rescaled_loss_running")
# By how much of its size a number may differ between machines, in float64. Instruction sets of other
# processors (ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41) make differences of 2e-9 at most, changed
# formulas of 1e-4 and more. In float32, rounding alone can come to 0.5 within these four steps.
TOLERANCE = 1e-6

VALUES = Path(__file__).with_name("values.json")


def machine() -> str:
    """What decides in which order a machine adds and multiplies: processor and libraries."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    except OSError:
        lines = []
    about = dict(line.replace("\t", "").split(":", 1) for line in lines if ":" in line)
    names = ("vendor_id", "cpu family", "model", "stepping")
    processor = "-".join(about.get(name, "unknown").strip() for name in names)
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{platform.machine()} {processor} {capability}, torch {torch.__version__}"


def digest(outcome: Outcome) -> str:
    """SHA-256 of the final network, of losses and gradients, of what is followed, and of the scores."""
    result = hashlib.sha256()
    for name, tensor in sorted(outcome.model.state_dict().items()):
        result.update(name.encode())
        result.update(tensor.contiguous().numpy().tobytes())
    for row in outcome.history.epochs:
        result.update(repr([row[name] for name in (*MEASURES, *HELD_OUT) if name in row]).encode())
    for row in outcome.history.parameters:
        if row["kind"] in (*PARAMETER_KINDS, *RESCALED):
            result.update(repr([row[name] for name in ("epoch", "name", "channel", "value")]).encode())
    result.update(_scores(outcome).tobytes())
    return result.hexdigest()


def numbers(start: InceptionResnet, outcome: Outcome) -> Numbers:
    """The numbers of a run that began with the network `start`, each list of them of one size."""
    epochs = outcome.history.epochs
    found: Numbers = {
        name: [row[name] for row in epochs] for name in (*MEASURES, *HELD_OUT) if name in epochs[0]
    }
    for kind, update in _updates(start, outcome.model).items():
        found[f"update of {kind}"] = _projections(update)
    for kind in PARAMETER_KINDS:
        values = [_values(outcome, kind, epoch) for epoch in (0, 1, 2)]
        if len(values[0]):
            found[kind] = [float(value.mean()) for value in values]
    for kind in RESCALED:
        if len(losses := _values(outcome, kind, len(epochs))):
            found[kind] = losses.tolist()
    found["scores"] = _projections(_scores(outcome))
    return found


def _updates(start: InceptionResnet, end: InceptionResnet) -> dict[str, np.ndarray]:
    """By how much training changed parameters and running statistics, by kind."""
    before = start.state_dict()
    updates: dict[str, list[np.ndarray]] = {}
    for name, value in sorted(end.state_dict().items()):
        if value.is_floating_point() and not torch.equal(value, before[name]):
            change = (value.double() - before[name].double()).numpy().ravel()
            updates.setdefault(_kind(name, value), []).append(change)
    return {kind: np.concatenate(changes) for kind, changes in sorted(updates.items())}


def _kind(name: str, tensor: torch.Tensor) -> str:
    last = name.rpartition(".")[2]
    if last == "weight":
        return "kernels" if tensor.ndim > 1 else "slopes"
    return {"bias": "biases", "scale": "scales"}.get(last, last)


def _projections(values: np.ndarray) -> list[float]:
    """The length of a vector, and its sums under two fixed patterns of signs: about as large."""
    patterns = np.random.default_rng(0).integers(0, 2, size=(2, len(values))) * 2 - 1
    return [float(np.linalg.norm(values)), *(float(pattern @ values) for pattern in patterns)]


def _values(outcome: Outcome, kind: str, epoch: int) -> np.ndarray:
    rows = outcome.history.parameters
    return np.array([row["value"] for row in rows if (row["kind"], row["epoch"]) == (kind, epoch)])


def _scores(outcome: Outcome) -> np.ndarray:
    assert outcome.evaluation is not None
    return np.asarray(outcome.evaluation.scores["score"])


def worst(found: Numbers, committed: Numbers) -> dict[str, float]:
    """The largest difference of each list of numbers from the committed one, as a share of its largest."""
    assert found.keys() == committed.keys()
    return {
        name: max(abs(a - b) for a, b in zip(values, committed[name], strict=True))
        / (max(map(abs, committed[name])) or 1.0)
        for name, values in found.items()
    }


def read() -> dict[str, Any]:
    """The committed values: `numbers` by case, and `digests` by machine and case."""
    return json.loads(VALUES.read_text(encoding="utf-8"))


def write(values: dict[str, Any]) -> None:
    """Replace the committed values."""
    VALUES.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
