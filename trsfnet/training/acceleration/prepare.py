"""Which of the means here suit a training, from its configuration and this machine."""

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

# Steps from which compiling pays on a GPU: it takes minutes, which a shorter training would never get back.
GPU_STEPS = 10_000


@dataclass(frozen=True)
class CompilerGain:
    """What PyTorch's compiler costs and saves on a CPU, as measured for one network.

    Attributes:
        seconds: that the first step takes longer.
        eager: images a second without it.
        compiled: images a second with it.
        width: of the network.
        image_size: side of its input in pixels.
    """

    seconds: float
    eager: float
    compiled: float
    width: float
    image_size: int

    def steps(self, config: TrainConfig) -> int:
        """Steps from which compiling pays: what an image saves is taken to grow with width and pixels."""
        size = config.width / self.width * (config.image_size / self.image_size) ** 2
        saved = (1 / self.eager - 1 / self.compiled) * size * config.batch_size
        return math.ceil(self.seconds / saved)


# From `benchmarks/results/step.json`: v1 with trainable scales and slopes on two cores with AVX-512. The
# whole network was compiled there; regions take less, so this asks for too many steps rather than too few.
CPU_GAIN = CompilerGain(seconds=95.0, eager=334.0, compiled=390.0, width=0.25, image_size=96)


@dataclass(frozen=True)
class Prepared:
    """How the steps of a training are computed.

    Attributes:
        means: `eager`, `compiled`, or `captured` as CUDA graphs.
        reason: why, in one sentence.
        acceleration: of the network's parts.
    """

    means: str
    reason: str
    acceleration: Acceleration

    def to_dict(self) -> dict[str, Any]:
        """What a run record says of it, of JSON types."""
        return {"means": self.means, "reason": self.reason, **self.acceleration.to_dict()}


def prepare(model: InceptionResnet, config: TrainConfig, steps: int) -> Prepared:
    """Make the training of `model` as fast as it can be here; results are the same to rounding.

    Args:
        model: on its device. Changed in place.
        config: resolved.
        steps: of the whole training. The choice depends on nothing that differs between the two parts of a
            training that is interrupted, so that it ends as one that was not.

    Returns:
        What was chosen and why.
    """
    acceleration = accelerate(model)
    gpu = next(model.parameters()).device.type == "cuda"
    means, reason = (_on_gpu if gpu else _on_cpu)(config, steps)
    if means == "compiled":
        compile_regions(model)
    elif means == "captured":
        capture(model, config.batch_size, DTYPES[config.precision])
    return Prepared(means, reason, acceleration)


def _on_gpu(config: TrainConfig, steps: int) -> tuple[str, str]:
    if steps >= GPU_STEPS:
        return "compiled", f"The network is compiled: compiling pays off over {steps:,} steps."
    if config.micro_batches == 1:
        return "captured", (
            f"The steps are replayed as CUDA graphs: compiling would not pay off over {steps:,} steps, only "
            f"from {GPU_STEPS:,} on."
        )
    return "eager", "Neither compiled nor captured: each micro-batch changes the momentum of the norms."


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
