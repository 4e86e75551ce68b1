"""The variables of a facenet checkpoint as TensorFlow names them, layer by layer, with random values."""

from __future__ import annotations

from collections.abc import Iterator

import torch

# The scopes of each block's branches in slim's order; `Conv2d_1x1` is the projection, with a bias.
_BRANCHES = {
    "block35": (("0", "1x1"), ("1", "0a_1x1 0b_3x3"), ("2", "0a_1x1 0b_3x3 0c_3x3")),
    "block17": (("0", "1x1"), ("1", "0a_1x1 0b_1x7 0c_7x1")),
    "block8": (("0", "1x1"), ("1", "0a_1x1 0b_1x3 0c_3x1")),
    "Mixed_5b": (("0", "1x1"), ("1", "0a_1x1 0b_5x5"), ("2", "0a_1x1 0b_3x3 0c_3x3"), ("3", "0b_1x1")),
    "Mixed_6a": (("0", "1a_3x3"), ("1", "0a_1x1 0b_3x3 1a_3x3")),
    "Mixed_7a": (("0", "0a_1x1 1a_3x3"), ("1", "0a_1x1 1a_3x3"), ("2", "0a_1x1 0b_3x3 1a_3x3")),
}
_REPEATS = {"InceptionResnetV1": (5, 10, 5), "InceptionResnetV2": (10, 20, 9)}


def scopes(network: str) -> Iterator[str]:
    """Every layer with variables, in the order of the forward pass, which is that of our modules."""
    v1 = network == "InceptionResnetV1"
    yield from ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3")
    yield from ["Conv2d_4b_3x3"] if v1 else _branches("Mixed_5b", "Mixed_5b")
    stages = zip(("Repeat", "Repeat_1", "Repeat_2"), ("block35", "block17", "block8"), strict=True)
    for (stage, block), repeats, after in zip(stages, _REPEATS[network], ("6a", "7a", None), strict=True):
        for number in range(1, repeats + 1):
            yield from _branches(f"{stage}/{block}_{number}", block)
            yield f"{stage}/{block}_{number}/Conv2d_1x1"
        if after:
            yield from _branches(f"Mixed_{after}", f"Mixed_{after}")
    yield from _branches("Block8", "block8")
    yield "Block8/Conv2d_1x1"
    if not v1:
        yield "Conv2d_7b_1x1"
    yield "Bottleneck"


def _branches(scope: str, kind: str) -> Iterator[str]:
    for branch, layers in _BRANCHES[kind]:
        for layer in layers.split():
            yield f"{scope}/Branch_{branch}/Conv2d_{layer}"


def variables(network: str, model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The state of `model`, whose gammas are 1, as a facenet checkpoint holds it.

    Layers are matched by their order alone, so that this knows nothing of our names.
    """
    layers = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    norms = {id(layer): None for layer in layers}
    last = None
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            last = module
        elif isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d):
            norms[id(last)] = module
    found = {}
    for scope, layer in zip(scopes(network), layers, strict=True):
        weight = layer.weight.detach()
        name = f"{network}/{scope}"
        found[f"{name}/weights"] = weight.permute(2, 3, 1, 0) if weight.ndim == 4 else weight.T
        norm = norms[id(layer)]
        if norm is None:
            found[f"{name}/biases"] = layer.bias.detach()
            continue
        found[f"{name}/BatchNorm/beta"] = norm.bias.detach()
        found[f"{name}/BatchNorm/moving_mean"] = norm.running_mean
        found[f"{name}/BatchNorm/moving_variance"] = norm.running_var
    return found
