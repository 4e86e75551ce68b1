"""The classifier, sharded over processes for numbers of identities that one device cannot hold.

Each rank keeps a contiguous block of the identities' weights and its own part of the batch:

    embeddings of all ranks  ->  logits of this rank's identities  ->  one softmax over all identities

Only embeddings and a few numbers per image are communicated, never weights or logits. The result equals the
unsharded head's (no sampling of identities, no approximation). PyTorch's `loss_parallel` supports the plain
softmax (also with gloo) but not the margin: a DTensor's `scatter` and `argmax` gather the logits of all
identities on every rank, and `loss_parallel` then rejects them. Both losses are therefore implemented here,
in two autograd functions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable

from trsfnet.errors import ConfigError
from trsfnet.heads import ArcFaceHead, HeadOutput, SoftmaxHead, at_least_float32, make_head

# Number of rows that are drawn, or sent to rank 0, at a time: 128 MiB for 512 floats per row. It is a
# multiple of 16, the width of the loop in PyTorch's CPU generator, so that blocks give the same numbers.
_BLOCK = 65_536


class ShardedHead(nn.Module):
    """A softmax or ArcFace head whose identities are split over the ranks of the default process group.

    It is called like the unsharded heads, by every rank at the same time. Its initial weights equal those of
    `make_head` for the same random state of the CPU. All ranks must start from the same random state, which
    advances equally on all of them. Rank r of R keeps identities [r * classes // R, (r + 1) * classes // R).

    Wrap only the network in DistributedDataParallel, not this head: gradients on different ranks belong to
    different identities and must not be averaged.

    Args:
        loss: `softmax` or `arcface`.
        embedding_size: width of the embedding.
        classes: number of identities over all ranks.
        scale: ArcFace's s.
        margin: ArcFace's m in radians.

    Raises:
        ConfigError: no process group, fewer identities than ranks, or values that the unsharded heads reject.
    """

    def __init__(
        self, loss: str, embedding_size: int, classes: int, *, scale: float = 64.0, margin: float = 0.5
    ) -> None:
        super().__init__()
        if not (dist.is_available() and dist.is_initialized()):
            raise ConfigError("A sharded head needs a process group: start the run with torchrun.")
        self.rank, self.ranks, self.classes = dist.get_rank(), dist.get_world_size(), classes
        if classes < self.ranks:
            raise ConfigError(f"{classes} identities cannot be split over {self.ranks} processes.")
        self._whole = partial(make_head, loss, embedding_size, classes, scale=scale, margin=margin)
        self.bounds = [rank * classes // self.ranks for rank in range(self.ranks + 1)]
        self.shard: SoftmaxHead | ArcFaceHead
        with torch.device("meta"):  # the shard is an unsharded head of fewer identities, filled below
            self.shard = make_head(loss, embedding_size, self._stop - self._start, scale=scale, margin=margin)
        self.shard.to_empty(device="cpu")
        self._draw_initial_weights(embedding_size)

    @property
    def _start(self) -> int:
        return self.bounds[self.rank]

    @property
    def _stop(self) -> int:
        return self.bounds[self.rank + 1]

    def forward(self, embeddings: Tensor, labels: Tensor) -> HeadOutput:
        """This rank's batch -> the mean loss over all ranks' images, and predictions for its own.

        After `loss.backward()`, the head's own gradients are those of that mean. The gradient of `embeddings`
        is that of the mean times the number of ranks, because DistributedDataParallel averages over ranks.

        Args:
            embeddings: [n, embedding_size], the same n on every rank.
            labels: int64 [n], identities over all ranks. One outside [0, classes) makes the loss infinite.

        Returns:
            The loss, which is equal on every rank, and the int64 [n] predictions for this rank's images.
        """
        with torch.autocast(embeddings.device.type, enabled=False):
            everyone = _AllGather.apply(at_least_float32(embeddings))
            own_labels = _all_gather(labels) - self._start
            logits, best, predicted = self.shard.scores(everyone, own_labels)
            loss = _CrossEntropy.apply(logits, own_labels)
            predicted = _predicted_by_all(best, predicted + self._start)
            n = len(labels)
            return HeadOutput(loss, predicted[self.rank * n : (self.rank + 1) * n])

    def own_rows(self, full: Tensor) -> Tensor:
        """[classes, ...], a weight or its momentum -> a copy of this rank's rows. Not collective."""
        return full[self._start : self._stop].clone()

    def gather_rows(self, own: Tensor) -> Tensor | None:
        """This rank's rows of a weight or its momentum -> all rows on rank 0's CPU, None elsewhere.

        Collective. Rows are sent in blocks, so that no device holds more than its shard and one block: the
        whole may fit only into rank 0's main memory.
        """
        own = own.detach()
        full = torch.empty(self.classes, *own.shape[1:], dtype=own.dtype) if self.rank == 0 else None
        for owner in range(self.ranks):
            for start in range(self.bounds[owner], self.bounds[owner + 1], _BLOCK):
                stop = min(start + _BLOCK, self.bounds[owner + 1])
                if self.rank == owner:
                    block = own[start - self._start : stop - self._start].contiguous()
                    if owner != 0:
                        dist.send(block, dst=0)
                elif self.rank == 0:
                    block = own.new_empty(stop - start, *own.shape[1:])
                    dist.recv(block, src=owner)
                if full is not None:
                    full[start:stop] = block
        return full

    def full_state_dict(self) -> dict[str, Tensor] | None:
        """The unsharded head's `state_dict` on rank 0's CPU, None elsewhere. Collective."""
        gathered = {name: self.gather_rows(own) for name, own in self.shard.state_dict().items()}
        full = {name: rows for name, rows in gathered.items() if rows is not None}
        return full if self.rank == 0 else None

    def whole(self) -> nn.Module | None:
        """The unsharded head on rank 0, on the device of its shard; None elsewhere. Collective."""
        state = self.full_state_dict()
        if state is None:
            return None
        head = self._whole()
        head.load_state_dict(state)
        return head.to(next(self.shard.parameters()))

    def load_full_state_dict(self, state: dict[str, Tensor]) -> None:
        """Load this rank's rows from an unsharded head's `state_dict`. Not collective.

        Raises:
            ConfigError: the state has a different number of identities.
            RuntimeError: names or widths do not match, as from `load_state_dict`.
        """
        for name, full in state.items():
            if len(full) != self.classes:
                raise ConfigError(
                    f"{name} holds {len(full):,} identities, but the head has {self.classes:,}."
                )
        self.shard.load_state_dict({name: self.own_rows(full) for name, full in state.items()})

    @torch.no_grad()
    def _draw_initial_weights(self, width: int) -> None:
        """Draw all identities' weights as the unsharded head does, in blocks, and keep this rank's rows."""

        def draw(fill: Callable[[Tensor], object], into: Tensor | None = None) -> None:
            # PyTorch draws fewer than 16 numbers with another loop: such a last block joins the previous one.
            starts = list(range(0, max(self.classes - 15, 1), _BLOCK))
            for start, stop in zip(starts, [*starts[1:], self.classes], strict=True):
                block = torch.empty(stop - start, width, device="cpu")
                fill(block)
                low, high = max(start, self._start), min(stop, self._stop)
                if into is not None and low < high:
                    into[low - self._start : high - self._start] = block[low - start : high - start]

        if isinstance(self.shard, ArcFaceHead):
            draw(lambda block: block.normal_(std=0.01), self.shard.weight)
            return
        # nn.Linear first draws its own default, weight and bias, which SoftmaxHead then replaces.
        draw(lambda block: block.uniform_())
        torch.empty(self.classes, device="cpu").uniform_()
        bound = 3**0.5 * (2 / (width + self.classes)) ** 0.5  # Xavier's bound for the whole weight
        draw(lambda block: block.uniform_(-bound, bound), self.shard.linear.weight)
        self.shard.linear.bias.zero_()


def classifier_bytes(classes: int, embedding_size: int, ranks: int, global_batch: int) -> dict[str, int]:
    """Calculated memory of a sharded head and its SGD with momentum on the rank with most identities.

    Everything is float32. The network and terms of a few numbers per image or per identity are not included.
    ArcFace takes more: at the peak, the normalised weight and the backward pass through its normalisation add
    about four times `weights`; the logits and their gradient are freed by then.

    Args:
        classes: number of identities over all ranks.
        embedding_size: width of the embedding.
        ranks: number of processes; 1 gives the unsharded head.
        global_batch: images per step over all ranks.

    Returns:
        Bytes of `weights`, `gradient`, `momentum`, `logits`, `logits_gradient` and gathered `embeddings`, and
        their `total`.
    """
    rows = -(-classes // ranks)
    weights = 4 * rows * embedding_size
    logits = 4 * global_batch * rows
    parts = {
        "weights": weights,
        "gradient": weights,
        "momentum": weights,
        "logits": logits,
        "logits_gradient": logits,
        "embeddings": 4 * global_batch * embedding_size,
    }
    return parts | {"total": sum(parts.values())}


def _all_gather(own: Tensor) -> Tensor:
    """[n, ...] on each rank -> [ranks * n, ...] on every rank."""
    own = own.contiguous()
    everyone = own.new_empty(dist.get_world_size() * len(own), *own.shape[1:])
    dist.all_gather(list(everyone.chunk(dist.get_world_size())), own)
    return everyone


class _AllGather(torch.autograd.Function):
    """`_all_gather` of embeddings, with the gradient that DistributedDataParallel expects."""

    @staticmethod
    def forward(ctx: FunctionCtx, own: Tensor) -> Tensor:
        return _all_gather(own)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        # Each rank has the gradient through its own identities; the sum over ranks is the whole gradient.
        # This is an all-reduce because gloo long lacked reduce-scatter; embeddings are small.
        # DistributedDataParallel averages the network's gradients over the ranks, which is correct if each
        # rank's loss is the mean over its own images. This loss is already the mean over all images, so the
        # gradients must be summed instead. Multiplying by the number of ranks turns the average into the sum.
        ranks = dist.get_world_size()
        gradient = gradient * ranks
        dist.all_reduce(gradient)
        return gradient.chunk(ranks)[dist.get_rank()]


class _CrossEntropy(torch.autograd.Function):
    """Mean cross entropy over logits of which each rank holds the columns of its own identities.

    `logits` [N, own identities], `labels` int64 [N] relative to the rank's first identity -> scalar. The
    gradient is written explicitly: what autograd sums through collectives is a matter of convention, and it
    would keep several tensors of the logits' size. This keeps only the logits and computes their gradient.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, labels: Tensor) -> Tensor:
        column = labels.clamp(0, logits.shape[1] - 1)
        here = labels == column
        target = logits.gather(1, column.unsqueeze(1)).squeeze(1)
        own = logits.logsumexp(1)
        # Only one rank has the target's logit; one maximum distributes it together with the largest term.
        peak, target = _all_reduce(torch.stack((own, target.where(here, -torch.inf))), dist.ReduceOp.MAX)
        total = peak + _all_reduce((own - peak).exp(), dist.ReduceOp.SUM).log()
        ctx.save_for_backward(logits, total, column, here)
        return (total - target).mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """(softmax - one-hot) / N; each rank computes its own columns without communication."""
        logits, total, column, here = ctx.saved_tensors
        result = (logits - total.unsqueeze(1)).exp_()
        result.scatter_add_(1, column.unsqueeze(1), -here.to(result.dtype).unsqueeze(1))
        return result.mul_(gradient / len(logits)), None


def _predicted_by_all(best: Tensor, predicted: Tensor) -> Tensor:
    """Each rank's largest logit [N] and its identity [N] -> the identity of the largest of all, int64 [N]."""
    winner = best == _all_reduce(best.clone(), dist.ReduceOp.MAX)
    # Ties give the first identity, like a single `max` over all. A row of NaN has no winner and no identity.
    nobody = torch.iinfo(predicted.dtype).max
    return _all_reduce(predicted.where(winner, nobody), dist.ReduceOp.MIN)


def _all_reduce(x: Tensor, op: dist.ReduceOp.RedOpType) -> Tensor:
    """Reduce `x` over the ranks, in place."""
    dist.all_reduce(x, op)
    return x
