"""The wheel works where there is no checkout: its data are in it, and its commands run from any folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import trsfnet
from trsfnet.paper.claims import paper_claims

ROOT = Path(__file__).parents[1]

API = """
import json, trsfnet
from trsfnet.data.lfw_files import read_people
from trsfnet.paper.claims import paper_claims
from trsfnet.experiments.budgets import BUDGETS
names = [getattr(trsfnet, name).__name__ for name in trsfnet.__all__]
print(json.dumps([trsfnet.__file__, trsfnet.__version__, names, len(read_people()), len(paper_claims())]))
"""


def run(*words: str, **options) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, so that the checkout stays clean, and without the network."""
    source, target = (tmp_path_factory.mktemp(name) for name in ("source", "wheel"))
    shutil.copytree(ROOT / "trsfnet", source / "trsfnet", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(target), str(source))
    (file,) = target.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Runs Python with nothing of this project but the installed wheel, from an empty folder."""
    target, empty = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("empty")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    environment = os.environ | {"PYTHONPATH": str(target)}
    return target, lambda *words: run(sys.executable, *words, cwd=empty, env=environment)


def test_it_holds_every_file_of_the_package(wheel):
    listed = run("git", "ls-files", "trsfnet", cwd=ROOT).splitlines()
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert {name for name in listed if (ROOT / name).is_file()} <= held
    assert not [name for name in held if name.startswith(("tests", "results", "benchmarks"))]
    assert wheel.name == f"trsfnet-{trsfnet.__version__}-py3-none-any.whl"


def test_the_api_and_its_data_are_there(installed):
    target, python = installed
    file, version, names, people, claims = json.loads(python("-c", API))
    assert Path(file).is_relative_to(target)
    assert version == trsfnet.__version__
    assert {"Embedder", "TrainConfig", "load", "load_network", "verify"} <= set(names)
    assert (people, claims) == (10, len(paper_claims()))


def test_commands_run(installed):
    target, python = installed
    assert json.loads(python("-m", "trsfnet", "info", "v1", "--json"))["trainable_slopes"] == 131
    script = run(str(target / "bin" / "trsfnet"), "--version", env=os.environ | {"PYTHONPATH": str(target)})
    assert script == f"trsfnet {trsfnet.__version__}\n"


def test_the_changelog_has_the_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {trsfnet.__version__}" in text
