"""Captures the training steps of a small network on a GPU and replays them as CUDA graphs.

A step launches a few thousand kernels, and each takes less time than its launch: launched one by one, they
leave the GPU idle most of the time. A compiler helps too, but takes minutes; capturing takes a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from trsfnet.models import InceptionResnet


def capture(model: InceptionResnet, batch_size: int, dtype: torch.dtype) -> None:
    """Capture the forward and backward pass of training batches, and replay them from now on.

    Passes without gradients, in evaluation mode, or with batches of another shape run without the graphs.
    Parameters and running statistics keep their values and their memory: they may be overwritten in place,
    but not replaced. The capture fixes the modules' attributes, such as a norm's momentum. Copies of the
    network run without the graphs.

    Args:
        model: on a GPU.
        batch_size: images per batch; their size is the network's input size.
        dtype: `torch.bfloat16` to compute under autocast, `torch.float32` for plain float32.
    """
    training = model.training
    before = {name: value.clone() for name, value in model.state_dict().items()}
    device = next(model.parameters()).device
    images = torch.zeros(batch_size, 3, model.input_size, model.input_size, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    model.train()
    # Without autocast's cache: a replay would not repeat casts that the cache served during the capture.
    with torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16, cache_enabled=False
    ):
        torch.cuda.make_graphed_callables(model, (images,), allow_unused_input=True)
    replayed = model.forward  # runs the usual code itself in evaluation mode
    model.load_state_dict(before)  # it was warmed up with blank images
    model.train(training)
    model.forward = _Forward(model, replayed, images.shape)  # type: ignore[method-assign]


class _Forward:
    """The forward pass of a captured network: replays its graphs where they apply.

    A copy of the network gets a copy of this without the graphs, which use the tensors of the original; so
    does one that is pickled.
    """

    same_function = True  # see `SAME_FUNCTION` in `trsfnet.models.as_built`

    def __init__(
        self, model: InceptionResnet, replayed: Callable[[Tensor], Tensor], shape: torch.Size
    ) -> None:
        self._model, self._shape = model, shape
        self._replayed: Callable[[Tensor], Tensor] | None = replayed

    def __call__(self, x: Tensor) -> Tensor:
        if self._replayed is not None and torch.is_grad_enabled() and x.shape == self._shape:
            return self._replayed(x)
        return type(self._model).forward(self._model, x)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_replayed": None}
