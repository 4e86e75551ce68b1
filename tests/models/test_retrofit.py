"""timm's and facenet-pytorch's networks become trainable without becoming other functions."""

from __future__ import annotations

import pytest
import timm
import torch
from facenet_pytorch import InceptionResnetV1

import trsfnet
from tests.models.test_inception_resnet import TINY, randomise
from trsfnet.errors import ConfigError
from trsfnet.models import InceptionResnet

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("build", "size", "scales", "slopes", "first", "last"),
    [
        (InceptionResnetV1, 96, 20, 131, "repeat_1.0.scale", "repeat_3.4.scale"),
        (
            lambda: timm.create_model("inception_resnet_v2", num_classes=10),
            96,
            40,
            243,
            "repeat.0.scale",
            "block8.scale",
        ),
    ],
    ids=["facenet-pytorch", "timm"],
)
def test_the_first_output_is_the_same_and_gradients_reach_what_is_new(
    build, size, scales, slopes, first, last
):
    torch.manual_seed(0)
    model = build().eval()
    randomise(model)
    x = torch.rand(2, 3, size, size) * 2 - 1
    with torch.no_grad():
        before = model(x)
    known = {name for name, _ in model.named_parameters()}
    changes = trsfnet.make_trainable(model)
    assert (len(changes.scales), len(changes.slopes)) == (scales, slopes)
    assert (changes.scales[0], changes.scales[-1]) == (first, last)
    parameters = dict(model.named_parameters())
    assert set(parameters) - known == {*changes.scales, *changes.slopes}
    assert str(changes).startswith(f"{scales} scales and {slopes} slopes became trainable.\n  {first}\n")
    after = model(x)
    assert torch.equal(after, before)
    (after * torch.randn_like(after)).sum().backward()
    for name in (*changes.scales, *changes.slopes):
        assert parameters[name].grad.abs().item() > 0, name
    again = trsfnet.make_trainable(model)
    assert again.scales == again.slopes == ()


def test_leaky_slopes_are_kept():
    model = timm.create_model("inception_resnet_v2", num_classes=0, act_layer="leaky_relu")
    trsfnet.make_trainable(model)
    assert model.conv2d_1a.bn.act.weight.item() == pytest.approx(0.01)


@pytest.mark.parametrize("model", [torch.nn.Linear(1, 1), InceptionResnet(version="v1", **TINY)])
def test_other_networks_are_refused(model):
    with pytest.raises(ConfigError, match=f"inception_resnet_v2, got {type(model).__name__}"):
        trsfnet.make_trainable(model)
