"""Replaces the classes of a network's parts by their fast counterparts, and restores them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from trsfnet.training.acceleration.modules import FAST, PLAIN, Accelerated


@dataclass(frozen=True)
class Acceleration:
    """The result of `accelerate`.

    Attributes:
        accelerated: the kind of each accelerated part, such as `ResidualBlock`, by its name in
            `named_modules`.
        skipped: the reason why a part was left unchanged, by its name.
    """

    accelerated: dict[str, str]
    skipped: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The number of accelerated parts of each kind, and the skipped parts, as JSON types."""
        return {"accelerated": dict(Counter(self.accelerated.values())), "skipped": self.skipped}

    def __str__(self) -> str:
        """A sentence, followed by every part that was left out."""
        left = f", {len(self.skipped)} do not" if self.skipped else ""
        lines = [f"  {name}: {reason}" for name, reason in self.skipped.items()]
        return "\n".join([f"{len(self.accelerated)} parts of the network train faster{left}.", *lines])


def accelerate(network: nn.Module) -> Acceleration:
    """Speed up the training of our networks: the same results up to rounding, in fewer passes over memory.

    Parts of the network (convolution units, projections, modules) get a class with another `forward`, a
    technique that `torch.nn.utils.parametrize` also uses. Parameters, their names, hooks and references to
    modules remain valid. A part whose class is not exactly ours, or whose children were replaced or have
    hooks, is left unchanged. If that happens later, the part computes as before, with a warning. Other
    modules in the network are not changed.

    Args:
        network: an `InceptionResnet`, or any module with one in it. Changed in place.

    Returns:
        Which parts are accelerated, and which are not and why. `restore` undoes the change.
    """
    plain = {name: module for name, module in network.named_modules() if type(module) in FAST}
    for module in plain.values():
        module.__class__ = FAST[type(module)]
    parts = {name: module for name, module in network.named_modules() if isinstance(module, Accelerated)}
    obstacles = {name: module.obstacle() for name, module in parts.items()}
    skipped = {name: reason for name, reason in obstacles.items() if reason is not None}
    for name in skipped:
        _restore(parts[name])
    # Parts of ours that a wrapper hides are not reported; subclasses of ours are.
    for name, module in network.named_modules():
        if isinstance(module, tuple(FAST)) and type(module) not in {**FAST, **PLAIN}:
            skipped[name] = f"it is of the type {type(module).__name__}"
    kinds = {name: PLAIN[type(part)].__name__ for name, part in parts.items() if name not in skipped}
    return Acceleration(kinds, skipped)


def restore(network: nn.Module) -> None:
    """Undo `accelerate`: every part gets its plain class back and keeps its parameters and hooks."""
    for module in network.modules():
        if type(module) in PLAIN:
            _restore(module)


def _restore(module: nn.Module) -> None:
    module.__class__ = PLAIN[type(module)]
