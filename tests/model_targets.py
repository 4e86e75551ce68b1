"""Every reader of networks and records as a target for damaged and malicious files."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save as save_safetensors

from tests.data.targets import SPLIT, Attack, Target, deeds
from trsfnet.experiments.record import read_record
from trsfnet.interop.description import Description
from trsfnet.interop.files import read_tensors
from trsfnet.interop.onnx_file import read_onnx
from trsfnet.interop.preprocessing import Preprocessing
from trsfnet.training.checkpoint import load_checkpoint

_TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b.bias": torch.zeros(1)}
# What opens a file whose lengths and checksums are to be made fit for whatever became of its inside.
# Otherwise nearly every search would end at them.
FITTING = b"*"


def safetensors_files() -> list[bytes]:
    settings = {"version": "v1", "width": 0.125, "input_size": 75, "embedding_size": 16}
    known = Description("a", "trsfnet", settings, Preprocessing(75), "none")
    files = [save_safetensors(_TENSORS), save_safetensors(_TENSORS, known.to_metadata())]
    headers = [int.from_bytes(file[:8], "little") + 8 for file in files]
    parts = [(file[8:end], file[end:]) for file, end in zip(files, headers, strict=True)]
    return [*files, *(FITTING + header + SPLIT + tensors for header, tensors in parts)]


def read_safetensors(content: bytes, folder: Path) -> None:
    path = folder / "weights.safetensors"
    if content.startswith(FITTING):
        header, _, data = content[len(FITTING) :].partition(SPLIT)
        content = struct.pack("<Q", len(header)) + header + data
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
    files = [_torch_file(_TENSORS), _torch_file({"state_dict": _TENSORS, "epoch": 3})]
    return [*files, *(FITTING + _pickle_in(file) for file in files)]


def _pickle_in(file: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return archive.read("archive/data.pkl")


def _sound_zip(content: bytes) -> bytes:
    """A file of PyTorch's around a pickle, with the two tensors that it may name; other files stay."""
    if not content.startswith(FITTING):
        return content
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", content[len(FITTING) :])
        archive.writestr("archive/data/0", bytes(24))
        archive.writestr("archive/data/1", bytes(4))
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


def read_torch(content: bytes, folder: Path) -> None:
    path = folder / "weights.pt"
    path.write_bytes(_sound_zip(content))
    deeds().clear()
    try:
        read_tensors(path)
    finally:
        _nothing_done()


def _nothing_done() -> None:
    done = [deed for deed in deeds() if deed.startswith(("os.system", "subprocess.", "socket."))]
    assert not done, f"reading did {done}"


def attacking_torch_files() -> list[bytes]:
    """State dicts that carry code."""
    return [_torch_file({"a.weight": Attack(call, word)}) for call, word in ((eval, "1"), (exec, "1"))]


def read_checkpoint(content: bytes, folder: Path) -> None:
    path = folder / "last.pt"
    path.write_bytes(_sound_zip(content))
    deeds().clear()
    with contextlib.redirect_stderr(io.StringIO()):
        state = load_checkpoint(path)
    _nothing_done()
    assert state is None or isinstance(state, dict)


_SECRET = b"what lies outside of the folder"
REACHING_OUT = b"../secret.data"


def onnx_files() -> list[bytes]:
    """A network of one layer, with its weights inside, beside it, and outside of its folder."""
    from onnx import TensorProto, helper

    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 3, 4, 4])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 2])
    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["numbers"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["embedding"]),
    ]
    weight = helper.make_tensor("weight", TensorProto.FLOAT, [48, 2], bytes(384), raw=True)
    files = []
    for place in (None, "weights.data", REACHING_OUT.decode()):
        if place is not None:
            del weight.external_data[:]
            weight.ClearField("raw_data")
            weight.data_location = TensorProto.EXTERNAL
            entries = {"location": place, "offset": "0", "length": "30"}
            weight.external_data.extend(
                helper.onnx.StringStringEntryProto(key=key, value=value) for key, value in entries.items()
            )
        graph = helper.make_graph(nodes, "faces", [image], [embedding], [weight])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        files.append(model.SerializeToString())
    return files


def read_onnx_file(content: bytes, folder: Path) -> None:
    inner = folder / "models"
    inner.mkdir(exist_ok=True)
    (folder / "secret.data").write_bytes(_SECRET)
    (inner / "weights.data").write_bytes(bytes(384))
    (inner / "model.onnx").write_bytes(content)
    model = read_onnx(inner / "model.onnx")
    assert _SECRET not in model.content
    assert model.description.preprocessing.size > 0
    assert model.parameters >= 0


def run_records() -> list[bytes]:
    info = {
        "schema": 1,
        "status": "done",
        "run_id": "v1-relu-seed0-0123abcd",
        "track": "synthetic",
        "seed": 0,
        "config": {"track": "synthetic", "seed": 0, "arch": "v1", "milestones": [1, 2], "width": 0.5},
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
    "onnx": Target(onnx_files, read_onnx_file),
    "record": Target(run_records, read_run_record),
}
