"""A folded network computes the same without batch norms and scales."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.models.test_inception_resnet import SETTINGS, TINY, randomise
from trsfnet.errors import ConfigError
from trsfnet.models import InceptionResnet
from trsfnet.models.folding import FoldedConv, FoldedResidual, fold

pytestmark = pytest.mark.usefixtures("one_thread")


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
    ],
)
def test_what_cannot_be_folded_is_refused(name, module, says):
    model = random_network(version="v1")
    setattr(model.conv2d_1a, name, module)
    with pytest.raises(ConfigError, match=says):
        fold(model)


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
