"""The sharded classifier equals the unsharded one: two gloo processes against this one."""

from __future__ import annotations

import datetime
import itertools
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from trsfnet.errors import ConfigError
from trsfnet.heads import make_head
from trsfnet.training import sharded_head
from trsfnet.training.sharded_head import ShardedHead, classifier_bytes

RANKS = 2
CASES = list(itertools.product(["softmax", "arcface"], [torch.float32, torch.float64]))
CLASSES, WIDTH, BATCH = 7, 5, 12  # 7 does not divide by 2
MANY = 37  # with blocks of 16 rows: 16, and the last 21 in one, as 5 rows of 3 are too few for a block
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}


def _batch(step: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(step)
    images = torch.randn(BATCH, 6, generator=generator, dtype=torch.float64)
    return images.to(dtype), torch.randint(0, CLASSES, (BATCH,), generator=generator)


def _train(
    loss: str, dtype: torch.dtype, steps: range, start: dict[str, Any] | None = None, rank: int | None = None
) -> dict[str, Any]:
    """SGD with momentum on a linear network and a head, sharded if this is a `rank`.

    Returns the first step's numbers and, as a checkpoint that does not know of ranks, the final state.
    """
    torch.manual_seed(0)
    network = nn.Linear(6, WIDTH).to(dtype)
    own = slice(None)
    if rank is None:
        head = make_head(loss, WIDTH, CLASSES, scale=16.0).to(dtype)
        parameters = dict(head.named_parameters())
        gather = own_rows = Tensor.clone
    else:
        own = slice(rank * BATCH // RANKS, (rank + 1) * BATCH // RANKS)
        head = ShardedHead(loss, WIDTH, CLASSES, scale=16.0).to(dtype)
        parameters = dict(head.shard.named_parameters())
        gather, own_rows = head.gather_rows, head.own_rows
    optimizer = torch.optim.SGD(
        [*network.parameters(), *head.parameters()], lr=0.1, momentum=0.9, weight_decay=0.01
    )
    if start is not None:
        network.load_state_dict(start["network"])
        (head.load_state_dict if rank is None else head.load_full_state_dict)(start["head"])
        for name, parameter in parameters.items():
            optimizer.state[parameter]["momentum_buffer"] = own_rows(start["momentum"][name])
        for parameter, momentum in zip(network.parameters(), start["network_momentum"], strict=True):
            optimizer.state[parameter]["momentum_buffer"] = momentum.clone()
    model = network if rank is None else DistributedDataParallel(network)

    first: dict[str, Any] = {}
    for step in steps:
        images, labels = _batch(step, dtype)
        embeddings = model(images[own])
        embeddings.retain_grad()
        out = head(embeddings, labels[own])
        optimizer.zero_grad()
        out.loss.backward()
        first = first or {
            "loss": out.loss.detach(),
            "predicted": out.predicted,
            "embeddings": embeddings.grad / (1 if rank is None else RANKS),  # as averaging over ranks does
            "network": [p.grad.clone() for p in network.parameters()],
            "head": {name: gather(p.grad) for name, p in parameters.items()},
        }
        optimizer.step()
    return {
        "first": first,
        "network": network.state_dict(),
        "head": head.state_dict() if rank is None else head.full_state_dict(),
        "momentum": {n: gather(optimizer.state[p]["momentum_buffer"]) for n, p in parameters.items()},
        "network_momentum": [optimizer.state[p]["momentum_buffer"] for p in network.parameters()],
    }


def _refusal(call: Any, *args: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        call(*args)
    return str(caught.value)


def _rank_main(rank: int, folder: Path) -> None:
    """Everything that needs the process group, in one start of it; the tests look at the results."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=(folder / "rendezvous").as_uri(),
        rank=rank,
        world_size=RANKS,
        timeout=datetime.timedelta(seconds=60),
    )
    sharded_head._BLOCK = 16
    starts = torch.load(folder / "starts.pt")
    results: dict[Any, Any] = {}
    for case in CASES:
        results["trained", *case] = _train(*case, range(3), rank=rank)
        results["continued", *case] = _train(*case, range(3, 5), starts[case], rank=rank)
    for loss in ("softmax", "arcface"):
        torch.manual_seed(1)
        head = ShardedHead(loss, 3, MANY)
        results["initial", loss] = head.full_state_dict(), torch.get_rng_state()

        embeddings = torch.randn(4, 3, generator=torch.Generator().manual_seed(rank)).bfloat16()
        labels = torch.tensor([0, 17, 18, 36])
        plain = head(embeddings.float(), labels).loss
        with torch.autocast("cpu", dtype=torch.bfloat16):
            results["autocast", loss] = head(embeddings, labels).loss, plain
        results["huge", loss] = tuple(head(embeddings.float() * 1e4, labels))
        results["label outside", loss] = head(embeddings.float(), labels + rank).loss
        whole = head.whole()
        results["whole", loss] = None if whole is None else tuple(whole(embeddings.float(), labels))
    results["too few"] = _refusal(ShardedHead, "softmax", 3, 1)
    results["other state"] = _refusal(head.load_full_state_dict, {"weight": torch.zeros(MANY + 1, 3)})
    torch.save(results, folder / f"rank{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def unsharded() -> dict[Any, dict[str, Any]]:
    return {case: _train(*case, range(3)) for case in CASES}


@pytest.fixture(scope="module")
def ranks(unsharded, tmp_path_factory) -> list[dict[Any, Any]]:
    """What each of the two processes found."""
    folder = tmp_path_factory.mktemp("ranks")
    torch.save(unsharded, folder / "starts.pt")
    processes = mp.spawn(_rank_main, (folder,), nprocs=RANKS, join=False)
    deadline = time.monotonic() + 120
    try:
        while not processes.join(timeout=1):
            assert time.monotonic() < deadline, "the two processes hang"
    finally:
        for process in processes.processes:
            process.kill()
    return [torch.load(folder / f"rank{rank}.pt") for rank in range(RANKS)]


def _assert_equal(found: Any, expected: Any, dtype: torch.dtype) -> None:
    """Tensors, or lists or dicts of them, differ by less than the tolerance times their largest entry."""
    if isinstance(expected, Tensor):
        assert found.dtype == expected.dtype
        difference = (found - expected).abs().max() / expected.abs().max()
        assert difference < TOLERANCE[dtype]
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        _assert_equal(list(found.values()), list(expected.values()), dtype)
    else:
        for one, other in zip(found, expected, strict=True):
            _assert_equal(one, other, dtype)


@pytest.mark.parametrize(("loss", "dtype"), CASES)
def test_one_step_equals_the_unsharded_head_on_the_whole_batch(loss, dtype, ranks, unsharded):
    expected = unsharded[loss, dtype]["first"]
    found = [rank["trained", loss, dtype]["first"] for rank in ranks]
    assert torch.equal(found[0]["loss"], found[1]["loss"])
    _assert_equal(found[0]["loss"], expected["loss"], dtype)
    assert torch.equal(torch.cat([rank["predicted"] for rank in found]), expected["predicted"])
    _assert_equal(torch.cat([rank["embeddings"] for rank in found]), expected["embeddings"], dtype)
    _assert_equal(found[0]["head"], expected["head"], dtype)
    for rank in found:  # DistributedDataParallel has averaged these
        _assert_equal(rank["network"], expected["network"], dtype)


@pytest.mark.parametrize(("loss", "dtype"), CASES)
def test_training_equals_the_unsharded_head(loss, dtype, ranks, unsharded):
    found, expected = ranks[0]["trained", loss, dtype], unsharded[loss, dtype]
    for part in ("network", "head", "momentum"):
        _assert_equal(found[part], expected[part], dtype)
    assert ranks[1]["trained", loss, dtype]["head"] is None


@pytest.mark.parametrize(("loss", "dtype"), CASES)
def test_a_checkpoint_continues_on_another_number_of_ranks(loss, dtype, ranks, unsharded):
    uninterrupted = _train(loss, dtype, range(5))
    from_two_to_one = _train(loss, dtype, range(3, 5), ranks[0]["trained", loss, dtype])
    from_one_to_two = ranks[0]["continued", loss, dtype]
    for part in ("network", "head", "momentum"):
        _assert_equal(from_two_to_one[part], uninterrupted[part], dtype)
        _assert_equal(from_one_to_two[part], uninterrupted[part], dtype)


@pytest.mark.parametrize("loss", ["softmax", "arcface"])
def test_initial_weights_are_the_unsharded_ones(loss, ranks):
    """Drawn in several blocks, bit for bit, and so is what is drawn next."""
    torch.manual_seed(1)
    expected = make_head(loss, 3, MANY).state_dict()
    state, random_state = ranks[0]["initial", loss]
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in expected)
    for rank in ranks:
        assert torch.equal(rank["initial", loss][1], torch.get_rng_state())
    assert torch.equal(random_state, torch.get_rng_state())


@pytest.mark.parametrize("loss", ["softmax", "arcface"])
def test_extreme_inputs(loss, ranks):
    cast, plain = ranks[0]["autocast", loss]
    assert cast.dtype == torch.float32
    assert torch.equal(cast, plain)

    torch.manual_seed(1)
    head = make_head(loss, 3, MANY)
    embeddings = [torch.randn(4, 3, generator=torch.Generator().manual_seed(r)) for r in range(RANKS)]
    expected = head(torch.cat(embeddings).bfloat16().float() * 1e4, torch.tensor([0, 17, 18, 36] * 2))
    found = [rank["huge", loss] for rank in ranks]
    _assert_equal(found[0][0], expected.loss, torch.float32)
    assert torch.equal(torch.cat([predicted for _, predicted in found]), expected.predicted)

    for rank in ranks:  # only the second rank has a label that no identity has
        assert rank["label outside", loss] == torch.inf


@pytest.mark.parametrize("loss", ["softmax", "arcface"])
def test_the_whole_head_is_on_the_first_rank(loss, ranks):
    """What rank 0 measures alone, such as a loss on held-out images, needs a head that asks no other rank."""
    torch.manual_seed(1)
    head = make_head(loss, 3, MANY)
    embeddings = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).bfloat16()
    expected = head(embeddings.float(), torch.tensor([0, 17, 18, 36]))
    found, elsewhere = (rank["whole", loss] for rank in ranks)
    assert elsewhere is None
    assert torch.equal(found[0], expected.loss)
    assert torch.equal(found[1], expected.predicted)


def test_wrong_use_is_named(ranks):
    with pytest.raises(ConfigError, match="needs a process group"):
        ShardedHead("softmax", 8, 4)
    assert ranks[0]["too few"] == "1 identities cannot be split over 2 processes."
    assert ranks[1]["other state"] == "weight holds 38 identities, but the head has 37."


def test_memory_on_paper_is_that_of_the_tensors():
    """The fuller of two ranks holds 4 of 7 identities."""
    weight = torch.empty(4, 5)
    logits, embeddings = torch.empty(12, 4), torch.empty(12, 5)
    found = classifier_bytes(7, 5, ranks=2, global_batch=12)
    assert found["weights"] == found["gradient"] == found["momentum"] == weight.nbytes == 80
    assert found["logits"] == found["logits_gradient"] == logits.nbytes == 192
    assert found["embeddings"] == embeddings.nbytes == 240
    assert found["total"] == 3 * 80 + 2 * 192 + 240
