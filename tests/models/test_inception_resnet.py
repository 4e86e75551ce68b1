"""The networks are exactly the paper's: counts, names, parity with two independent ports, gradients."""

from __future__ import annotations

import pytest
import torch

from trsfnet.errors import ConfigError
from trsfnet.models import InceptionResnet, inception_resnet_v1, inception_resnet_v2
from trsfnet.models.inception_resnet import ResidualBlock
from trsfnet.models.layers import ScaledProjection
from trsfnet.models.weights import rename

# A network of the narrowest width at the smallest input: every layer, at a fraction of the cost.
TINY = {"width": 0.125, "input_size": 75, "embedding_size": 16}
SETTINGS = [
    (scale, activation)
    for scale in ("fixed", "trainable", "channel")
    for activation in ("relu", "leaky_relu", "prelu")
]


def trainable(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def randomise(model: torch.nn.Module, seed: int = 0) -> None:
    """Random weights at a scale that keeps activations of order one, and random BN statistics."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        noise = torch.randn(tensor.shape, generator=generator)
        if name.endswith("running_var") or ".bn.weight" in name or "last_bn.weight" in name:
            tensor.copy_(0.5 + noise.abs())
        elif tensor.ndim >= 2:
            tensor.copy_(noise / tensor[0].numel() ** 0.5)
        else:
            tensor.copy_(0.1 * noise)


@pytest.mark.parametrize(
    ("build", "gamma", "backbone", "total"),
    [
        (inception_resnet_v1, False, 22_549_808, 23_467_824),
        (inception_resnet_v1, True, 22_564_096, 23_482_624),
        (inception_resnet_v2, False, 54_276_192, 55_063_136),
        (inception_resnet_v2, True, 54_306_464, 55_093_920),
    ],
)
def test_parameter_counts(build, gamma, backbone, total):
    model = build(bn_gamma=gamma)
    assert trainable(model) == total
    assert total - trainable(model.last_linear) - trainable(model.last_bn) == backbone


def test_parameter_counts_with_a_bottleneck_of_128():
    assert trainable(inception_resnet_v1(embedding_size=128)) == 22_779_312
    assert trainable(inception_resnet_v2(embedding_size=128)) == 54_472_928


@pytest.mark.parametrize(
    ("version", "blocks", "scales", "slopes"), [("v1", 21, 20, 131), ("v2", 40, 40, 243)]
)
def test_counts_of_the_paper(version, blocks, scales, slopes):
    model = InceptionResnet(version=version, residual_scale="trainable", activation="prelu", **TINY)
    assert sum(isinstance(m, ResidualBlock) for m in model.modules()) == blocks
    assert len(model.scales()) == scales
    assert len(model.slopes()) == slopes
    assert all(value.item() == pytest.approx(0.1) for value in model.scales().values())
    assert all(value.item() == pytest.approx(0.2) for value in model.slopes().values())
    plain = InceptionResnet(version=version, **TINY)
    assert trainable(model) - trainable(plain) == scales + slopes
    assert plain.scales() == plain.slopes() == {}


@pytest.mark.parametrize(("version", "last", "expected"), [("v1", True, 21), ("v2", False, 39)])
def test_the_last_block_can_be_counted_otherwise(version, last, expected):
    model = InceptionResnet(version=version, residual_scale="trainable", scale_last=last, **TINY)
    assert len(model.scales()) == expected


def test_names_are_the_papers_and_number_the_same_modules():
    model = InceptionResnet(version="v2", residual_scale="trainable", activation="prelu", **TINY)
    assert list(model.scales()) == [f"TRSF_inception-resnet v2.{i}" for i in range(1, 41)]
    slopes = list(model.slopes())
    assert slopes[0] == "PReLU_inception-resnet v2.stem.1"
    assert slopes[-1] == "PReLU_inception-resnet v2.conv2d-7b.1"
    # Module 17 is the seventh block17: one 1x1, three of the 7x1 branch, one after the sum.
    block = model.block17[6]
    with torch.no_grad():
        block.up.scale.fill_(0.7)
        block.act.weight.fill_(-0.3)
    assert model.scales()["TRSF_inception-resnet v2.17"].item() == pytest.approx(0.7)
    assert model.slopes()["PReLU_inception-resnet v2.17.5"].item() == pytest.approx(-0.3)
    assert "PReLU_inception-resnet v2.17.6" not in slopes
    assert "PReLU_inception-resnet v2.40.4" in slopes
    assert "PReLU_inception-resnet v2.40.5" not in slopes


def test_slopes_are_named_in_the_order_of_the_forward_pass():
    model = InceptionResnet(version="v2", activation="prelu", **TINY).eval()
    order = []
    for module in model.modules():
        if isinstance(module, torch.nn.PReLU):
            module.register_forward_hook(lambda m, *_: order.append(m.weight.data_ptr()))
    model(torch.randn(1, 3, 75, 75))
    assert order == [slope.data_ptr() for slope in model.slopes().values()]


def test_fixed_scales_are_facenets():
    for version, repeats in (("v1", (5, 10, 5)), ("v2", (10, 20, 9))):
        blocks = InceptionResnet(version=version, **TINY).residual_blocks()
        expected = [0.17] * repeats[0] + [0.10] * repeats[1] + [0.20] * repeats[2] + [1.0]
        assert [block.up.value for block in blocks] == expected


def test_fixed_scales_may_be_given_one_by_one():
    given = tuple(0.01 * number for number in range(1, 21))
    blocks = InceptionResnet(version="v1", fixed_scales=given, **TINY).residual_blocks()
    assert [block.up.value for block in blocks] == [*given, 1.0]
    for settings in ({"residual_scale": "trainable"}, {"scale_init": 0.1}):
        with pytest.raises(ConfigError, match="needs the residual_scale 'fixed' and no scale_init"):
            InceptionResnet(version="v1", fixed_scales=given, **settings, **TINY)
    with pytest.raises(ConfigError, match=r"fixed_scales\[1\] must be a finite number, got nan"):
        InceptionResnet(version="v1", fixed_scales=(0.1, float("nan"), *given[2:]), **TINY)
    with pytest.raises(ConfigError, match=r"fixed_scales of v2 must have 40 numbers, got 20"):
        InceptionResnet(version="v2", fixed_scales=given, **TINY)


@pytest.mark.parametrize("size", [160, 112])
def test_v1_equals_facenet_pytorch(size):
    from facenet_pytorch import InceptionResnetV1

    torch.manual_seed(size)
    theirs = InceptionResnetV1(pretrained=None, classify=False).eval()
    randomise(theirs)
    ours = inception_resnet_v1(bn_gamma=True).eval()
    ours.load_state_dict(rename(theirs.state_dict(), "facenet-pytorch"))
    x = torch.rand(2, 3, size, size) * 2 - 1
    with torch.no_grad():
        expected, got = theirs(x), torch.nn.functional.normalize(ours(x))
    assert (got - expected).norm() / expected.norm() < 1e-5
    assert expected.std(dim=0).max() > 1e-4, "the two inputs must not collapse onto one embedding"


def test_v2_equals_timm():
    import timm

    torch.manual_seed(1)
    theirs = timm.create_model("inception_resnet_v2", pretrained=False, num_classes=0).eval()
    randomise(theirs)
    ours = inception_resnet_v2(bn_gamma=True).eval()
    missing, unexpected = ours.load_state_dict(rename(theirs.state_dict(), "timm"), strict=False)
    assert unexpected == []
    assert {name.partition(".")[0] for name in missing} == {"last_linear", "last_bn"}
    x = torch.rand(2, 3, 160, 160) * 2 - 1
    with torch.no_grad():
        expected, got = theirs.forward_features(x), ours.forward_features(x)
    assert (got - expected).norm() / expected.norm() < 1e-5


def test_gamma_is_a_constant_of_one_that_travels_with_the_weights():
    model = InceptionResnet(version="v1", **TINY)
    assert not any("bn.weight" in name for name, _ in model.named_parameters())
    assert torch.equal(model.state_dict()["conv2d_1a.bn.weight"], torch.ones(8))
    norm = model.conv2d_1a.bn
    assert (norm.eps, norm.momentum) == (1e-3, 0.005)


def test_initialisation_is_xavier_uniform():
    torch.manual_seed(0)
    model = inception_resnet_v1()
    weight = model.mixed_7a.branch2[1].conv.weight
    bound = (6 / (256 * 9 + 256 * 9)) ** 0.5
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.01)
    assert all(block.up.conv.bias.eq(0).all() for block in model.residual_blocks())


@pytest.mark.parametrize("scale", ["trainable", "channel"])
def test_scaling_the_kernel_equals_scaling_the_feature_map(scale):
    torch.manual_seed(0)
    layer = ScaledProjection(6, 5, scale=scale, value=0.3).double()
    torch.nn.init.normal_(layer.conv.bias)
    z = torch.randn(2, 6, 4, 3, dtype=torch.float64, requires_grad=True)
    probe = torch.randn(2, 5, 4, 3, dtype=torch.float64)
    inputs = [z, layer.scale, layer.conv.weight, layer.conv.bias]
    ours = torch.autograd.grad((layer(z) * probe).sum(), inputs)
    plain = layer.conv(z) * layer.scale.view(1, -1, 1, 1)
    assert torch.allclose(layer(z), plain, rtol=1e-12)
    for a, b in zip(ours, torch.autograd.grad((plain * probe).sum(), inputs), strict=True):
        assert torch.allclose(a, b, rtol=1e-10)


def test_gradients_of_scales_and_slopes_match_finite_differences():
    torch.manual_seed(3)
    model = InceptionResnet(version="v1", residual_scale="trainable", activation="prelu", **TINY)
    model = model.double().train()
    x = torch.randn(4, 3, 75, 75, dtype=torch.float64)
    probe = torch.randn(4, 16, dtype=torch.float64)

    def loss() -> torch.Tensor:
        return (model(x) * probe).sum()

    loss().backward()
    chosen = {
        "first scale": model.block35[0].up.scale,
        "middle scale": model.block17[5].up.scale,
        "stem slope": model.conv2d_1a.act.weight,
        "branch slope": model.block17[0].branch1[1].act.weight,
        "slope after a sum": model.block8[4].act.weight,
        "last block's slope": model.block8_last.branch0.act.weight,
    }
    for name, parameter in chosen.items():
        step, start = 1e-6, parameter.item()
        with torch.no_grad():
            parameter.fill_(start + step)
            above = loss().item()
            parameter.fill_(start - step)
            below = loss().item()
            parameter.fill_(start)
        numerical = (above - below) / (2 * step)
        assert parameter.grad.item() == pytest.approx(numerical, rel=1e-4, abs=1e-7), name


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(("scale", "activation"), SETTINGS)
def test_every_parameter_gets_a_finite_gradient(version, scale, activation):
    torch.manual_seed(0)
    model = InceptionResnet(version=version, residual_scale=scale, activation=activation, **TINY).train()
    model(torch.randn(4, 3, 75, 75)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    for value in (*model.scales().values(), *model.slopes().values()):
        assert value.requires_grad is False


@pytest.mark.parametrize(
    ("version", "size", "removed", "stages"),
    [
        ("v1", 160, None, (17, 8, 3)),
        ("v2", 160, None, (17, 8, 3)),
        ("v1", 112, None, (11, 5, 2)),
        ("v1", 112, "maxpool_3a", (25, 12, 5)),
        ("v2", 112, "maxpool_3a", (25, 12, 5)),
        ("v2", 112, "maxpool_5a", (24, 11, 5)),
        ("v1", 75, None, (7, 3, 1)),
        ("v1", 39, "maxpool_3a", (7, 3, 1)),
        ("v2", 43, "maxpool_5a", (7, 3, 1)),
    ],
)
def test_sizes_of_the_stages(version, size, removed, stages):
    settings = {**TINY, "input_size": size}
    model = InceptionResnet(version=version, removed_pool=removed, **settings).eval()
    seen = []
    for stage in (model.block35, model.block17, model.block8):
        stage.register_forward_hook(lambda _m, _i, out: seen.append(out.shape[-1]))
    model(torch.zeros(1, 3, size, size))
    assert tuple(seen) == stages


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"version": "v3"}, "version must be one of 'v1', 'v2', got 'v3'"),
        ({"residual_scale": "learned"}, "residual_scale must be one of"),
        ({"activation": "gelu"}, "activation must be one of"),
        ({"removed_pool": "maxpool_5a"}, "removed_pool of v1 must be one of 'maxpool_3a'"),
        ({"input_size": 74}, "input_size must be at least 75 pixels, got 74"),
        ({"input_size": 38, "removed_pool": "maxpool_3a"}, "at least 39 pixels with maxpool_3a removed"),
        (
            {"version": "v2", "input_size": 42, "removed_pool": "maxpool_5a"},
            "at least 43 pixels with maxpool_5a removed",
        ),
        ({"width": 0}, "width must be above 0"),
        ({"width": float("nan")}, "width must be above 0 and finite, got nan"),
        ({"width": float("inf")}, "width must be above 0 and finite, got inf"),
        ({"embedding_size": 1.5}, "embedding_size must be a whole number, got 1.5"),
        ({"input_size": 160.5}, "input_size must be a whole number, got 160.5"),
        ({"slope_init": float("nan")}, "slope_init must be a finite number, got nan"),
        ({"scale_init": float("nan")}, "scale_init must be a finite number, got nan"),
        ({"bn_momentum": 7}, "bn_momentum must be from 0 to 1, got 7"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
        ({"embedding_size": 0}, "embedding_size must be at least 1"),
    ],
)
def test_wrong_settings_are_named(wrong, says):
    with pytest.raises(ConfigError, match=says):
        InceptionResnet(**{"version": "v1", **wrong})


def test_reset_parameters_completes_a_network_from_the_meta_device():
    settings = {"version": "v2", "residual_scale": "trainable", "activation": "prelu", **TINY}
    with torch.device("meta"):
        late = InceptionResnet(**settings)
    late.to_empty(device="cpu")
    usual = InceptionResnet(**settings)
    for network in (late, usual):
        torch.manual_seed(0)
        network.reset_parameters()
    state = late.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in usual.state_dict().items())
    assert {scale.item() for scale in late.scales().values()} == {torch.tensor(0.1).item()}
