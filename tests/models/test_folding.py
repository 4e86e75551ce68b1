"""A folded network computes the same without batch norms and scales."""

from __future__ import annotations

import pytest
import torch
from timm.layers import StdConv2d
from torch import nn
from torch.nn.utils import prune

from tests.models.test_inception_resnet import SETTINGS, TINY, randomise
from trsfnet.errors import ConfigError
from trsfnet.models import InceptionResnet
from trsfnet.models.folding import FoldedConv, FoldedResidual, fold
from trsfnet.models.layers import ScaledProjection

pytestmark = pytest.mark.usefixtures("one_thread")


class Squared(nn.ReLU):
    """An activation that passes for PyTorch's by its class."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) ** 2


def random_network(**settings) -> InceptionResnet:
    torch.manual_seed(0)
    model = InceptionResnet(**{**TINY, **settings}).eval()
    randomise(model)
    return model


def relative(got: torch.Tensor, expected: torch.Tensor) -> float:
    assert expected.std(dim=0).max() > 1e-3 * expected.abs().max(), (
        "the inputs must not collapse onto one point"
    )
    return ((got - expected).norm() / expected.norm()).item()


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(("scale", "activation"), SETTINGS)
def test_every_setting_is_folded(version, scale, activation):
    model = random_network(version=version, residual_scale=scale, activation=activation, bn_gamma=True)
    folded = fold(model)
    x = torch.rand(3, 3, 75, 75) * 2 - 1
    with torch.no_grad():
        assert relative(folded(x), model(x)) < 1e-5
    kinds = {type(module) for module in folded.modules()}
    assert not {kind for kind in kinds if "BatchNorm" in kind.__name__ or "Scaled" in kind.__name__}


@pytest.mark.parametrize(
    "settings",
    [
        {"version": "v1", "width": 0.25, "input_size": 80, "scale_init": 0.3},
        {"version": "v1", "removed_pool": "maxpool_3a", "input_size": 48, "residual_scale": "trainable"},
        {"version": "v2", "removed_pool": "maxpool_5a", "input_size": 48, "activation": "prelu"},
        {"version": "v1", "dropout": 0.4, "scale_last": True, "residual_scale": "trainable"},
    ],
)
def test_widths_pools_and_dropout(settings):
    model = random_network(**settings)
    x = torch.rand(2, 3, model.input_size, model.input_size) * 2 - 1
    with torch.no_grad():
        assert relative(fold(model)(x), model(x)) < 1e-5


def test_convolutions_with_a_bias_and_slopes_of_another_kind_are_folded():
    model = random_network(version="v1", activation="prelu")
    unit = model.block17[0].branch1[0]
    unit.act = nn.Identity()
    unit.conv = nn.Conv2d(unit.conv.in_channels, unit.conv.out_channels, 1)
    model.block35[0].act = nn.LeakyReLU(0.7)
    model.last_linear = nn.Linear(model.last_linear.in_features, 16)
    model.last_bn = nn.BatchNorm1d(16, affine=False).eval()
    x = torch.rand(2, 3, 75, 75) * 2 - 1
    with torch.no_grad():
        assert relative(fold(model)(x), model(x)) < 1e-5


def test_a_branch_that_is_registered_again_stays_in_its_place():
    model = random_network(version="v1")
    x = torch.rand(2, 3, 75, 75) * 2 - 1
    with torch.no_grad():
        before = model(x)
        branch = model.block35[0].branch0
        del model.block35[0].branch0
        model.block35[0].branch0 = branch
        assert torch.equal(model(x), before)
        assert relative(fold(model)(x), before) < 1e-5


@pytest.mark.parametrize(
    ("name", "module", "says"),
    [
        ("act", nn.GELU(), "PReLU with one slope can be folded, got GELU"),
        ("act", nn.PReLU(8), "PReLU with one slope can be folded, got PReLU"),
        ("bn", nn.GroupNorm(2, 8), "batch norms with running statistics can be folded, got GroupNorm"),
        (
            "bn",
            nn.BatchNorm2d(8, track_running_stats=False),
            "running statistics can be folded, got BatchNorm2d",
        ),
        ("conv", nn.Sequential(nn.Conv2d(3, 8, 3, 2)), "convolutions can be folded, got Sequential"),
        ("conv", nn.Conv2d(3, 8, 3, 2, dilation=2), "without groups and dilation, padded with zeros"),
        (
            "conv",
            nn.Conv2d(3, 8, 3, padding="same"),
            "without groups and dilation, padded with zeros",
        ),
        ("conv", StdConv2d(3, 8, 3, 2), "Only convolutions can be folded, got StdConv2d"),
        ("act", Squared(), "PReLU with one slope can be folded, got Squared"),
    ],
)
def test_what_cannot_be_folded_is_refused(name, module, says):
    model = random_network(version="v1")
    setattr(model.conv2d_1a, name, module)
    with pytest.raises(ConfigError, match=says):
        fold(model)


class Doubled(ScaledProjection):
    """A projection that computes something else."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(z)


