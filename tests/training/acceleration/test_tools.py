"""What users of PyTorch do with a network, done with ours: plain, and accelerated, which must be the same."""

from __future__ import annotations

import copy
import socket
from collections import Counter
from collections.abc import Callable

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.utils import prune
from torch.optim import swa_utils

from tests.training.acceleration.parts import fast, images, parts, same, step
from trsfnet.heads import make_head
from trsfnet.models.layers import ConvNormAct
from trsfnet.training.acceleration import accelerate, restore

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:A part of the network is not accelerated"),
]


class Adapter(nn.Module):
    """A convolution with a trained correction beside it, as LoRA's, and the attributes of the convolution."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.base = conv.requires_grad_(False)
        self.down = nn.Conv2d(conv.in_channels, 2, conv.kernel_size, conv.stride, conv.padding, bias=False)
        self.up = nn.Conv2d(2, conv.out_channels, 1, bias=False)
        self.to(conv.weight)
        self.kernel_size, self.stride, self.weight, self.bias = (
            conv.kernel_size,
            conv.stride,
            conv.weight,
            conv.bias,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.up(self.down(x))


def units(network: nn.Module) -> list[ConvNormAct]:
    return [module for module in network.modules() if isinstance(module, ConvNormAct)]


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [module for module in network.modules() if type(module) is nn.Conv2d]


def adapters(network: nn.Module) -> None:
    torch.manual_seed(7)
    for parent in list(network.modules()):
        conv = getattr(parent, "conv", None)
        if type(conv) is nn.Conv2d:
            parent.conv = Adapter(conv)


def no_activation_in_one_branch(network: nn.Module) -> None:
    network[1].branch1[0].act = nn.Identity()


def relu_in_one_branch(network: nn.Module) -> None:
    network[1].branch0.act = nn.ReLU()


def another_eps(network: nn.Module) -> None:
    network[2].branch0[0].bn.eps = 0.5


def another_norm(network: nn.Module) -> None:
    network[1].branch0.bn = nn.GroupNorm(2, 8, dtype=torch.float64)


def no_running_statistics(network: nn.Module) -> None:
    for unit in units(network):
        bn = nn.BatchNorm2d(unit.bn.num_features, track_running_stats=False, dtype=torch.float64)
        unit.bn = bn


def cumulative_statistics(network: nn.Module) -> None:
    for unit in units(network):
        unit.bn.momentum = None


def slopes_per_channel(network: nn.Module) -> None:
    for unit in units(network):
        unit.act = nn.PReLU(8, init=0.1, dtype=torch.float64)
    network[1].act = nn.PReLU(8, init=-0.2, dtype=torch.float64)


def pruned(network: nn.Module) -> None:
    network.to(memory_format=torch.contiguous_format)  # PyTorch prunes no channels_last kernel
    for conv in convolutions(network):
        prune.l1_unstructured(conv, "weight", amount=0.5)


def weight_norm(network: nn.Module) -> None:
    for conv in convolutions(network):
        nn.utils.weight_norm(conv)


def parametrized(network: nn.Module) -> None:
    for conv in convolutions(network):
        nn.utils.parametrizations.weight_norm(conv)


def frozen_norms(network: nn.Module) -> None:
    for unit in units(network)[::2]:
        unit.bn.eval()


def frozen_parameters(network: nn.Module) -> None:
    for parameter in list(network.parameters())[::2]:
        parameter.requires_grad_(False)


def wrapped_unit(network: nn.Module) -> None:
    network[1].branch0 = nn.Sequential(network[1].branch0, nn.Tanh())


def registered_again(network: nn.Module) -> None:
    branch = network[1].branch0
    del network[1].branch0
    network[1].branch0 = branch


CHANGES = [
    adapters,
    no_activation_in_one_branch,
    relu_in_one_branch,
    another_eps,
    another_norm,
    no_running_statistics,
    cumulative_statistics,
    slopes_per_channel,
    pruned,
    weight_norm,
    parametrized,
    frozen_norms,
    frozen_parameters,
    wrapped_unit,
    registered_again,
]


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("first", ["changed", "accelerated"])
def test_a_changed_network_trains_as_its_plain_modules_do(change: Callable[[nn.Module], None], first: str):
    plain = parts()
    network = copy.deepcopy(plain)
    if first == "accelerated":
        accelerate(network)
    for each in (plain, network):
        change(each)
    if first == "changed":
        accelerate(network)
    for number in range(2):  # the second sees what an update of the weights leaves of the first
        results = [step(each, images(seed=number)) for each in (plain, network)]
        same(results[1], results[0])
        for each in (plain, network):
            torch.optim.SGD([p for p in each.parameters() if p.requires_grad], lr=0.01).step()


@pytest.mark.parametrize("first", ["hooked", "accelerated"])
def test_hooks_on_every_module_are_called(first: str):
    plain = parts()
    network = copy.deepcopy(plain)
    if first == "accelerated":
        accelerate(network)
    calls: list[Counter[str]] = [Counter(), Counter()]
    for each, counter in zip((plain, network), calls, strict=True):
        for name, module in each.named_modules():
            module.register_forward_hook(lambda *_, name=name, counter=counter: counter.update([name]))
    if first == "hooked":
        accelerate(network)
    same(step(network, images()), step(plain, images()))
    assert calls[0] == calls[1] == Counter(name for name, _ in plain.named_modules())


def test_hooks_may_change_an_output_in_place():
    plain = parts()
    network = fast(plain)
    for each in (plain, network):
        each[1].register_forward_hook(lambda _module, _inputs, output: output.mul_(2))
    same(step(network, images()), step(plain, images()))


def test_what_is_skipped_is_said():
    network = parts()
    network[1].branch0.conv.register_forward_hook(lambda *_: None)
    network[2].branch1[0].bn = nn.GroupNorm(2, 8, dtype=torch.float64)
    network[0].bn = nn.BatchNorm2d(8, track_running_stats=False, dtype=torch.float64)
    done = accelerate(network)
    assert done.skipped["1.branch0"] == done.skipped["1"] == "a convolution has hooks"
    assert done.skipped["2.branch1.0"] == done.skipped["2"] == "a norm is of the type GroupNorm"
    assert done.skipped["0"] == "a norm keeps no running statistics"
    assert {"1.branch1.0", "1.up", "3"} <= set(done.accelerated)
    assert str(done).startswith(f"{len(done.accelerated)} parts of the network train faster, 5 do not.\n")


@pytest.mark.filterwarnings("default:A part of the network is not accelerated")
def test_what_comes_in_the_way_later_is_said():
    network = fast(parts())
    network[0].act = nn.Identity()
    with pytest.warns(UserWarning, match="not accelerated: an activation is of the type Identity"):
        network(images())


def test_acceleration_is_undone():
    plain = parts()
    network = fast(plain)
    assert any(type(a) is not type(b) for a, b in zip(network.modules(), plain.modules(), strict=True))
    restore(network)
    assert all(type(a) is type(b) for a, b in zip(network.modules(), plain.modules(), strict=True))
    assert network.state_dict().keys() == plain.state_dict().keys()


def test_a_single_value_for_each_channel_is_refused_as_by_plain_modules():
    for network in (parts(), fast(parts())):
        with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
            network[0](images(1)[:, :, :3, :3].contiguous(memory_format=torch.channels_last))


def test_averaged_weights_and_their_statistics():
    results = []
    for network in (parts(), fast(parts())):
        averaged = swa_utils.AveragedModel(network)
        for seed in range(2):
            step(network, images(seed=seed))
            torch.optim.SGD(network.parameters(), lr=0.01).step()
            averaged.update_parameters(network)
        swa_utils.update_bn([images(seed=3), images(seed=4)], averaged)
        results.append(dict(averaged.state_dict()))
    same(results[1], results[0])


def test_second_derivatives():
    def second(network: nn.Module) -> Tensor:
        x = images().requires_grad_()
        (first,) = torch.autograd.grad(network(x).square().sum(), x, create_graph=True)
        return torch.autograd.grad(first.square().sum(), x)[0]

    plain = parts()
    network = fast(plain)
    with pytest.raises(RuntimeError, match=r"first derivatives only: call .*restore\(network\)"):
        second(network)
    restore(network)
    torch.testing.assert_close(second(network), second(plain))
    assert second(plain).abs().max() > 0


def test_transforms_of_functions():
    results = []
    for network in (parts(), fast(parts())):
        torch.func.replace_all_batch_norm_modules_(network)  # as PyTorch asks of every batch norm
        parameters = {name: p.detach() for name, p in network.named_parameters()}

        def loss(parameters: dict[str, Tensor], network: nn.Module = network) -> Tensor:
            return torch.func.functional_call(network, parameters, (images(),)).square().mean()

        tangents = {name: torch.ones_like(p) for name, p in parameters.items()}
        gradient = torch.func.grad(loss)(parameters)
        slope = torch.func.jvp(loss, (parameters,), (tangents,))[1]
        torch.testing.assert_close(slope, sum(g.sum() for g in gradient.values()))
        results.append(gradient)
    same(results[1], results[0])


@pytest.mark.parametrize("trace", [torch.fx.symbolic_trace, torch.jit.script], ids=["fx", "script"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_traced_networks(trace: Callable[[nn.Module], nn.Module]):
    expected = step(parts(), images())
    for network in (parts(), fast(parts())):
        same(step(trace(network), images()), expected)


@pytest.mark.parametrize("training", [True, False])
def test_what_is_traced_is_the_plain_network(training: bool):
    plain = parts().train(training)
    traced = torch.fx.symbolic_trace(fast(parts()).train(training))
    assert traced.code == torch.fx.symbolic_trace(plain).code


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_quantised_networks():
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    x = images().float().contiguous()
    outputs = []
    for network in (parts(), fast(parts())):
        network = network.float().to(memory_format=torch.contiguous_format).eval()
        prepared = prepare_fx(network, get_default_qconfig_mapping("x86"), (x,))
        prepared(x)
        outputs.append(convert_fx(prepared)(x))
    assert torch.equal(*outputs)


def test_features_by_torchvision():
    from torchvision.models.feature_extraction import create_feature_extractor

    plain = parts()
    for network in (plain, fast(plain)):
        features = create_feature_extractor(network, ["1.up", "2"])(images())
        assert {name: tuple(f.shape) for name, f in features.items()} == {
            "1.up": (4, 8, 10, 10),
            "2": (4, 24, 4, 4),
        }


@pytest.mark.parametrize("accelerated", [False, True])
def test_norms_that_are_shared_by_processes(accelerated: bool):
    """Without a trainable gamma, too; in one process they compute what PyTorch's own norm does."""
    plain = parts()
    network = fast(plain) if accelerated else copy.deepcopy(plain)
    network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    assert sum(isinstance(module, nn.SyncBatchNorm) for module in network.modules()) == len(units(plain))
    ours, theirs = step(network, images()), step(plain, images())
    gammas = {name for name in theirs if name.endswith("bn.weight")}
    same(ours, {name: value for name, value in theirs.items() if name not in gammas})
    assert all(not p.requires_grad for name, p in network.named_parameters() if name in gammas)
    assert network.state_dict().keys() == plain.state_dict().keys()


