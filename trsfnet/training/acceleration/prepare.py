"""Chooses how to speed up a training run from its configuration and this machine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from trsfnet.models import InceptionResnet
from trsfnet.training.acceleration.graphs import capture
from trsfnet.training.acceleration.regions import compile_regions, compiler_fault
from trsfnet.training.acceleration.swap import Acceleration, accelerate
from trsfnet.training.config import TrainConfig
from trsfnet.training.precision import DTYPES

# Steps from which compiling pays off on a GPU: it takes minutes, which a shorter run never recovers.
GPU_STEPS = 10_000


@dataclass(frozen=True)
class CompilerGain:
    """Measured cost and benefit of PyTorch's compiler on a CPU, for one network.

    Attributes:
        seconds: additional time of the first step, in seconds.
        eager: images per second without the compiler.
        compiled: images per second with the compiler.
        width: width factor of the network.
        image_size: side of its input in pixels.
    """

    seconds: float
    eager: float
    compiled: float
    width: float
    image_size: int

    def steps(self, config: TrainConfig) -> int:
        """Number of steps from which compiling pays off.

        The time saved per image is assumed to be proportional to the width and the number of pixels.
        """
        size = config.width / self.width * (config.image_size / self.image_size) ** 2
        saved = (1 / self.eager - 1 / self.compiled) * size * config.batch_size
        return math.ceil(self.seconds / saved)


# From `benchmarks/results/step.json`: v1 with trainable scales and slopes on two cores with AVX-512. There,
# the whole network was compiled; compiling regions takes less time, so this errs towards not compiling.
CPU_GAIN = CompilerGain(seconds=95.0, eager=334.0, compiled=390.0, width=0.25, image_size=96)


@dataclass(frozen=True)
class Prepared:
    """How the steps of a training run are computed.

    Attributes:
        means: `eager`, `compiled`, or `captured` as CUDA graphs.
        reason: why this was chosen, in one sentence.
        acceleration: which parts of the network are accelerated.
    """

    means: str
    reason: str
    acceleration: Acceleration

    def to_dict(self) -> dict[str, Any]:
        """The entry in a run record, made of JSON types."""
        return {"means": self.means, "reason": self.reason, **self.acceleration.to_dict()}


def prepare(model: InceptionResnet, config: TrainConfig, steps: int, share: int) -> Prepared:
    """Speed up the training of `model` as far as this machine allows; results are the same up to rounding.

    Args:
        model: the network, on its device. Changed in place.
        config: the resolved configuration.
        steps: number of steps of the whole run. The choice depends on nothing that changes when a run is
            interrupted and resumed by as many processes, so a resumed run gives the same results as an
            uninterrupted one.
        share: micro-batches of a step that this process computes.

    Returns:
        What was chosen and why.
    """
    acceleration = accelerate(model)
    gpu = next(model.parameters()).device.type == "cuda"
    means, reason = _on_gpu(config, steps, share) if gpu else _on_cpu(config, steps)
    if means == "compiled":
        compile_regions(model)
    elif means == "captured":
        capture(model, config.batch_size, DTYPES[config.precision])
    return Prepared(means, reason, acceleration)


def _on_gpu(config: TrainConfig, steps: int, share: int) -> tuple[str, str]:
    # The compiler would repeat its work for every momentum, and give up after a few.
    if share > 1:
        return "eager", "Neither compiled nor captured: each micro-batch changes the momentum of the norms."
    if steps >= GPU_STEPS:
        return "compiled", f"The network is compiled: compiling pays off over {steps:,} steps."
    if config.micro_batches == 1:
        return "captured", (
            f"The steps are replayed as CUDA graphs: compiling would not pay off over {steps:,} steps, only "
            f"from {GPU_STEPS:,} on."
        )
    return "eager", (
        f"Not compiled: compiling would not pay off over {steps:,} steps, only from {GPU_STEPS:,} on. Steps "
        "of several processes are not replayed as CUDA graphs."
    )


def _on_cpu(config: TrainConfig, steps: int) -> tuple[str, str]:
    if config.width > CPU_GAIN.width or config.precision != "float32" or config.micro_batches > 1:
        return "eager", (
            f"Not compiled: the gain on a CPU is known only for float32, widths up to {CPU_GAIN.width:g} "
            "and a single micro-batch."
        )
    needed = CPU_GAIN.steps(config)
    if steps < needed:
        return "eager", (
            f"Not compiled: compiling would not pay off over {steps:,} steps, only from {needed:,} on."
        )
    if (fault := compiler_fault()) is not None:
        return "eager", f"Not compiled, although it would pay off over {steps:,} steps: {fault}"
    return (
        "compiled",
        f"The network is compiled: compiling pays off over {steps:,} steps, as it does from {needed:,} on.",
    )
