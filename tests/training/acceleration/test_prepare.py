"""Which trainings are compiled, and that it does not matter to them whether they are interrupted."""

from __future__ import annotations

from dataclasses import replace
from shutil import which

import pytest
import torch

from tests.models.test_inception_resnet import TINY
from tests.training.acceleration.parts import fast, images, parts, same, step
from trsfnet.models import InceptionResnet
from trsfnet.training.acceleration import prepare as module
from trsfnet.training.acceleration import regions
from trsfnet.training.acceleration.prepare import CPU_GAIN, GPU_STEPS, prepare
from trsfnet.training.loop import train

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def done(monkeypatch) -> list[str]:
    """What `prepare` did to the network, without doing it."""
    calls: list[str] = []
    monkeypatch.setattr(module, "compile_regions", lambda model: calls.append("compiled"))
    monkeypatch.setattr(module, "capture", lambda model, batch, dtype: calls.append("captured"))
    monkeypatch.setattr(module, "compiler_fault", lambda: None)
    return calls


def network() -> InceptionResnet:
    return InceptionResnet(version="v1", **TINY)


@pytest.mark.parametrize(
    ("steps", "micro_batches", "share", "means"),
    [
        (GPU_STEPS, 1, 1, "compiled"),
        (GPU_STEPS - 1, 1, 1, "captured"),
        (GPU_STEPS, 2, 1, "compiled"),
        (GPU_STEPS - 1, 2, 1, "eager"),
        (GPU_STEPS, 2, 2, "eager"),
    ],
)
def test_on_a_gpu(tiny_config, steps, micro_batches, share, means):
    config = replace(tiny_config, micro_batches=micro_batches)
    assert module._on_gpu(config, steps, share)[0] == means


def test_on_a_cpu_trainings_that_win_it_back_are_compiled(tiny_config, done):
    config = replace(tiny_config, width=0.25, image_size=96, batch_size=64)
    needed = CPU_GAIN.steps(config)
    saved = needed * 64 * (1 / CPU_GAIN.eager - 1 / CPU_GAIN.compiled)
    assert saved == pytest.approx(CPU_GAIN.seconds, rel=1e-3)
    assert CPU_GAIN.steps(replace(config, batch_size=32)) == pytest.approx(2 * needed, abs=1)
    short, long = (prepare(network(), config, steps, 1) for steps in (needed - 1, needed))
    assert (short.means, long.means, done) == ("eager", "compiled", ["compiled"])
    assert short.reason.endswith(f"only from {needed:,} on.")
    assert long.reason.endswith(f"pays off over {needed:,} steps, as it does from {needed:,} on.")
    for other in ({"width": 0.5}, {"precision": "bfloat16"}, {"micro_batches": 2}):
        assert prepare(network(), replace(config, **other), 10**9, 1).means == "eager"


def test_a_compiler_that_does_not_work_is_said_and_done_without(tiny_config, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("cannot find a C++ compiler.\nSet CXX.")

    monkeypatch.setattr(regions, "BACKEND", broken)
    regions.compiler_fault.cache_clear()
    prepared = prepare(network(), tiny_config, 10**9, 1)
    regions.compiler_fault.cache_clear()
    assert prepared.means == "eager"
    assert "PyTorch's compiler does not work here (" in prepared.reason
    assert "cannot find a C++ compiler" in prepared.reason


@pytest.mark.slow
def test_a_compiled_training_that_is_interrupted_ends_as_one_that_was_not(
    tiny_config, tiny_data, tmp_path, monkeypatch
):
    graphs: list[torch.fx.GraphModule] = []

    def backend(graph: torch.fx.GraphModule, _inputs: object):
        """Computes what it is given, a little differently, so that a step that is not compiled shows."""
        graphs.append(graph)
        return lambda *inputs: tuple(out * (1 + 1e-4) for out in graph(*inputs))

    monkeypatch.setattr(regions, "BACKEND", backend)
    few = lambda model: [model.conv2d_1a, *model.block35]  # noqa: E731 - tracing all takes long
    monkeypatch.setattr(regions, "regions", few)
    monkeypatch.setattr(module, "_on_cpu", lambda config, steps: ("compiled", "For the test."))

    def stop(_history: object) -> None:
        raise KeyboardInterrupt

    torch._dynamo.reset()
    config = replace(tiny_config, steps_per_epoch=1)
    whole = train(config, tiny_data)
    assert len(graphs) == 2, "regions of one kind share their code, and evaluation is not compiled"
    checkpoint = tmp_path / "last.pt"
    with pytest.raises(KeyboardInterrupt):
        train(config, tiny_data, checkpoint=checkpoint, on_epoch=stop)
    torch._dynamo.reset()  # as in a new process
    resumed = train(config, tiny_data, checkpoint=checkpoint)
    for (name, a), b in zip(
        whole.model.state_dict().items(), resumed.model.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b), name
    assert resumed.evaluation.metrics == whole.evaluation.metrics


@pytest.mark.slow
@pytest.mark.skipif(which("g++") is None, reason="needs a C++ compiler")
@pytest.mark.parametrize("accelerated", [False, True])
def test_what_the_compiler_makes_of_a_unit_is_the_unit(accelerated):
    plain, unit = parts()[0], (fast(parts()) if accelerated else parts())[0]
    unit.compile()
    same(step(unit, images()), step(plain, images()))
    with torch.no_grad():
        torch.testing.assert_close(unit.eval()(images()), plain.eval()(images()))
