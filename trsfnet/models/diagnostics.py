"""Measures that test the paper's statements on neurons and kernels: dead channels, zeros, redundant kernels.

The paper argues that ReLU lets channels die and wastes half of its features, and that learned slopes reduce
the number of kernels needed (sections 3.2 and 4.4.3). It does not measure either.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from trsfnet.models.inception_resnet import InceptionResnet
from trsfnet.models.modes import modes_kept

# A channel that is positive on a smaller share of positions counts as dead.
ACTIVE = 1e-3

_ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.PReLU)


@torch.no_grad()
def activity(model: InceptionResnet, x: Tensor) -> dict[str, dict[str, float]]:
    """Measure how much of each activation is in use, with the same criterion for all three kinds.

    Args:
        model: in any modes, which are preserved; it is run in evaluation mode, with its running statistics.
        x: network input [N, 3, H, W].

    Returns:
        `dead`: by activation, such as `block35.0.branch1.0.act`, the share of its channels whose input is
        positive on less than one in a thousand positions of all images. `zeros`: the share of values in the
        feature map before the average pool that are exactly 0.
    """
    dead: dict[str, float] = {}
    zeros: dict[str, float] = {}

    def note(name: str, _module: nn.Module, inputs: tuple[Tensor]) -> None:
        positive = (inputs[0] > 0).transpose(0, 1).flatten(1).float().mean(1)
        dead[name] = (positive < ACTIVE).float().mean().item()

    hooks = [
        module.register_forward_pre_hook(partial(note, name))
        for name, module in model.named_modules()
        if isinstance(module, _ACTIVATIONS)
    ]
    try:
        with modes_kept(model):
            features = model.eval().forward_features(x)
        zeros["features"] = (features == 0).float().mean().item()
    finally:
        for hook in hooks:
            hook.remove()
    return {"dead": dead, "zeros": zeros}


@torch.no_grad()
def redundancy(model: InceptionResnet) -> dict[str, dict[str, float]]:
    """Measure how similar the kernels of each convolution are, by module names such as `conv2d_1a.conv`.

    At the start of training, the values are those of random kernels of the same shapes.

    Returns:
        `cosine`: the most negative cosine between two kernels of a layer; a pair of kernels with opposite
        signs gives -1. `rank`: the effective rank of the layer's matrix of kernels, divided by the largest
        possible rank, in (0, 1]. The effective rank is exp of the entropy of the singular values, normalised
        to sum to 1.
    """
    cosines: dict[str, float] = {}
    ranks: dict[str, float] = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            kernels = module.weight.detach().flatten(1).double()
            unit = nn.functional.normalize(kernels)
            cosines[name] = (unit @ unit.T).min().item()
            singular = torch.linalg.svdvals(kernels)
            share = singular / singular.sum().clamp_min(torch.finfo(torch.float64).tiny)
            ranks[name] = (torch.special.entr(share).sum().exp() / len(singular)).item()
    return {"cosine": cosines, "rank": ranks}
