"""Builds what a configuration trains (network, classifier, optimiser), and saves and restores its state."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor, nn

from trsfnet.heads import make_head
from trsfnet.models import InceptionResnet
from trsfnet.models.inception_resnet import SCALED_MODULES, ResidualBlock
from trsfnet.training.batches import derived_seed
from trsfnet.training.config import TrainConfig
from trsfnet.training.distributed import World
from trsfnet.training.sharded_head import ShardedHead

# Number of identities from which several processes shard the classifier. Replicas would cost each process
# memory and a message of the classifier's size at every step.
SHARD_FROM = 50_000


def build_model(config: TrainConfig) -> InceptionResnet:
    """Build the network that a resolved `config` describes, initialised from its seed."""
    torch.manual_seed(derived_seed(config.seed, "weights", 0))
    model = InceptionResnet(**network_settings(config))
    if config.projection_gain != 1:
        with torch.no_grad():
            for block in model.residual_blocks()[: SCALED_MODULES[config.arch]]:
                for parameter in block.up.conv.parameters():
                    parameter.mul_(config.projection_gain)
    return model


def network_settings(config: TrainConfig) -> dict[str, Any]:
    """Arguments of `InceptionResnet` for the network of a resolved `config`."""
    scale = ("channel" if config.trsf_per_channel else "trainable") if config.trsf else "fixed"
    arguments = {field.metadata["argument"]: config.recorded[field.name] for field in fields(config)}
    settings = {name: value for name, value in arguments.items() if name and value not in (None, ())}
    return settings | {"residual_scale": scale}


def build_head(config: TrainConfig, classes: int, world: World) -> nn.Module:
    """Build the classifier over `classes` identities, sharded over the processes if there are very many.

    Its initial weights come from the random state after `build_model`.
    """
    make = ShardedHead if world.size > 1 and classes >= SHARD_FROM else make_head
    return make(
        config.loss,
        config.embedding_size,
        classes,
        scale=config.arcface_scale,
        margin=config.arcface_margin,
    )


def make_optimizer(config: TrainConfig, *modules: nn.Module) -> torch.optim.SGD:
    """SGD with Nesterov momentum; weight decay applies only to convolution and linear weights.

    As in slim, norms, biases, scales and slopes do not decay: they have fewer than two dimensions. If
    `config.decayed` is `projections`, only the 1x1 kernels that the scales multiply decay.
    """
    parameters = [p for module in modules for p in module.parameters()]
    decayed = {id(p) for p in parameters if p.ndim >= 2}
    if config.decayed == "projections":
        decayed &= {id(block.up.conv.weight) for module in modules for block in _residual_blocks(module)}
    groups = [
        {"params": [p for p in parameters if id(p) in decayed], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if id(p) not in decayed], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        groups, lr=config.learning_rate, momentum=config.momentum, nesterov=True, fused=True
    )


def _residual_blocks(module: nn.Module) -> list[ResidualBlock]:
    return [m for m in module.modules() if isinstance(m, ResidualBlock)]


def clamp_slopes(model: nn.Module, floor: float) -> None:
    """Clamp every PReLU slope to at least `floor`, in place; minus infinity changes nothing."""
    if floor == -math.inf:
        return
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.PReLU):
                module.weight.clamp_(min=floor)


class NormMomentum:
    """Sets the momentum so that micro-batches update running statistics like one batch.

    k updates in a row amount to r <- (1 - m) r + m (mean of the k statistics) if update j, counted from 0,
    has momentum m / (k - (k - 1 - j) m).
    """

    def __init__(self, model: nn.Module, momentum: float, micro_batches: int) -> None:
        self._norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
        self._momentum = momentum
        self._momenta = [
            momentum / (micro_batches - (micro_batches - 1 - j) * momentum) for j in range(micro_batches)
        ]

    def set(self, j: int) -> None:
        """Prepare for micro-batch `j` of a step, counted from 0."""
        if len(self._momenta) > 1:
            self._set(self._momenta[j])

    def reset(self) -> None:
        """Give the norms the momentum of the settings again, which exported networks state."""
        self._set(self._momentum)

    def _set(self, momentum: float) -> None:
        for norm in self._norms:
            norm.momentum = momentum


def average_statistics(model: nn.Module, world: World) -> None:
    """Average batch norm's running statistics over the processes.

    They are linear in the batches' statistics, so averaging once, before they are read, gives the same result
    as averaging at every step.
    """
    for name, buffer in model.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            world.mean_(buffer)


def training_state(model: nn.Module, head: nn.Module, optimizer: torch.optim.SGD) -> dict[str, Any]:
    """Everything that training changes, in one form for any number of processes. Every process takes part."""
    state: dict[str, Any] = {
        "model": model.state_dict(),
        "head": head.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    if isinstance(head, ShardedHead):
        state["head"] = head.full_state_dict()
        for number in _numbers(optimizer, head):
            own = state["optimizer"]["state"][number]
            state["optimizer"]["state"][number] = own | {
                "momentum_buffer": head.gather_rows(own["momentum_buffer"])
            }
    return state


def load_training_state(
    state: Mapping[str, Any], model: nn.Module, head: nn.Module, optimizer: torch.optim.SGD
) -> None:
    """Restore the result of `training_state`, on one process or many."""
    model.load_state_dict(state["model"])
    moments = _shaped_like_their_parameters(state["optimizer"], optimizer)
    if isinstance(head, ShardedHead):
        head.load_full_state_dict(state["head"])
        own = dict(moments["state"])
        for number in _numbers(optimizer, head):
            own[number] = own[number] | {"momentum_buffer": head.own_rows(own[number]["momentum_buffer"])}
        moments = moments | {"state": own}
    else:
        head.load_state_dict(state["head"])
    optimizer.load_state_dict(moments)


def _shaped_like_their_parameters(moments: Mapping[str, Any], optimizer: torch.optim.SGD) -> dict[str, Any]:
    """Reshape scalar moments [] of earlier checkpoints to [1], the present shape of a trainable scale."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    own = {
        number: {
            name: value.view_as(parameters[number])
            if isinstance(value, Tensor) and value.ndim == 0
            else value
            for name, value in kept.items()
        }
        for number, kept in moments["state"].items()
    }
    return dict(moments) | {"state": own}


def _numbers(optimizer: torch.optim.SGD, head: nn.Module) -> list[int]:
    """The numbers of the parameters of `head` in the optimiser's state dict."""
    own = {id(p) for p in head.parameters()}
    everything = [p for group in optimizer.param_groups for p in group["params"]]
    return [number for number, p in enumerate(everything) if id(p) in own]
