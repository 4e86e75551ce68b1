"""`papermill notebooks/train.ipynb` as the README has it, in pipes and with an output path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import papermill
import pytest

from trsfnet.experiments.parameters_cell import commented, completed
from trsfnet.training.config import PRESETS, TrainConfig

ROOT = Path(__file__).parents[2]
NOTEBOOK = "notebooks/train.ipynb"
TINY = [
    *("-p", "epochs", "1", "-p", "identities", "4", "-p", "images_per_identity", "4"),
    *("-p", "image_size", "75", "-p", "width", "0.125", "-p", "batch_size", "8"),
]


def run_papermill(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "papermill", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_without_an_output_path_the_notebook_goes_to_stdout_and_the_record_to_disk(tmp_path):
    done = run_papermill(
        NOTEBOOK, "-p", "arch", "v1", "-p", "trsf", "True", "-p", "runs", str(tmp_path), *TINY
    )
    assert done.returncode == 0, done.stderr
    cells = json.loads(done.stdout)["cells"]
    assert all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code")
    (record,) = tmp_path.glob("synthetic/*/run.json")
    info = json.loads(record.read_text())
    assert info["status"] == "done"
    assert (info["config"]["arch"], info["config"]["trsf"]) == ("v1", True)


def test_with_an_output_path_the_notebook_shows_what_two_devices_learned(tmp_path):
    out = tmp_path / "executed.ipynb"
    devices = min(os.cpu_count() or 1, 2)
    words = ["-p", "activation", "prelu", "-p", "slope_init", "-1e-3", "-p", "devices", str(devices)]
    words += ["-p", "precision", "float32", "-p", "runs", str(tmp_path / "runs")]
    done = run_papermill(NOTEBOOK, str(out), *TINY, *words)
    assert done.returncode == 0, done.stderr
    outputs = [o for cell in json.loads(out.read_text())["cells"] for o in cell.get("outputs", [])]
    text = "".join("".join(o.get("text", "")) for o in outputs)
    assert "epoch 1/1  loss" in text
    assert "done: " in text
    figures = [o for o in outputs if o.get("data", {}).keys() & {"image/png", "image/svg+xml"}]
    assert len(figures) == 2, "the curves, and the learned parameters"
    (record,) = (tmp_path / "runs").glob("synthetic/*/run.json")
    info = json.loads(record.read_text())
    assert (info["status"], info["processes"], info["config"]["slope_init"]) == ("done", devices, -1e-3)
    assert (info["config"]["micro_batches"] or 1) == devices
    assert devices == 1 or info["command"].endswith("-p devices 2")


def test_a_misspelt_parameter_ends_in_one_sentence_before_any_training(tmp_path):
    words = ["-p", "trfs", "True", "-p", "runs", str(tmp_path / "runs")]
    done = run_papermill(NOTEBOOK, str(tmp_path / "out.ipynb"), *words)
    assert done.returncode == 1
    assert "ConfigError: Unknown parameter 'trfs'; the nearest is 'trsf'." in done.stderr
    assert not (tmp_path / "runs").exists()
    errors = [
        output
        for cell in json.loads((tmp_path / "out.ipynb").read_text())["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "error"
    ]
    assert len(errors) == 1
    assert len(errors[0]["traceback"]) == 1, "the reader sees the sentence, not our call stack"


def test_parameters_are_the_configurations_settings_explained():
    found = papermill.inspect_notebook(str(ROOT / NOTEBOOK))
    settings = {field.name: field for field in fields(TrainConfig) if field.name != "images"}
    assert set(found) == {*settings, "data_root", "runs", "preset", "devices", "again"}
    for name, parameter in found.items():
        assert parameter["help"], name
        assert parameter["inferred_type_name"] != "None", name
        if name in settings:
            # None and an empty list count as not given, so that a preset may choose.
            assert eval(parameter["default"]) in (None, [], settings[name].default), name


def test_the_comments_of_the_parameters_are_the_help_of_their_fields():
    cells = json.loads((ROOT / NOTEBOOK).read_text())["cells"]
    (cell,) = ("".join(c["source"]) for c in cells if c["metadata"].get("tags") == ["parameters"])
    assert commented(cell) == cell, "run python -m trsfnet.experiments.parameters_cell"
    assert max(map(len, cell.splitlines())) <= 110, "the formatter would wrap the line"
    assert commented('# Heading\n\narch: str = "v1"  # which network') == (
        '# Heading\n\narch: str = "v1"  # network: v1 or v2'
    )
    assert commented("image_size: Optional[int] = None") == (
        "image_size: Optional[int] = None  # side of the input in pixels (default: 80, lfw 96, paper 160)"
    )
    with pytest.raises(KeyError, match="trfs"):
        commented("trfs: bool = False")


@pytest.mark.parametrize("name", ["trsf", "scale_init", "fixed_scales", "loss", "momentum", "removed_pool"])
def test_a_setting_that_the_parameters_lack_is_inserted(name):
    cells = json.loads((ROOT / NOTEBOOK).read_text())["cells"]
    (cell,) = ("".join(c["source"]) for c in cells if c["metadata"].get("tags") == ["parameters"])
    assert completed(cell) == cell
    without = "\n".join(line for line in cell.split("\n") if not line.startswith(f"{name}: "))
    assert commented(completed(without)) == cell


def test_a_preset_makes_the_same_run_in_the_notebook_and_on_the_command_line():
    found = papermill.inspect_notebook(str(ROOT / NOTEBOOK))
    defaults = {name: eval(found[name]["default"]) for name in found if name in TrainConfig().recorded}
    assert TrainConfig.from_parameters(defaults) == TrainConfig()
    for preset in PRESETS:
        notebook = TrainConfig.from_parameters(defaults | {"arch": "v2"}, preset)
        command_line = TrainConfig.from_parameters({"arch": "v2"}, preset)
        assert notebook == command_line
        assert notebook.track == "paper"


def test_the_committed_notebook_carries_no_outputs():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells), path.name
