"""Detects training that cannot continue or has learned nothing: what the paper calls a crash situation.

In a study of trainability, a collapse is a result, not an error: it is recorded with everything before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trsfnet.training.collapsed import Collapsed, CollapseKind
from trsfnet.training.distributed import World

# Number of steps between two checks of losses and gradients: large enough not to stall a GPU.
CHECK_EVERY = 20

# Number of initial steps whose gradient norms define what is usual for this run. After them, a loss that is
# no better than chance counts as a collapse.
FAIR_TRIAL = 100

# Gradients count as exploded if every norm since the last check exceeds this multiple of the usual norm.
EXPLOSION = 1000.0


# Nothing was learned if the final cross entropy is less than this fraction below its value at chance.
CHANCE_MARGIN = 0.01


class Collapse(Exception):
    """Training cannot continue.

    Attributes:
        how: what was detected, and at which step.
    """

    def __init__(self, message: str, how: Collapsed) -> None:
        super().__init__(message)
        self.how = how


class Watch:
    """Tracks the losses and gradient norms of a run on the device, and stops the run if they diverge.

    Attributes:
        losses: float32 [steps], the losses of the current epoch.
        norms: float32 [steps], L2 norm of the network's gradient at each step of the epoch.
        first_norms: float32 [FAIR_TRIAL], the gradient norms of the first steps of the run.
    """

    def __init__(self, steps: int, device: torch.device) -> None:
        self.losses = torch.zeros(steps, device=device)
        self.norms = torch.zeros(steps, device=device)
        self.first_norms = torch.full((FAIR_TRIAL,), math.nan, device=device)

    def state_dict(self) -> dict[str, Tensor]:
        """The tensors that a checkpoint stores."""
        return {"losses": self.losses, "norms": self.norms, "first_norms": self.first_norms}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore the result of `state_dict`, from any device."""
        device = self.losses.device
        self.losses, self.norms = state["losses"].to(device), state["norms"].to(device)
        self.first_norms = state["first_norms"].to(device)

    def note(self, i: int, step: int, loss: Tensor, norm: Tensor) -> None:
        """Record step `i` of its epoch, which is step `step` of the run, without synchronising the device."""
        self.losses[i], self.norms[i] = loss, norm
        if step < FAIR_TRIAL:
            self.first_norms[step] = norm

    def check(self, i: int, step: int, rate: float, world: World) -> float:
        """Check the steps since the last check.

        Args:
            i: the last step's number in its epoch, from 0.
            step: its number in the run, from 0.
            rate: its learning rate.
            world: the processes that train together; all check the mean of their losses.

        Returns:
            The mean loss of these steps.

        Raises:
            Collapse: a loss or gradient was not finite, or the gradients exploded. The message names the
                first such step, counted from 1, and the likely cause.
        """
        since = i - i % CHECK_EVERY
        losses = world.mean_(self.losses[since : i + 1]).cpu()
        norms = self.norms[since : i + 1].cpu()
        usual = self.first_norms.nanmedian().item()
        bad = (~(torch.isfinite(losses) & torch.isfinite(norms))).nonzero()
        if len(bad):
            j = int(bad[0])
            kind: CollapseKind = "loss"
            what = f"loss became {losses[j]:.3g}"
            if torch.isfinite(losses[j]):
                kind = "gradient"
                what = f"gradient became {norms[j]:.3g}, at a loss of {losses[j]:.3g},"
            first = step - (i - since) + j
            cause = self._cause(norms[:j], usual, first)
            raise Collapse(
                f"The {what} at step {first + 1} (learning rate {rate:.3g}). {cause}",
                Collapsed(kind, first + 1),
            )
        if step >= FAIR_TRIAL and len(norms) == CHECK_EVERY and norms.min() > EXPLOSION * usual:
            raise Collapse(
                f"The gradients exploded: in the {CHECK_EVERY} steps up to step {step + 1} their norm was at "
                f"least {norms.min():.3g}, compared with {usual:.3g} in the run's first {FAIR_TRIAL} steps "
                f"(learning rate {rate:.3g}). "
                "The likely cause is a learning rate that is too large for this network.",
                Collapsed("explosion", step + 1),
            )
        return losses.mean().item()

    @staticmethod
    def _cause(before: Tensor, usual: float, step: int) -> str:
        """The likely cause of a number that is not finite, from the gradient norms just before it."""
        if len(before) and before.max() > 100 * usual:
            return f"The gradients had exploded before: the norm grew from {usual:.3g} to {before.max():.3g}."
        if step < FAIR_TRIAL:
            return (
                "This early, the likely cause is a learning rate that starts too large; warmup_epochs helps."
            )
        return "The gradients had not grown before: the likely cause is a single excessive step, or overflow."


def at_chance(epoch: Mapping[str, Any], labels: np.ndarray, *, softmax: bool) -> str:
    """Describe an epoch at chance level: no better than knowing only how frequent each identity is.

    Args:
        epoch: row of the history.
        labels: int64 [N], the labels of the training set.
        softmax: True if the loss is a plain cross entropy, whose value at chance is known. It is unknown with
            an angular margin, so the accuracy decides then.

    Returns:
        A sentence, or an empty string if the epoch is above chance level.
    """
    share = np.bincount(labels) / len(labels)
    share = share[share > 0]
    entropy, best = -(share * np.log(share)).sum(), share.max()
    loss, accuracy = epoch["loss"], epoch["train_accuracy"]
    if softmax and loss >= entropy:
        return f"The loss ended at {loss:.3g}, no better than chance ({entropy:.3g})."
    if softmax and loss > (1 - CHANCE_MARGIN) * entropy:
        return (
            f"The loss ended at {loss:.3g}, {1 - loss / entropy:.2%} below chance ({entropy:.3g}): "
            f"a margin below {CHANCE_MARGIN:.0%} counts as no learning."
        )
    # Three standard errors above the accuracy of always predicting the most frequent identity, over one pass.
    if not softmax and accuracy <= best + 3 * math.sqrt(best * (1 - best) / len(labels)):
        return f"{accuracy:.2%} of the faces were classified correctly, no better than chance ({best:.2%})."
    return ""