def test_a_constant_gamma_survives_conversions_and_loading():
    network = parts()
    names = [name for name, _ in network.named_parameters()]
    network.load_state_dict(copy.deepcopy(network.float().double().state_dict()), assign=True)
    assert [name for name, _ in network.named_parameters()] == names
    nn.SyncBatchNorm.convert_sync_batchnorm(network)


@pytest.mark.parametrize("accelerated", [False, True])
def test_sharded_parameters(accelerated: bool):
    """FSDP2 takes every parameter; names and full values in its state dict are the plain network's."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    plain = parts().float().to(memory_format=torch.contiguous_format)
    network = fast(plain) if accelerated else copy.deepcopy(plain)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=0, world_size=1)
    try:
        mesh = init_device_mesh("cpu", (1,))
        for child in network:
            fully_shard(child, mesh=mesh)
        fully_shard(network, mesh=mesh)
        x = images().float().contiguous()
        output, expected = network(x), plain(x)
        torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-5)
        output.square().mean().backward()
        assert all(p.grad is not None for p in network.parameters())
        state = {name: value.shape for name, value in network.state_dict().items()}
        assert state == {name: value.shape for name, value in plain.state_dict().items()}
    finally:
        dist.destroy_process_group()


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="DataParallel makes replicas with two GPUs only")
def test_data_parallel():
    plain = parts()
    found = step(nn.DataParallel(fast(plain)), images())
    same({name.removeprefix("module."): value for name, value in found.items()}, step(plain, images()))


@pytest.mark.parametrize("loss", ["softmax", "arcface"])
def test_a_head_in_bfloat16_computes_in_float32(loss: str):
    torch.manual_seed(0)
    head = make_head(loss, 16, 8)
    half = copy.deepcopy(head).bfloat16()
    rounded = copy.deepcopy(half).float()
    embeddings, labels = torch.randn(5, 16), torch.randint(8, (5,))
    out = half(embeddings.bfloat16(), labels)
    assert out.loss.dtype == torch.float32
    assert torch.equal(out.loss, rounded(embeddings.bfloat16().float(), labels).loss)
    out.loss.backward()
    assert all(p.grad.dtype == torch.bfloat16 for p in half.parameters())
