"""What a training on a GPU does to launch its kernels fast: compile the network, or capture its steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trsfnet.data.faces import TrackData
from trsfnet.models import InceptionResnet
from trsfnet.training.capture import capture
from trsfnet.training.config import TrainConfig
from trsfnet.training.precision import DTYPES

# Steps from which compiling pays: it takes minutes, which a shorter training would never get back.
WORTH_COMPILING = 10_000


@contextmanager
def compiling(config: TrainConfig, data: TrackData) -> Iterator[None]:
    """Within it, a network that the loop has compiled, as it does on a GPU, does what suits the training.

    A long one is compiled. A short one has its steps captured; one of several micro-batches has neither, as
    each of them changes the momentum of the norms.

    Args:
        config: a resolved configuration.
        data: the faces of its track.
    """
    steps = config.epochs * (config.steps_per_epoch or len(data.train) // config.batch_size)
    if steps >= WORTH_COMPILING:
        yield
        return

    def capture_instead(model: InceptionResnet) -> None:
        if config.micro_batches == 1:
            capture(model, config.batch_size, DTYPES[config.precision])

    # The loop says `model.compile()` and is left to say so: an edit of it would make every result stale.
    compile_ = InceptionResnet.compile
    InceptionResnet.compile = capture_instead
    try:
        yield
    finally:
        InceptionResnet.compile = compile_
