"""Whatever weights come as, the network computes what it did where they are from."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
from facenet_pytorch import InceptionResnetV1

import trsfnet
from tests.experiments.untrained import write_run
from tests.models.slim_variables import variables
from tests.models.test_inception_resnet import TINY, randomise
from trsfnet.errors import ConfigError, DataError, RecordError
from trsfnet.interop import pretrained
from trsfnet.models import InceptionResnet

pytestmark = pytest.mark.usefixtures("one_thread")

FACENET_FILE = "20180402-114759-vggface2.pt"


@pytest.fixture(scope="module")
def facenet_pytorch(tmp_path_factory) -> tuple[InceptionResnetV1, Path]:
    """facenet-pytorch's network, and its weights saved as its pretrained files are."""
    torch.manual_seed(0)
    model = InceptionResnetV1(classify=True, num_classes=5).eval()
    randomise(model)
    for name, value in model.state_dict().items():
        if name.endswith("bn.weight"):
            value.fill_(1.0)
    file = tmp_path_factory.mktemp("facenet") / FACENET_FILE
    torch.save(model.state_dict(), file, _use_new_zipfile_serialization=False)
    model.classify = False
    return model, file


def inputs(size: int) -> torch.Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def unit(model: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return torch.nn.functional.normalize(model.eval()(x))


def test_facenet_pytorch_goes_on_as_a_trsf_model_from_an_identical_first_output(facenet_pytorch):
    theirs, file = facenet_pytorch
    x = inputs(160)
    expected = unit(theirs, x)
    assert (expected[0] - expected[1]).norm() > 1e-3
    plain = trsfnet.load_network(file)
    assert plain.scales() == plain.slopes() == {}
    network = trsfnet.load_network(str(file), trsf=True, activation="prelu")
    assert network.training
    assert (len(network.scales()), len(network.slopes())) == (20, 131)
    for ours in (plain, network):
        assert (unit(ours, x) - expected).norm() / expected.norm() < 1e-5
    network.train()(x).square().sum().backward()
    assert all(block.up.scale.grad.abs() > 0 for block in network.residual_blocks()[:20])


def test_a_state_dict_in_memory_and_a_nested_one_are_the_same(facenet_pytorch, tmp_path):
    theirs, file = facenet_pytorch
    torch.save({"epoch": 3, "state_dict": theirs.state_dict()}, tmp_path / "nested.pth")
    reference = trsfnet.read_weights(file).state
    for source in (theirs.state_dict(), tmp_path / "nested.pth"):
        state = trsfnet.read_weights(source).state
        assert state.keys() == reference.keys()
        assert all(torch.equal(state[name], value) for name, value in reference.items())


def test_pretrained_names_are_facenet_pytorchs_files(facenet_pytorch, tmp_path, monkeypatch):
    _, file = facenet_pytorch
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    asked = []

    def download(url: str, to: str) -> None:
        asked.append(url)
        Path(to).write_bytes(file.read_bytes())

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    for _ in range(2):
        weights = trsfnet.read_weights("vggface2")
    assert [url.rpartition("/")[2] for url in asked] == [FACENET_FILE]
    assert (tmp_path / "checkpoints" / FACENET_FILE).is_file()
    assert "withdrawn" in weights.description.data_terms
    assert weights.description.settings["bn_gamma"] is False

    def fail(*_: str) -> None:
        raise OSError("no route")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    with pytest.raises(
        DataError, match=r"casia-webface cannot be downloaded \(no route\): put https://.*-casia"
    ):
        trsfnet.read_weights("casia-webface")
    assert set(pretrained.PRETRAINED) == {"vggface2", "casia-webface"}


def test_timms_v2_keeps_its_features_and_gets_a_bottleneck(tmp_path):
    torch.manual_seed(0)
    theirs = timm.create_model("inception_resnet_v2", pretrained=False).eval()
    randomise(theirs)
    file = tmp_path / "model.safetensors"
    safetensors.torch.save_file(theirs.state_dict(), file)
    network = trsfnet.load_network(file, trsf=True, activation="prelu").eval()
    assert (len(network.scales()), len(network.slopes())) == (40, 243)
    x = inputs(96)
    with torch.no_grad():
        expected = theirs.forward_features(x)
        assert (network.forward_features(x) - expected).norm() / expected.norm() < 1e-5
    assert network(x).shape == (2, 512)
    weights = trsfnet.read_weights(file)
    assert (weights.description.preprocessing.size, weights.description.preprocessing.divisor) == (299, 127.5)
    with pytest.raises(DataError, match=r"model\.safetensors produces no embeddings"):
        trsfnet.load(weights)


def test_a_facenet_checkpoint_as_npz(tmp_path):
    model = InceptionResnet(version="v1", embedding_size=128)
    slim = variables("InceptionResnetV1", model)
    np.savez(tmp_path / "facenet.npz", global_step=np.array(7), **{n: v.numpy() for n, v in slim.items()})
    x = inputs(96)
    for kind in (">f4", "longdouble"):
        others = {n: v.numpy().astype(kind) for n, v in slim.items()}
        np.savez(tmp_path / "others.npz", **others)
        again = trsfnet.load_network(tmp_path / "others.npz").state_dict()
        assert all(torch.equal(again[n], v) for n, v in model.state_dict().items() if "running" in n)
    odd = {n.replace("block35_1/", "block35_x/"): v.numpy() for n, v in slim.items()}
    np.savez(tmp_path / "odd.npz", **odd)
    with pytest.raises(DataError, match="block35_x must end in a number"):
        trsfnet.load_network(tmp_path / "odd.npz")
    network = trsfnet.load_network(tmp_path / "facenet.npz", trsf=True, activation="prelu")
    assert (unit(network, x) - unit(model, x)).norm() < 1e-5


def test_a_run_of_ours(tmp_path, tiny_config):
    path, model = write_run(tmp_path, tiny_config)
    weights = trsfnet.read_weights(path)
    assert weights.description.name == tiny_config.run_id
    assert weights.description.training["track"] == "synthetic"
    x = inputs(tiny_config.image_size)
    assert torch.equal(unit(trsfnet.load_network(path), x), unit(model, x))
    with pytest.raises(RecordError, match=r"holds no run record"):
        trsfnet.load_network(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"arch": "v2", "removed_pool": "maxpool_5a", "trsf": False, "activation": "leaky_relu"},
        {"trsf": False, "scale_init": 0.3, "activation": "relu"},
        {"trsf_per_channel": True, "width": 0.3, "slope_init": 0.25},
        {"trsf": False, "fixed_scales": tuple(0.05 * number for number in range(1, 21))},
        {"arch": "v2", "trsf": False, "fixed_scales": (0.1,) * 40},
    ],
)
def test_every_setting_of_a_run_is_described(tmp_path, tiny_config, changes):
    from dataclasses import replace

    relu = changes.get("activation") == "relu"
    fixed = changes.get("trsf") is False and "scale_init" not in changes
    open_again = {"slope_init": None} if relu else {}
    open_again |= {"scale_init": None} if fixed else {}
    path, model = write_run(tmp_path, replace(tiny_config, **open_again | changes))
    x = inputs(tiny_config.image_size)
    assert torch.equal(unit(trsfnet.load_network(path), x), unit(model, x))
    trsfnet.export(path, tmp_path / "run.safetensors")
    assert torch.equal(unit(trsfnet.load_network(tmp_path / "run.safetensors"), x), unit(model, x))
    trainable = trsfnet.load_network(path, trsf=True)
    assert trainable.scales()
    assert (unit(trainable, x) - unit(model, x)).norm() < 1e-5


