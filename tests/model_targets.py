"""Every reader of networks and records as a target for damaged and malicious files."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import torch
from safetensors.torch import save as save_safetensors

from tests.data.targets import Attack, Target, deeds
from trsfnet.experiments.record import read_record
from trsfnet.interop.description import Description
from trsfnet.interop.files import read_tensors
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.training.checkpoint import load_checkpoint

_TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b.bias": torch.zeros(1)}


def safetensors_files() -> list[bytes]:
    settings = {"version": "v1", "width": 0.125, "input_size": 75, "embedding_size": 16}
    known = Description("a", "trsfnet", settings, Preprocessing(75), "none")
    return [save_safetensors(_TENSORS), save_safetensors(_TENSORS, known.to_metadata())]


def read_safetensors(content: bytes, folder: Path) -> None:
    path = folder / "weights.safetensors"
    path.write_bytes(content)
    tensors = read_tensors(path)
    held = sum(t.numel() * t.element_size() for t in tensors.by_name.values())
    assert held <= len(content)
    if "trsfnet" in tensors.header:
        Description.from_metadata(tensors.header, str(path))


def _torch_file(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def torch_files() -> list[bytes]:
    return [_torch_file(_TENSORS), _torch_file({"state_dict": _TENSORS, "epoch": 3})]


def read_torch(content: bytes, folder: Path) -> None:
    path = folder / "weights.pt"
    path.write_bytes(content)
    deeds().clear()
    try:
        read_tensors(path)
    finally:
        done = [deed for deed in deeds() if deed.startswith(("os.system", "subprocess.", "socket."))]
        assert not done, f"reading did {done}"


def attacking_torch_files() -> list[bytes]:
    """State dicts that carry code."""
    return [_torch_file({"a.weight": Attack(call, word)}) for call, word in ((eval, "1"), (exec, "1"))]


def read_checkpoint(content: bytes, folder: Path) -> None:
    path = folder / "last.pt"
    path.write_bytes(content)
    with contextlib.redirect_stderr(io.StringIO()):
        state = load_checkpoint(path, torch.device("cpu"))
    assert state is None or isinstance(state, dict)


def run_records() -> list[bytes]:
    info = {
        "schema": 1,
        "status": "done",
        "run_id": "v1-relu-seed0-0123abcd",
        "track": "synthetic",
        "seed": 0,
        "config": {"arch": "v1", "milestones": [1, 2], "width": 0.5, "trsf": False, "loss": None},
        "metrics": {"accuracy": 0.5, "tar@1e-3": 0.25},
    }
    return [json.dumps(info, indent=1).encode()]


def read_run_record(content: bytes, folder: Path) -> None:
    (folder / "run.json").write_bytes(content)
    record = read_record(folder)
    assert isinstance(record.run_id, str)
    assert isinstance(record.config, dict)
    assert isinstance(record.metrics, dict)
    assert record.status in ("running", "done", "collapsed", "failed")


MODEL_TARGETS = {
    "safetensors": Target(safetensors_files, read_safetensors),
    "torch": Target(torch_files, read_torch),
    "checkpoint": Target(torch_files, read_checkpoint),
    "record": Target(run_records, read_run_record),
}
