"""Classification heads: loss and predicted identities from embeddings, for training only.

Both heads are called in the same way, `head(embeddings, labels) -> HeadOutput`, so the training loop does
not need to know which one it has. The same holds for their sharded form in
`trsfnet.training.sharded_head`. They compute in float32 (or in float64 if given it) regardless of autocast,
because a softmax over tens of thousands of identities exceeds the range and precision of half types.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trsfnet.errors import ConfigError, choice

LOSSES = ("softmax", "arcface")


class HeadOutput(NamedTuple):
    """The output of a head.

    Attributes:
        loss: mean loss over the batch, a scalar.
        predicted: int64 [N], the identity with the largest logit, before any margin. No gradient.
    """

    loss: Tensor
    predicted: Tensor


class Scores(NamedTuple):
    """The scores of a head before the softmax, for all identities or for one shard of them.

    Attributes:
        logits: [N, classes], with the margin at each row's label.
        best: [N], the largest logit without margin. No gradient.
        predicted: int64 [N], the identity that has it. No gradient.
    """

    logits: Tensor
    best: Tensor
    predicted: Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """`x` in float32, or unchanged if it is float64."""
    return x if x.dtype == torch.float64 else x.float()


def _in_one_type(embeddings: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Promote both tensors to the wider type: a head may be stored in a half type but not compute in it."""
    dtype = torch.promote_types(embeddings.dtype, weight.dtype)
    return embeddings.to(dtype), weight.to(dtype)


class _Head(nn.Module, ABC):
    """The shared part of the heads: the softmax over their scores."""

    @abstractmethod
    def scores(self, embeddings: Tensor, labels: Tensor) -> Scores:
        """`embeddings` [N, embedding_size] float32 or float64, `labels` int64 [N] -> scores."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> HeadOutput:
        """`embeddings` [N, embedding_size] (any norm), `labels` int64 [N] -> loss and predictions."""
        with torch.autocast(embeddings.device.type, enabled=False):
            logits, _, predicted = self.scores(at_least_float32(embeddings), labels)
            return HeadOutput(F.cross_entropy(logits, labels), predicted)


class SoftmaxHead(_Head):
    """Plain softmax loss on the un-normalised embedding, with bias: facenet's "Logits" layer."""

    def __init__(self, embedding_size: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(embedding_size, classes)
        nn.init.xavier_uniform_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def scores(self, embeddings: Tensor, labels: Tensor) -> Scores:
        """`embeddings` [N, embedding_size] float32 or float64 -> logits; plain softmax ignores `labels`."""
        if self.linear.weight.dtype == embeddings.dtype:
            logits = self.linear(embeddings)
        else:
            embeddings, weight = _in_one_type(embeddings, self.linear.weight)
            logits = F.linear(embeddings, weight, self.linear.bias.to(weight.dtype))
        return Scores(logits, *logits.detach().max(1))


class ArcFaceHead(_Head):
    """Additive angular margin loss (Deng et al. 2019, the paper's reference 25): s * cos(theta + m).

    The gradient with respect to the cosine is the exact derivative, s * sin(theta + m) / sin(theta).
    (insightface's current code uses a straight-through gradient, which ignores the margin.)

    Args:
        embedding_size: width of the embedding.
        classes: number of identities.
        scale: s, the radius of the hypersphere.
        margin: m in radians, in [0, pi).
        easy_margin: apply the margin only where the cosine is positive. Otherwise angles beyond pi - m,
            where cos(theta + m) would rise again, continue with the line cos(theta) - m sin(m).

    Raises:
        ConfigError: a scale that is not positive and finite, or a margin outside [0, pi).
    """

    def __init__(
        self,
        embedding_size: int,
        classes: int,
        *,
        scale: float = 64.0,
        margin: float = 0.5,
        easy_margin: bool = False,
    ) -> None:
        super().__init__()
        if not 0 < scale < math.inf:
            raise ConfigError(f"The ArcFace scale must be above 0 and finite, got {scale}.")
        if not 0 <= margin < math.pi:
            raise ConfigError(f"The ArcFace margin must be at least 0 and below pi, got {margin}.")
        self.scale, self.margin, self.easy_margin = scale, margin, easy_margin
        self.weight = nn.Parameter(torch.empty(classes, embedding_size))
        nn.init.normal_(self.weight, std=0.01)

    def scores(self, embeddings: Tensor, labels: Tensor) -> Scores:
        """`embeddings` [N, embedding_size] float32 or float64, `labels` int64 [N] -> logits s cos(theta).

        A label outside [0, classes) belongs to an identity of another shard, so its row gets no margin here.
        """
        embeddings, weight = _in_one_type(embeddings, self.weight)
        cosines = F.linear(F.normalize(embeddings), F.normalize(weight))
        best, predicted = cosines.detach().max(1)
        target = labels.clamp(0, len(self.weight) - 1)
        cosine = cosines[torch.arange(len(labels), device=labels.device), target]
        cosine = torch.where(labels == target, self._add_margin(cosine), cosine)
        # In place, because the bare cosines are not needed again: [N, classes] is the largest tensor of a
        # step.
        cosines.scatter_(1, target.unsqueeze(1), cosine.unsqueeze(1))
        return Scores(cosines.mul_(self.scale), self.scale * best, predicted)

    def _add_margin(self, cosine: Tensor) -> Tensor:
        """cos(theta) -> cos(theta + m), by the angle-sum identity, since arccos has an infinite slope at +-1.

        The slope of sin(theta) = sqrt(1 - cos^2) is also infinite at cosine +-1. The lower bound under the
        root keeps it finite there, where the gradient of the cosine itself vanishes; elsewhere it changes
        nothing. Rounding can leave a cosine slightly outside [-1, 1], hence the clamp.
        """
        cosine = cosine.clamp(-1, 1)
        floor = torch.finfo(cosine.dtype).eps
        sine = ((1 - cosine) * (1 + cosine)).clamp_min(floor).sqrt()
        shifted = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        if self.easy_margin:
            return torch.where(cosine > 0, shifted, cosine)
        beyond = cosine <= math.cos(math.pi - self.margin)
        return torch.where(beyond, cosine - self.margin * math.sin(self.margin), shifted)


def make_head(
    loss: str, embedding_size: int, classes: int, *, scale: float = 64.0, margin: float = 0.5
) -> SoftmaxHead | ArcFaceHead:
    """Create the head for `loss`: `softmax`, or `arcface` with its scale and margin.

    Raises:
        ConfigError: unknown `loss`.
    """
    choice("loss", loss, LOSSES)
    if loss == "softmax":
        return SoftmaxHead(embedding_size, classes)
    return ArcFaceHead(embedding_size, classes, scale=scale, margin=margin)
