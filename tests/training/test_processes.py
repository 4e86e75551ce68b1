"""Several processes train what one would, and do not outlive each other."""

from __future__ import annotations

import signal

import pytest
import torch
import torch.distributed as dist

from benchmarks.processes import run
from trsfnet.errors import ConfigError
from trsfnet.training.distributed import World, _gpu, _place, first_host
from trsfnet.training.loop import train


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    return run(tmp_path_factory.mktemp("processes"))


def test_two_processes_end_with_the_parameters_of_one_bit_for_bit(figures):
    assert figures["copied"]["steps"] == 20
    assert figures["copied"]["different"] == 0
    assert figures["copied"]["statistics"] < 1e-5
    assert figures["copied"]["scores"] < 1e-4


@pytest.mark.parametrize("case", ["accumulated", "split"])
def test_other_orders_of_addition_differ_by_rounding(figures, case):
    assert 0 < figures[case]["parameters"] < 1e-4
    assert figures[case]["statistics"] < 1e-5


def test_a_death_is_said_at_once_and_one_process_goes_on_to_the_same_end(figures):
    assert figures["death"]["exit_codes"] == [1, -signal.SIGKILL]
    assert figures["death"]["said"].startswith("LostPeer: Another process of this run ended")
    assert figures["death"]["seconds"] < 120
    assert figures["after_a_death"]["different"] == 0


@pytest.mark.parametrize(("own", "other", "alike"), [(7, 7, True), (0, 7, False), (8, 7, False)])
def test_processes_know_whether_all_have_the_same_number(monkeypatch, own, other, alike):
    def all_reduce(numbers, op):
        assert op == dist.ReduceOp.MAX
        numbers.copy_(numbers.maximum(torch.tensor([other, -other])))

    monkeypatch.setattr(dist, "all_reduce", all_reduce)
    assert World(0, 2).alike(own) == alike
    assert World().alike(own)


def test_micro_batches_must_be_shared_evenly(tiny_config, tiny_data):
    with pytest.raises(ConfigError, match="micro_batches must be a multiple of the 2 processes, got 1"):
        train(tiny_config, tiny_data, world=World(0, 2))


def test_torchrun_and_slurm_say_who_we_are():
    assert _place({}) == {}
    torchrun = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "a", "MASTER_PORT": "7"}
    assert _place(torchrun | {"HOME": "/"}) == torchrun
    step = {
        "SLURM_PROCID": "5",
        "SLURM_STEP_NUM_TASKS": "8",
        "SLURM_LOCALID": "1",
        "SLURM_STEP_NODELIST": "gpu[07-08]",
        "SLURM_JOB_ID": "40001",
    }
    assert _place(step) == {
        "RANK": "5",
        "WORLD_SIZE": "8",
        "LOCAL_RANK": "1",
        "MASTER_ADDR": "gpu07",
        "MASTER_PORT": "15001",
    }
    # In a batch script outside of srun there is one process, whatever the job asked for.
    assert _place({"SLURM_PROCID": "0", "SLURM_NTASKS": "8", "SLURM_JOB_ID": "1"}) == {}


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("node1", "node1"),
        ("a1,b2", "a1"),
        ("a1,b[2-3]", "a1"),
        ("gpu[07-09,12],x", "gpu07"),
        ("g[3]", "g3"),
        ("node[1-2]-ib", "node1-ib"),
        ("tux[0-3][5-7],x", "tux05"),
        ("rack[0,2]node[0-3],x[1-2]", "rack0node0"),
    ],
)
def test_the_first_host_of_a_node_list(nodes, first):
    assert first_host(nodes) == first


def test_each_process_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    torchrun = {"RANK": "5", "WORLD_SIZE": "8"}
    assert _gpu({"LOCAL_RANK": "1"}, torchrun) == 1
    with pytest.raises(ConfigError, match=r"process 2 of this machine, .* sees only 2: start at most 2 proc"):
        _gpu({"LOCAL_RANK": "2"}, torchrun)


def test_slurm_may_show_each_task_only_its_own_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert _gpu({"LOCAL_RANK": "3"}, {"SLURM_STEP_NUM_TASKS": "4"}) == 0
    with pytest.raises(ConfigError, match="sees only 1"):
        _gpu({"LOCAL_RANK": "3"}, {"RANK": "3", "WORLD_SIZE": "4"})