def test_a_replaced_projection_is_refused():
    model = random_network(version="v1")
    model.block35[0].up.__class__ = Doubled
    with pytest.raises(ConfigError, match="ScaledProjection can be folded as a block's projection, got Doub"):
        fold(model)
    model.block35[0].up = nn.Conv2d(8, 32, 1)
    with pytest.raises(ConfigError, match="as a block's projection, got Conv2d"):
        fold(model)


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
def test_a_weight_that_a_hook_computes_is_refused():
    model = random_network(version="v1")
    torch.nn.utils.weight_norm(model.conv2d_1a.conv)
    with pytest.raises(ConfigError, match="A hook computes the weight of a Conv2d"):
        fold(model)
    torch.nn.utils.remove_weight_norm(model.conv2d_1a.conv)
    fold(model)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("conv2d_1a.bn", "weight"),
        ("conv2d_1a.bn", "bias"),
        ("conv2d_1a.act", "weight"),
        ("block35.0.up", "scale"),
        ("block35.0.up.conv", "bias"),
    ],
)
def test_so_is_every_other_tensor_that_is_pruned(part, name):
    model = random_network(version="v1", activation="prelu", residual_scale="trainable", bn_gamma=True)
    module = model.get_submodule(part)
    prune.identity(module, name)
    with pytest.raises(ConfigError, match=f"A hook computes the {name} of a {type(module).__name__}, which"):
        fold(model)
    prune.remove(module, name)
    fold(model)


def test_other_networks_and_what_replaces_the_dropout_are_refused():
    with pytest.raises(ConfigError, match="Only an InceptionResnet can be folded, got Linear"):
        fold(nn.Linear(2, 2))
    model = random_network(version="v1")
    model.forward = lambda x: x
    with pytest.raises(ConfigError, match="can be folded, got InceptionResnet with another"):
        fold(model)
    model = random_network(version="v1")
    model.dropout = nn.Tanh()
    with pytest.raises(ConfigError, match="Only a dropout can be folded as dropout, got Tanh"):
        fold(model)


def test_a_head_that_the_forward_pass_does_not_use_is_left_out():
    model = random_network(version="v1")
    x = torch.rand(2, 3, 75, 75)
    before = fold(model)(x)
    model.classifier = nn.Linear(8, 3)
    assert torch.equal(fold(model)(x), before)


def test_nothing_is_shared_with_the_model():
    model = random_network(version="v2").train()
    folded = fold(model)
    assert all(module.training for module in model.modules())
    assert not set(folded.modules()) & set(model.modules())


@pytest.mark.parametrize("scale", ["fixed", "trainable"])
def test_the_type_is_the_models_whatever_the_default(scale):
    model = random_network(version="v1", residual_scale=scale)
    x = torch.rand(2, 3, 75, 75)
    before = fold(model)(x)
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.equal(fold(model)(x), before)
    finally:
        torch.set_default_dtype(torch.float32)
    assert {p.dtype for p in fold(model.double()).parameters()} == {torch.float64}


def test_slopes_are_kept_one_by_one_and_the_model_is_left_alone():
    model = random_network(version="v1", activation="prelu", residual_scale="trainable")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    folded = fold(model)
    slopes = [m.slope for m in folded.modules() if isinstance(m, FoldedConv | FoldedResidual)]
    kept = sorted(slope for slope in slopes if slope is not None)
    assert kept == sorted(slope.item() for slope in model.slopes().values())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert not any(p.requires_grad for p in folded.parameters())
    x = torch.rand(2, 3, 75, 75)
    given = x.clone()
    folded(x)
    assert torch.equal(x, given), "activations in place must not reach the input"
