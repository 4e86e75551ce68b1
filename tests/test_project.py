"""The project's files agree with each other."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import yaml

import trsfnet

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~ ]", r)[0].lower() for r in requirements}


def extra(name: str) -> set[str]:
    """Packages of an extra, with those of the extras it includes."""
    packages = set()
    for requirement in PROJECT["optional-dependencies"][name]:
        inner = re.fullmatch(r"trsfnet\[(.+)\]", requirement)
        packages |= set().union(*map(extra, inner[1].split(","))) if inner else names([requirement])
    return packages


def test_environment_yml_is_the_same_environment():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert f"python{PROJECT['requires-python']}" in environment["dependencies"]
    (pip,) = (d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert pip == ["--editable .[test]"]
    everything = names(PROJECT["dependencies"]) | extra("test")
    for optional in set(PROJECT["optional-dependencies"]) - {"cluster"}:
        assert extra(optional) <= everything, optional
    mission = [
        "jupyter-book",
        "torch",
        "facenet-pytorch",
        "papermill",
        "seaborn",
        "pandas",
        "scikit-learn",
        "ipywidgets",
    ]
    assert set(mission) <= everything


def test_hooks_run_the_programs_of_make_lint():
    (rule,) = re.findall(r"^lint:.*\n((?:\t.+\n)+)", (ROOT / "Makefile").read_text(), re.M)
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert all(hook["entry"].startswith(".venv/bin/") for hook in hooks)
    assert {line.split()[0] for line in rule.splitlines()} == {
        hook["entry"].removeprefix(".venv/bin/").split()[0] for hook in hooks
    }


def test_every_supported_python_is_tested():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())
    tested = workflow["jobs"]["linux"]["strategy"]["matrix"]["python"]
    stated = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if ":: Python :: 3." in name]
    assert tested == stated
    assert PROJECT["requires-python"] == f">={tested[0]}"


def test_timm_belongs_to_the_tests_alone_and_onnx_to_exports():
    for group in [
        names(PROJECT["dependencies"]),
        *map(extra, {"faces", "notebooks", "report", "book", "pipeline"}),
    ]:
        assert not {"timm", "onnx", "onnxruntime", "onnxscript"} & group
    assert "timm" not in extra("export")


def test_the_version_has_one_home():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == trsfnet.__version__
    assert PROJECT["dynamic"] == ["version"]
    assert citation["references"][0]["doi"] == "10.1016/j.neucom.2020.05.022"
    assert citation["license"] == PROJECT["license"] == "MIT"


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def rooms() -> dict[str, set[str]]:
    """The packages of CONTRIBUTING.md's table, from top to bottom, with what each imports."""
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| `trsfnet/(\w+)\S* \| ([\w, ]*?) ?\|", contributing, re.M)
    return {package: set(filter(None, imports.split(", "))) for package, imports in rows}


def imported(file: Path) -> set[str]:
    """The parts of trsfnet that a file imports, also within functions."""
    found = set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in found if name.startswith("trsfnet.")}


def test_imports_point_down():
    """Each package imports what the table in CONTRIBUTING.md says, and only from rows below its own."""
    table = rooms()
    everyone = {"errors", "paths", "termination", "text", "templates", "__version__"}
    found: dict[str, set[str]] = {room: set() for room in table}
    for file in (ROOT / "trsfnet").rglob("*.py"):
        room = file.relative_to(ROOT / "trsfnet").parts[0].removesuffix(".py")
        if room in table:
            found[room] |= imported(file) - everyone - {room}
        elif room in everyone:
            assert imported(file) <= everyone, file
        banned = re.findall(
            r"^\s*(?:from|import) (sphinx|snakemake|papermill|nbformat)", file.read_text(), re.M
        )
        assert not banned, f"{file} imports {banned}"
    assert found == table
    order = list(table)
    for room, below in table.items():
        assert below <= set(order[order.index(room) + 1 :]), room


def test_no_submodule_is_hidden_by_a_name_of_its_package():
    """Otherwise, what `trsfnet.package.name` means would depend on what was imported before."""
    for file in (ROOT / "trsfnet").rglob("__init__.py"):
        package = ".".join(file.parent.relative_to(ROOT).parts)
        submodules = {path.stem for path in file.parent.iterdir() if path.suffix == ".py" or path.is_dir()}
        bound = set()
        for node in parsed(file).body:
            if isinstance(node, ast.ImportFrom) and node.module != package:
                bound |= {alias.asname or alias.name for alias in node.names}
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                bound.add(node.name)
        assert not bound & submodules, package


def test_an_import_in_a_function_says_why():
    for file in (ROOT / "trsfnet").rglob("*.py"):
        if file.parent.name == "cli":  # the package's docstring says why
            continue
        lines = file.read_text().splitlines()
        functions = (n for n in ast.walk(parsed(file)) if isinstance(n, ast.FunctionDef))
        for node in {inner for function in functions for inner in ast.walk(function)}:
            if isinstance(node, ast.Import | ast.ImportFrom):
                near = lines[node.lineno - 2 : node.lineno]
                assert any("#" in line for line in near), f"{file}:{node.lineno} imports without a reason"


# Files of analysis and report that cut text, and whose text it is: never our own names or sentences.
TEXT_OF_OTHERS = {
    "report/display.py": "SVG as matplotlib writes it",
    "report/explore/script.py": "JavaScript",
    "report/jupyter.py": "MyST Markdown",
    "report/progress.py": "a log",
    "report/summary.py": "SVG, and the README between its markers",
}


def test_text_is_never_data():
    """Names, run ids and sentences are made from data and never taken apart again."""
    cutting = {"removeprefix", "removesuffix", "partition", "rpartition", "split", "rsplit", "extract"}
    cutting |= {"match", "search", "fullmatch", "findall", "finditer"}
    for room in ("analysis", "report"):
        for file in (ROOT / "trsfnet" / room).rglob("*.py"):
            name = file.relative_to(ROOT / "trsfnet").as_posix()
            calls = [n.func for n in ast.walk(parsed(file)) if isinstance(n, ast.Call)]
            found = {call.attr for call in calls if isinstance(call, ast.Attribute)} & cutting
            assert not found or name in TEXT_OF_OTHERS, f"{name} takes text apart: {found}"


def test_no_image_of_a_face_and_nothing_large_is_committed():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file():
            assert path.suffix.lower() not in {".jpg", ".jpeg", ".tar", ".tgz", ".pt", ".pth"}, name
            # A study's table of parameters has those of hundreds of runs.
            most = 16 if name.startswith("results/") else 5
            assert path.stat().st_size < most * 2**20, name


def test_the_tests_that_the_readme_names_are_there():
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", (ROOT / "tests" / "README.md").read_text())
    assert len(named) > 40
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / "tests" / file).read_text(), f"{file}::{test}"
