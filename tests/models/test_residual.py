"""The effective residual ratio: right by hand, blind to how s and W share their product, and traceless."""

from __future__ import annotations

import copy

import pytest
import torch

from trsfnet.models import InceptionResnet
from trsfnet.models.residual import batch_statistics, kernel_norms, residual_ratios


@pytest.fixture
def model() -> InceptionResnet:
    torch.manual_seed(0)
    return InceptionResnet(
        version="v1", width=0.125, input_size=75, embedding_size=8, residual_scale="trainable"
    )


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(4, 3, 75, 75, generator=torch.Generator().manual_seed(1))


def test_ratio_of_the_first_module_by_hand(model, images):
    trunk = []
    model.block35[0].register_forward_pre_hook(lambda _, inputs: trunk.append(inputs[0]))
    model.train()
    model.double()(images.double())
    branch = model.block35[0].branch(trunk[0])
    expected = (branch.flatten(1).norm(dim=1) / trunk[0].flatten(1).norm(dim=1)).mean().item()
    ratios = residual_ratios(model, images.double())
    assert ratios["ratio_inception-resnet v1.1"] == pytest.approx(expected, rel=1e-6)
    assert list(ratios) == [f"ratio_inception-resnet v1.{i}" for i in range(1, 22)]


def test_ratio_sees_the_product_of_scale_and_kernel_only(model, images):
    before, norms = residual_ratios(model, images), kernel_norms(model)
    with torch.no_grad():
        for block in model.residual_blocks():
            if block.up.scale is not None:
                block.up.scale *= 4
                block.up.conv.weight /= 4
                block.up.conv.bias /= 4
    assert residual_ratios(model, images) == pytest.approx(before, rel=1e-5)
    changed = kernel_norms(model)
    assert changed["kernel_inception-resnet v1.1"] == pytest.approx(norms["kernel_inception-resnet v1.1"] / 4)


def test_measuring_leaves_the_model_alone(model, images):
    model.eval()
    state = copy.deepcopy(model.state_dict())
    residual_ratios(model, images)
    assert not model.training
    assert all(norm.momentum == 0.005 for norm in model.modules() if isinstance(norm, torch.nn.BatchNorm2d))
    different = [k for k, v in model.state_dict().items() if not torch.equal(v, state[k])]
    assert [k for k in different if not k.endswith("num_batches_tracked")] == []
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_dropout_does_not_act_on_what_is_measured():
    torch.manual_seed(0)
    model = InceptionResnet(version="v1", width=0.125, input_size=75, embedding_size=8, dropout=0.5)
    images = torch.randn(4, 3, 75, 75)
    with batch_statistics(model), torch.no_grad():
        assert torch.equal(model(images), model(images))
    assert all(module.training for module in model.modules())


def test_infinite_activations_leave_no_trace(model, images):
    torch.nn.init.constant_(model.conv2d_1a.conv.weight, torch.inf)
    model.conv2d_2a.bn.momentum = None  # an average over all batches, which depends on their number
    state = copy.deepcopy(model.state_dict())
    residual_ratios(model, images)
    after = model.state_dict()
    statistics = [name for name in state if "running" in name] + ["conv2d_2a.bn.num_batches_tracked"]
    assert all(torch.equal(after[name], state[name]) for name in statistics)
    assert model.conv2d_2a.bn.momentum is None


def test_norms_that_are_shared_by_processes_keep_their_statistics(model):
    shared = torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)
    before = shared.conv2d_1a.bn.running_mean.clone()
    with batch_statistics(shared):
        assert shared.conv2d_1a.bn.momentum == 0
        shared.conv2d_1a.bn.running_mean += 1
    assert torch.equal(shared.conv2d_1a.bn.running_mean, before)
    assert shared.conv2d_1a.bn.momentum == 0.005
