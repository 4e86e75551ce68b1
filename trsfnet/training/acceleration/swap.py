"""A network's parts are given their fast classes, and back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from trsfnet.training.acceleration.modules import FAST, PLAIN, Accelerated


@dataclass(frozen=True)
class Acceleration:
    """What `accelerate` did.

    Attributes:
        accelerated: the kind of each part that computes faster, such as `ResidualBlock`, by its name in
            `named_modules`.
        skipped: why each other part, by its name, computes as it did.
    """

    accelerated: dict[str, str]
    skipped: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """How many parts of each kind are accelerated, and which are not, of JSON types."""
        return {"accelerated": dict(Counter(self.accelerated.values())), "skipped": self.skipped}

    def __str__(self) -> str:
        """A sentence, then every part that was left out."""
        left = f", {len(self.skipped)} do not" if self.skipped else ""
        lines = [f"  {name}: {reason}" for name, reason in self.skipped.items()]
        return "\n".join([f"{len(self.accelerated)} parts of the network train faster{left}.", *lines])


def accelerate(network: nn.Module) -> Acceleration:
    """Make the training of our networks faster: the same results to rounding, in fewer passes over memory.

    Parts of the network (convolution units, projections, blocks) are given classes with another `forward`,
    as `torch.nn.utils.parametrize` does it. Parameters, their names, hooks and references to modules stay.
    A part that is no longer exactly ours, or whose children are replaced or have hooks, is left as it is; so
    it is if that happens later, with a warning. Whatever else the network holds is not touched.

    Args:
        network: an `InceptionResnet`, or any module with one in it. Changed in place.

    Returns:
        What is accelerated, and what is not and why. `restore` undoes it.
    """
    plain = {name: module for name, module in network.named_modules() if type(module) in FAST}
    for module in plain.values():
        module.__class__ = FAST[type(module)]
    parts = {name: module for name, module in network.named_modules() if isinstance(module, Accelerated)}
    obstacles = {name: module.obstacle() for name, module in parts.items()}
    skipped = {name: reason for name, reason in obstacles.items() if reason is not None}
    for name in skipped:
        _restore(parts[name])
    # What a wrapper hides within a part of ours is nobody's mistake; a subclass of ours is worth a word.
    for name, module in network.named_modules():
        if isinstance(module, tuple(FAST)) and type(module) not in {**FAST, **PLAIN}:
            skipped[name] = f"it is of the type {type(module).__name__}"
    kinds = {name: PLAIN[type(part)].__name__ for name, part in parts.items() if name not in skipped}
    return Acceleration(kinds, skipped)


def restore(network: nn.Module) -> None:
    """Undo `accelerate`: every part computes plainly again, with the same parameters and hooks."""
    for module in network.modules():
        if type(module) in PLAIN:
            _restore(module)


def _restore(module: nn.Module) -> None:
    module.__class__ = PLAIN[type(module)]
