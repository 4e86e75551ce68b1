"""timm's and facenet-pytorch's networks become trainable without becoming other functions."""

from __future__ import annotations

import pytest
import timm
import torch
from facenet_pytorch import InceptionResnetV1
from timm.layers import StdConv2d
from torch import nn

import trsfnet
from tests.models.test_inception_resnet import TINY, randomise
from trsfnet.errors import ConfigError, DataError
from trsfnet.models import InceptionResnet
from trsfnet.models.folding import fold
from trsfnet.models.weights import load_weights
from trsfnet.training.acceleration.swap import accelerate

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
@pytest.mark.slow
def test_the_first_output_is_the_same_and_gradients_reach_what_is_new(
    build, size, scales, slopes, first, last, tmp_path
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
    again = trsfnet.make_trainable(nn.DataParallel(model))
    assert again.scales == again.slopes == ()
    with torch.no_grad():
        for number, name in enumerate((*changes.scales, *changes.slopes)):
            parameters[name].fill_(0.1 + 0.3 * (number % 5) / 5)
        expected = features(model, x)
        for way in (model, torch.compile(model, backend="eager"), model.state_dict()):
            ours = trsfnet.load_network(way).eval()
            assert (len(ours.scales()), len(ours.slopes())) == (scales, slopes)
        got = ours.forward_features(x)
    assert (got - expected).norm() / expected.norm() < 1e-5
    trsfnet.export(nn.DataParallel(model), tmp_path / "network.safetensors")
    loaded = trsfnet.load_network(tmp_path / "network.safetensors").state_dict()
    named = {name: value for name, value in ours.state_dict().items() if not name.startswith("last_")}
    assert all(torch.equal(loaded[name], value) for name, value in named.items())


def features(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The last feature map of a port's network [N, C, H, W]."""
    seen = []
    last = model.conv2d_7b if hasattr(model, "conv2d_7b") else model.block8
    hook = last.register_forward_hook(lambda *arguments: seen.append(arguments[-1]))
    model(x)
    hook.remove()
    return seen[0]


def test_activations_of_two_kinds_are_refused():
    model = timm.create_model("inception_resnet_v2", num_classes=0, act_layer="leaky_relu")
    with pytest.raises(ConfigError, match="must all be of one kind and slope, got LeakyReLU, ReLU"):
        trsfnet.load_network(model)  # timm's blocks have ReLU whatever the convolutions have


@pytest.mark.parametrize("scale", ["fixed", "trainable", "channel"])
def test_our_own_network_in_memory_is_taken(scale, tmp_path):
    model = InceptionResnet(version="v1", residual_scale=scale, activation="prelu", **TINY)
    trsfnet.export(torch.compile(model, backend="eager"), tmp_path / "ours.safetensors")
    again = trsfnet.load_network(tmp_path / "ours.safetensors")
    assert again.settings == model.settings
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def identity(network: nn.Module) -> None:
    network.block17[0].branch1[0].act = nn.Identity()


def another_slope(network: nn.Module) -> None:
    network.conv2d_1a.act = nn.LeakyReLU(0.3)


def another_eps(network: nn.Module) -> None:
    network.block8_last.branch0.bn.eps = 0.1


def another_constant(network: nn.Module) -> None:
    network.block35[1].up.value = 0.9


def another_pool(network: nn.Module) -> None:
    network.mixed_6a.pool = nn.AvgPool2d(3, stride=2)


def one_more(network: nn.Module) -> None:
    network.block8.append(nn.Tanh())


def another_convolution(network: nn.Module) -> None:
    network.conv2d_2a.conv = StdConv2d(8, 8, 3)


def another_forward(network: nn.Module) -> None:
    network.block35[0].forward = network.block35[1].forward


class Normalised(InceptionResnet):
    """A network whose settings do not say what it computes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(super().forward(x))


def another_class(network: nn.Module) -> None:
    network.__class__ = Normalised


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (another_convolution, r"conv2d_2a\.conv is StdConv2d with another forward than Conv2d"),
        (another_forward, r"block35\.0 is ResidualBlock with another forward than ResidualBlock"),
        (another_class, r"the network is Normalised with another forward than InceptionResnet"),
        (identity, r"block17\.0\.branch1\.0\.act is Identity instead of LeakyReLU"),
        (another_slope, r"conv2d_1a\.act has negative_slope 0\.3 instead of 0\.2"),
        (another_eps, r"block8_last\.branch0\.bn has eps 0\.1 instead of 0\.001"),
        (another_constant, r"block35\.1\.up has value 0\.9 instead of 0\.17"),
        (another_pool, r"mixed_6a\.pool is AvgPool2d instead of MaxPool2d"),
        (one_more, r"block8\.5 was added \(Tanh\)"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_network_with_another_module_is_not_read_as_another_function(change, says, tmp_path):
    model = InceptionResnet(version="v1", activation="leaky_relu", **TINY)
    change(model)
    with pytest.raises(ConfigError, match=f"do not describe this network: {says}; only networks with"):
        trsfnet.export(model, tmp_path / "ours.safetensors")


def test_what_changes_no_output_is_taken():
    model = InceptionResnet(version="v1", activation="prelu", **TINY)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    model.dropout.p = 0.5
    model.conv2d_1a.act = nn.PReLU(init=0.7)
    del model.settings["fixed_scales"]  # networks that an earlier version pickled lack it
    network = trsfnet.load_network(nn.SyncBatchNorm.convert_sync_batchnorm(model))
    assert network.conv2d_1a.act.weight.item() == pytest.approx(0.7)
    assert network.dropout.p == network.settings["dropout"] == 0.5
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.SyncBatchNorm):
            module.momentum = 0.2
    network = trsfnet.load_network(model)
    assert network.last_bn.momentum == network.settings["bn_momentum"] == 0.2


def test_a_network_without_values_is_refused():
    with torch.device("meta"):
        model = InceptionResnet(version="v1", **TINY)
        port = InceptionResnetV1()
    for source in (model, port, port.state_dict()):
        with pytest.raises(DataError, match="is on the meta device"):
            trsfnet.load_network(source)


def test_accelerated_networks_are_taken():
    model = InceptionResnet(version="v1", activation="prelu", **TINY)
    accelerate(model)
    x = torch.rand(2, 3, 75, 75)
    assert torch.allclose(trsfnet.load_network(model).eval()(x), model.eval()(x), atol=1e-5)
    assert torch.allclose(fold(model)(x), model(x), atol=1e-5)


def port_identity(network: nn.Module) -> None:
    network.repeat_1[0].branch1[0].relu = nn.Identity()


def port_scale(network: nn.Module) -> None:
    network.repeat_2[3].scale = 1


def port_pool(network: nn.Module) -> None:
    network.avgpool_1a = nn.AdaptiveMaxPool2d(1)


def port_reduction(network: nn.Module) -> None:
    network.mixed_6a.branch2 = nn.AvgPool2d(3, stride=2)


class NormalisedPort(InceptionResnetV1):
    """A port whose weights do not say what it computes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) ** 2


def port_class(network: nn.Module) -> None:
    network.__class__ = NormalisedPort


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (port_pool, r"avgpool_1a is AdaptiveMaxPool2d instead of AdaptiveAvgPool2d"),
        (port_reduction, r"mixed_6a\.branch2 is AvgPool2d instead of MaxPool2d"),
        (port_class, r"the network is NormalisedPort with another forward than InceptionResnetV1"),
        (port_identity, r"repeat_1\.0\.branch1\.0\.relu is Identity instead of ReLU"),
        (port_scale, r"repeat_2\.3 has scale 1 instead of 0\.1"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_port_with_another_module_is_not_read_either(change, says):
    model = InceptionResnetV1()
    change(model)
    with pytest.raises(ConfigError, match=f"do not describe this network: {says}; only networks with"):
        trsfnet.load_network(model)


def test_a_scale_that_was_saved_as_a_scalar_is_read():
    model = InceptionResnet(version="v1", residual_scale="trainable", **TINY)
    earlier = {n: v.squeeze() if n.endswith("up.scale") else v for n, v in model.state_dict().items()}
    assert earlier["block35.0.up.scale"].shape == ()
    load_weights(model, earlier, "an earlier file")
    assert model.block35[0].up.scale.shape == (1,)


def test_leaky_slopes_are_kept():
    model = timm.create_model("inception_resnet_v2", num_classes=0, act_layer="leaky_relu")
    trsfnet.make_trainable(model)
    assert model.conv2d_1a.bn.act.weight.item() == pytest.approx(0.01)


@pytest.mark.parametrize("model", [torch.nn.Linear(1, 1), InceptionResnet(version="v1", **TINY)])
def test_other_networks_are_refused(model):
    with pytest.raises(ConfigError, match=f"inception_resnet_v2, got {type(model).__name__}"):
        trsfnet.make_trainable(model)
