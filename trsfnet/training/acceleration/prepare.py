"""Which of the means here suit a training, from its configuration and this machine."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from trsfnet.models import InceptionResnet
from trsfnet.training.acceleration.graphs import capture
from trsfnet.training.acceleration.regions import compile_regions
from trsfnet.training.acceleration.swap import Acceleration, accelerate
from trsfnet.training.config import TrainConfig
from trsfnet.training.precision import DTYPES

# Steps from which compiling pays on a GPU: it takes minutes, which a shorter training would never get back.
WORTH_COMPILING = 10_000


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
    means, reason = _choose(config, steps, next(model.parameters()).device)
    if means == "compiled":
        compile_regions(model)
    elif means == "captured":
        capture(model, config.batch_size, DTYPES[config.precision])
    return Prepared(means, reason, acceleration)


def _choose(config: TrainConfig, steps: int, device: torch.device) -> tuple[str, str]:
    if device.type != "cuda":
        return "eager", "Compiling the network would take longer than it saves."
    if steps >= WORTH_COMPILING:
        return "compiled", f"{steps} steps win back the minutes that compiling takes."
    if config.micro_batches == 1:
        return "captured", f"{steps} steps would not win back the minutes that compiling takes."
    return "eager", "Micro-batches change the momentum of the norms, which a captured step cannot."
