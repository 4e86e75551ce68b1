"""The arithmetic of training is what it was when the golden runs were committed, and a change is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.golden.cases import CASES, resumed, start, trained
from tests.golden.observe import TOLERANCE, digest, machine, numbers, read, worst
from trsfnet import heads
from trsfnet.training import rescaling, state, step

COMMITTED = read()
DIGESTS = COMMITTED["digests"].get(machine())
MENDING = "If the change was meant: `python -m tests.golden --write`, and raise RESULTS_VERSION."

pytestmark = pytest.mark.usefixtures("one_thread")


def differences(case: str) -> dict[str, float]:
    """By how much the numbers of a case differ from the committed ones, where rounding cannot explain it."""
    outcome = trained(case, dtype=torch.float64)
    found = worst(numbers(start(case, dtype=torch.float64), outcome), COMMITTED["numbers"][case])
    return {name: difference for name, difference in found.items() if not difference <= TOLERANCE}


def test_every_case_has_committed_values():
    assert COMMITTED["numbers"].keys() == CASES.keys()
    assert all(digests.keys() == CASES.keys() for digests in COMMITTED["digests"].values())


@pytest.mark.skipif(DIGESTS is None, reason="another processor or PyTorch wrote the values: bits may differ")
@pytest.mark.parametrize("case", CASES)
def test_every_bit_is_the_same_where_the_values_were_written(case):
    assert digest(trained(case)) == DIGESTS[case], MENDING


@pytest.mark.parametrize("case", CASES)
def test_every_number_is_the_same_to_rounding_anywhere(case):
    assert differences(case) == {}, MENDING


@pytest.mark.parametrize("case", ["v1-trsf-prelu", "v2-trsf-prelu-arcface-ms1mv2"])
def test_a_run_resumed_in_the_middle_has_the_same_bits(case, tmp_path):
    expected = digest(trained(case)) if DIGESTS is None else DIGESTS[case]
    assert digest(resumed(case, tmp_path)) == expected


def other_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    smoothed = F.cross_entropy
    monkeypatch.setattr(heads.F, "cross_entropy", lambda x, y: smoothed(x, y, label_smoothing=1e-3))


def other_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads.ArcFaceHead, "_add_margin", lambda self, cosine: cosine - self.margin)


def decay_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    original = state.make_optimizer

    def decaying(*arguments):
        optimizer = original(*arguments)
        optimizer.param_groups[1]["weight_decay"] = optimizer.param_groups[0]["weight_decay"]
        return optimizer

    monkeypatch.setattr(state, "make_optimizer", decaying)


def settings_ignored(**ignored: Any) -> Callable[[pytest.MonkeyPatch], None]:
    """The training that a configuration with these settings would have."""

    def mutate(monkeypatch: pytest.MonkeyPatch) -> None:
        original = state.TrainState.start.__func__

        def start(cls, config, *arguments):
            return original(cls, replace(config, **ignored), *arguments)

        monkeypatch.setattr(state.TrainState, "start", classmethod(start))

    return mutate


def losses_of_other_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescaling, "_BATCH", 5)


def plain_momentum(monkeypatch: pytest.MonkeyPatch) -> None:
    original = state.make_optimizer

    def without_nesterov(*arguments):
        optimizer = original(*arguments)
        for group in optimizer.param_groups:
            group["nesterov"] = False
        return optimizer

    monkeypatch.setattr(state, "make_optimizer", without_nesterov)


def other_random_numbers(purpose: str) -> Callable[[pytest.MonkeyPatch], None]:
    def mutate(monkeypatch: pytest.MonkeyPatch) -> None:
        original = step.derived_seed
        monkeypatch.setattr(step, "derived_seed", lambda s, p, n: original(s, p, n) + (p == purpose))

    return mutate


def earlier_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    original = step.learning_rate
    monkeypatch.setattr(step, "learning_rate", lambda config, i, steps: original(config, i + 1, steps))


def slower_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    original = state.NormMomentum
    monkeypatch.setattr(state, "NormMomentum", lambda model, m, parts: original(model, 1.01 * m, parts))


MUTATIONS = {
    "loss": (other_loss, "v1-relu"),
    "margin": (other_margin, "v1-arcface-warmup"),
    "decay groups": (decay_of_everything, "v1-trsf-prelu-two-micro-batches"),
    "momentum": (plain_momentum, "v1-relu"),
    "random numbers of the augmentation": (other_random_numbers("augment"), "v1-constant-scale"),
    "random numbers of dropout": (other_random_numbers("dropout"), "v1-leaky-relu-vggface2"),
    "cosine": (earlier_schedule, "v1-relu"),
    "staircase": (earlier_schedule, "v1-leaky-relu-vggface2"),
    "warmup": (earlier_schedule, "v1-arcface-warmup"),
    "running statistics of micro-batches": (slower_statistics, "v1-trsf-prelu-two-micro-batches"),
    "which kernels decay": (settings_ignored(decayed="all"), "v1-trsf-prelu-other-gauge"),
    "gain of the projections": (settings_ignored(projection_gain=0.101), "v1-trsf-prelu-other-gauge"),
    "floor of the slopes": (settings_ignored(slope_floor=0.19), "v1-prelu-above-a-floor-given-scales"),
    "given scales": (settings_ignored(fixed_scales=(0.1,) * 20), "v1-prelu-above-a-floor-given-scales"),
    "held-out losses by factor": (losses_of_other_batches, "v1-trsf-held-out"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_changed_formula_is_caught_on_any_machine(name, monkeypatch):
    mutate, case = MUTATIONS[name]
    mutate(monkeypatch)
    found = differences(case)
    assert max(found.values()) > 100 * TOLERANCE, "far beyond the tolerance, not by luck"
