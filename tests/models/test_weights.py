"""Weights under other names are recognised, renamed, made trainable, and refused in one sentence."""

from __future__ import annotations

import pytest
import torch

from tests.models.slim_variables import variables
from tests.models.test_inception_resnet import TINY, randomise
from trsfnet.errors import ConfigError, DataError
from trsfnet.models import InceptionResnet
from trsfnet.models.weights import fingerprint, load_weights, made_trainable, origin_of, rename, settings_of

pytestmark = pytest.mark.usefixtures("one_thread")


def network(**settings) -> InceptionResnet:
    model = InceptionResnet(**{**TINY, **settings}).eval()
    randomise(model)
    return model


def ones(state: dict[str, torch.Tensor]) -> None:
    """facenet has no gamma."""
    for name, value in state.items():
        if name.endswith("bn.weight"):
            value.fill_(1.0)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_facenet_checkpoint(version):
    model = network(version=version)
    ones(model.state_dict())
    name = f"InceptionResnet{version.upper()}"
    slim = variables(name, model)
    kept = {v: slim[v] for v in slim if v.endswith("beta")}
    rest = {f"{v}/ExponentialMovingAverage": value for v, value in kept.items()}
    rest |= {"Logits/weights": torch.ones(16, 9), "centers": torch.ones(9, 16)}
    assert origin_of(slim) == "facenet"
    state = rename(slim | rest, "facenet")
    again = InceptionResnet(version=version, **TINY).eval()
    load_weights(again, state, "facenet.npz")
    expected = model.state_dict()
    for key, value in again.state_dict().items():
        assert torch.equal(value, expected[key]), key
    settings = settings_of(state)
    assert settings == {"version": version, "embedding_size": 16, "input_size": 160, "bn_gamma": False}


@pytest.mark.parametrize(("activation", "slope"), [("relu", 0.0), ("leaky_relu", 0.3)])
@pytest.mark.parametrize(("version", "scales"), [("v1", 20), ("v2", 40)])
@pytest.mark.parametrize("constant", [None, 0.25])
def test_a_network_made_trainable_computes_the_same(version, scales, activation, slope, constant):
    settings = {"version": version, "activation": activation, "scale_init": constant, **TINY}
    settings |= {"slope_init": slope}
    model = network(**settings)
    new_settings, state = made_trainable(settings, model.state_dict(), trsf=True, activation="prelu")
    trainable = InceptionResnet(**new_settings).eval()
    load_weights(trainable, state, "it")
    assert len(trainable.scales()) == scales
    assert {value.item() for value in trainable.slopes().values()} == {torch.tensor(slope).item()}
    starts = [value.item() for value in trainable.scales().values()]
    first = [block.up.value for block in model.residual_blocks()][:scales]
    assert starts == pytest.approx(first)
    x = torch.rand(2, 3, 75, 75) * 2 - 1
    with torch.no_grad():
        expected = model(x)
        assert (trainable(x) - expected).norm() / expected.norm() < 1e-6
    assert expected.std(dim=0).max() > 1e-3 * expected.abs().max()


def test_a_missing_scale_or_slope_is_not_made_up():
    settings = {"version": "v1", "residual_scale": "trainable", "activation": "prelu", **TINY}
    state = network(**settings).state_dict()
    for missing in ("block35.0.up.scale", "block35.0.act.weight"):
        lacking = {name: value for name, value in state.items() if name != missing}
        new_settings, made = made_trainable(settings, lacking, trsf=True, activation="prelu")
        with pytest.raises(DataError, match=f"lacks {missing}"):
            load_weights(InceptionResnet(**new_settings), made, "it")


def test_what_is_trainable_stays_as_it_is():
    settings = {"version": "v1", "residual_scale": "channel", "activation": "prelu", **TINY}
    state = network(**settings).state_dict()
    again, same = made_trainable(settings, state, trsf=True, activation="prelu")
    assert again == settings
    assert same.keys() == state.keys()
    untouched, _ = made_trainable({"version": "v1", **TINY}, {}, trsf=False, activation=None)
    assert untouched == {"version": "v1", **TINY}


@pytest.mark.parametrize(("present", "wanted"), [("prelu", "relu"), ("relu", "leaky_relu"), ("relu", "gelu")])
def test_an_activation_that_would_change_the_function_is_refused(present, wanted):
    settings = {"version": "v1", "activation": present, **TINY}
    with pytest.raises(ConfigError, match=f"activation for weights of a {present} network must be one of"):
        made_trainable(settings, {}, trsf=False, activation=wanted)


def test_wrong_tensors_are_listed_in_one_sentence():
    model = InceptionResnet(version="v1", **TINY)
    state = dict(model.state_dict())
    del state["conv2d_1a.conv.weight"]
    state["logits.bias"] = torch.ones(3)
    state["last_linear.weight"] = torch.ones(16, 7)
    with pytest.raises(DataError) as caught:
        load_weights(model, state, "face.pt")
    assert str(caught.value) == (
        "face.pt is not an Inception-ResNet v1 as described: it lacks conv2d_1a.conv.weight; has the unknown "
        "logits.bias; has the misshapen last_linear.weight (16, 7) instead of (16, 224)."
    )
    few = {name: state[name] for name in list(state)[:3]}
    with pytest.raises(DataError, match=r"lacks .* and \d+ more\.$"):
        load_weights(model, few, "face.pt")


def test_counts_of_batches_may_be_missing():
    model = network(version="v1")
    state = {n: t for n, t in model.state_dict().items() if not n.endswith("num_batches_tracked")}
    load_weights(InceptionResnet(version="v1", **TINY), state, "it")


def test_names_of_nobody_are_nobodys():
    assert origin_of(["conv1.weight", "fc.bias"]) is None


def test_a_fingerprint_is_of_values_and_names_alone():
    state = {"b": torch.randn(4, 3, 2, 2), "a": torch.tensor(1), "c": torch.ones(2, dtype=torch.bfloat16)}
    other = {name: state[name] for name in ("c", "a", "b")}
    other["b"] = other["b"].contiguous(memory_format=torch.channels_last)
    assert fingerprint(state) == fingerprint(other)
    assert fingerprint(state) != fingerprint({**state, "a": torch.tensor(2)})
    assert fingerprint(state) != fingerprint({**state, "b": -state["b"]})
    assert fingerprint({"a": state["a"]}) != fingerprint({"b": state["a"]})
