"""What ends a run, and what its message says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from trsfnet.training.collapse import CHECK_EVERY, FAIR_TRIAL, Collapse, Watch, at_chance
from trsfnet.training.collapsed import Collapsed
from trsfnet.training.distributed import World


def watched(losses: list[float], norms: list[float]) -> None:
    """Let a watch see these steps, as the loop would."""
    watch = Watch(len(losses), torch.device("cpu"))
    for i, (loss, norm) in enumerate(zip(losses, norms, strict=True)):
        watch.note(i, i, torch.tensor(loss), torch.tensor(norm))
        if (i + 1) % CHECK_EVERY == 0 or i + 1 == len(losses):
            watch.check(i, i, 0.1, World())


def test_a_watch_is_restored_on_its_own_device():
    kept = Watch(3, torch.device("cpu")).state_dict()
    watch = Watch(3, torch.device("meta"))
    watch.load_state_dict(kept)
    assert {tensor.device.type for tensor in watch.state_dict().values()} == {"meta"}


STEPS = 160


def test_a_noisy_run_is_left_alone():
    rng = np.random.default_rng(0)
    watched(list(rng.lognormal(1, 1, STEPS)), list(rng.lognormal(0, 2, STEPS)))


@pytest.mark.parametrize(
    ("loss", "norm", "at", "how", "says"),
    [
        (
            math.nan,
            1.0,
            30,
            Collapsed("loss", 31),
            "The loss became nan at step 31 (learning rate 0.1). This early",
        ),
        (
            math.inf,
            1.0,
            0,
            Collapsed("loss", 1),
            "The loss became inf at step 1 (learning rate 0.1). This early",
        ),
        (
            2.0,
            math.inf,
            139,
            Collapsed("gradient", 140),
            "The gradient became inf, at a loss of 2, at step 140",
        ),
        (
            math.nan,
            math.nan,
            157,
            Collapsed("loss", 158),
            "The loss became nan at step 158 (learning rate 0.1). The gradients had not",
        ),
    ],
)
def test_what_is_not_finite_is_named_with_its_step(loss, norm, at, how, says):
    losses, norms = [2.0] * STEPS, [1.0] * STEPS
    losses[at:], norms[at:] = [loss] * (STEPS - at), [norm] * (STEPS - at)
    with pytest.raises(Collapse) as caught:
        watched(losses, norms)
    assert str(caught.value).startswith(says)
    assert caught.value.how == how


def test_exploding_gradients_are_the_named_cause_of_what_follows():
    losses, norms = [2.0] * STEPS, [1.0] * STEPS
    losses[150], norms[145:150] = math.nan, [3.0, 10.0, 50.0, 200.0, 900.0]
    with pytest.raises(Collapse, match=r"at step 151 .*The gradients had exploded before: .* from 1 to 900"):
        watched(losses, norms)


def test_gradients_that_stay_exploded_end_the_run():
    norms = [1.0] * FAIR_TRIAL + [2000.0] * (STEPS - FAIR_TRIAL)
    with pytest.raises(
        Collapse, match=r"in the 20 steps up to step 120 their norm was at least 2e\+03"
    ) as caught:
        watched([2.0] * STEPS, norms)
    assert caught.value.how == Collapsed("explosion", 120)
    norms[FAIR_TRIAL + 5 :: 10] = [1.0] * len(norms[FAIR_TRIAL + 5 :: 10])
    watched([2.0] * STEPS, norms)


def test_chance_is_what_knowing_the_frequencies_gives():
    labels = np.repeat([0, 1, 2], [80, 10, 10])
    entropy = -(0.8 * math.log(0.8) + 0.2 * math.log(0.1))

    def ends(loss: float, accuracy: float, softmax: bool) -> str:
        return at_chance({"loss": loss, "train_accuracy": accuracy}, labels, softmax=softmax)

    assert ends(1.01 * entropy, 0.8, True) == "The loss ended at 0.645, no better than chance (0.639)."
    assert ends(0.995 * entropy, 0.8, True) == (
        "The loss ended at 0.636, 0.50% below chance (0.639): a margin below 1% counts as no learning."
    )
    assert ends(0.9 * entropy, 0.8, True) == ""
    assert (
        ends(30.0, 0.8, False)
        == "80.00% of the faces were classified correctly, no better than chance (80.00%)."
    )
    assert ends(30.0, 0.95, False) == ""