class Payload:
    """What runs when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, legacy, recwarn):
    proof = tmp_path / "ran"
    content = {"conv2d_1a.conv.weight": torch.ones(1), "extra": Payload(proof)}
    torch.save(content, tmp_path / "evil.pt", _use_new_zipfile_serialization=not legacy)
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(Payload(proof)))
    for name in ("evil.pt", "bare.pth"):
        with pytest.raises(DataError, match=rf"{name} contains more than tensors.*was not read"):
            trsfnet.read_weights(tmp_path / name)
    np.savez(tmp_path / "evil.npz", x=np.array([Payload(proof)], dtype=object))
    with pytest.raises(DataError, match=r"evil\.npz is damaged"):
        trsfnet.read_weights(tmp_path / "evil.npz")
    assert not proof.exists()
    assert not recwarn.list
    pickle.loads((tmp_path / "bare.pth").read_bytes())
    assert proof.exists(), "the payload must be one that runs"


def test_what_is_left_out_is_said_in_a_warning(facenet_pytorch):
    state = {f"backbone.{name}": value for name, value in facenet_pytorch[0].state_dict().items()}
    with pytest.warns(UserWarning, match="removed the prefix 'backbone.' .* and left out head.weight"):
        trsfnet.load_network(state | {"head.weight": torch.ones(1)})


def test_what_is_no_weights_is_named(tmp_path, facenet_pytorch):
    theirs, file = facenet_pytorch
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "cut.pt").write_bytes(file.read_bytes()[:1000])
    (tmp_path / "cut.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "linear.pt")
    torch.save({"weights": [1, 2]}, tmp_path / "list.pt")
    torch.save({0: torch.zeros(1)}, tmp_path / "numbered.pt")
    torch.save({"repeat_3.x": torch.zeros(2), "last_linear.weight": torch.tensor(1.0)}, tmp_path / "flat.pt")
    ours = InceptionResnet(version="v1", **TINY).state_dict()
    safetensors.torch.save_file(ours, tmp_path / "bare.safetensors")
    wrapped = {f"module.{tensor}": value for tensor, value in ours.items()}
    torch.save({"state_dict": wrapped}, tmp_path / "wrapped.pth.tar")
    says = {
        "nowhere": r"There is no .*nowhere: expected the folder of a run, .*, vggface2 or casia-webface\.",
        "a.txt": r"a\.txt is not a file of weights: expected \.safetensors",
        "cut.pt": r"cut\.pt is damaged",
        "cut.safetensors": r"cut\.safetensors is damaged",
        "linear.pt": r"linear\.pt contains no supported weights",
        "list.pt": r"list\.pt does not hold a state dict",
        "numbered.pt": r"numbered\.pt does not hold a state dict",
        "flat.pt": r"flat\.pt .* lacks ",
        "bare.safetensors": r"bare\.safetensors contains a network of trsfnet without its settings.*export",
        "wrapped.pth.tar": r"wrapped\.pth\.tar contains a network of trsfnet without its settings",
    }
    for name, sentence in says.items():
        with pytest.raises(DataError, match=sentence):
            trsfnet.load_network(tmp_path / name)
    state = theirs.state_dict()
    state["repeat_2.3.conv2d.bias"] = torch.ones(4)
    del state["last_linear.weight"]
    with pytest.raises(
        DataError, match=r"lacks last_linear\.weight; has the misshapen block17\.3\.up\.conv\.bias \(4,\)"
    ):
        trsfnet.load_network(state)
    with pytest.raises(ConfigError, match="must be one of 'relu', 'prelu', got 'leaky_relu'"):
        trsfnet.load_network(file, activation="leaky_relu")


def test_a_name_that_is_not_utf8_goes_into_headers_as_in_a_url(facenet_pytorch, tmp_path):
    file = tmp_path / "caf\udce9.pt"
    file.write_bytes(facenet_pytorch[1].read_bytes())
    trsfnet.export(file, tmp_path / "cafe.safetensors")
    assert trsfnet.read_weights(tmp_path / "cafe.safetensors").description.name == "caf%E9.pt"


def test_a_name_that_no_file_can_have_is_named():
    with pytest.raises(DataError, match=r"Cannot read n+: File name too long\."):
        trsfnet.read_weights("n" * 300)
