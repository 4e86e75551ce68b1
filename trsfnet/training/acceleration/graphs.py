"""Training steps of a small network on a GPU, replayed as CUDA graphs.

Its kernels are shorter than their launches, a few thousand a step: launched one by one, they leave the GPU
idle most of the time. A compiler helps too, but takes minutes, and capturing takes a second.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trsfnet.models import InceptionResnet


def capture(model: InceptionResnet, batch_size: int, dtype: torch.dtype) -> None:
    """From now on, replay the forward and backward pass of training batches.

    Passes without gradients, in evaluation, or of batches of another shape go the usual way. Parameters and
    running statistics are left as they were, and stay where they are in memory: they may be overwritten, but
    not replaced. What the modules say of themselves, such as a norm's momentum, is fixed by the capture.

    Args:
        model: on a GPU.
        batch_size: images of a batch, of the network's input size.
        dtype: `torch.bfloat16` to compute under autocast, `torch.float32` for plain float32.
    """
    usual, training = model.forward, model.training
    before = {name: value.clone() for name, value in model.state_dict().items()}
    device = next(model.parameters()).device
    images = torch.zeros(batch_size, 3, model.input_size, model.input_size, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    model.train()
    # Without a cache: what the first pass cast would not be cast again in a replay.
    with torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16, cache_enabled=False
    ):
        torch.cuda.make_graphed_callables(model, (images,), allow_unused_input=True)
    replayed = model.forward  # which goes the usual way itself in evaluation
    model.load_state_dict(before)  # it was warmed up with blank images
    model.train(training)

    def forward(x: Tensor) -> Tensor:
        captured = torch.is_grad_enabled() and x.shape == images.shape
        return replayed(x) if captured else usual(x)

    model.forward = forward  # type: ignore[method-assign]
