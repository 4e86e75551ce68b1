"""Where a result came from: code, hardware, libraries."""

from __future__ import annotations

import ast
import hashlib
import io
import platform
import subprocess
import tokenize
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from trsfnet.training.precision import best_device

PACKAGE = Path(__file__).parents[1]

# What can change the numbers of a run; reports and commands cannot, nor can another track's images.
_SOURCES = ("models", "heads.py", "data", "evaluation", "training")
# Files and packages of `data` that make the images of one track.
_ONE_TRACK = {"synthetic": "synthetic", "rendering": "synthetic", "lfw": "lfw"}
_LIBRARIES = ("torch", "numpy", "pandas", "pillow", "scikit-learn")


def source_hash(track: str) -> str:
    """Hash of the code that determines a run's numbers on `track`: another one means other code."""
    digest = hashlib.sha256()
    for source in _SOURCES:
        path = PACKAGE / source
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            name = file.relative_to(PACKAGE).as_posix()
            if source != "data" or _ONE_TRACK.get(name.split("/")[1].removesuffix(".py"), track) == track:
                digest.update(f"{name}\0{without_prose(file.read_text(encoding='utf-8'))}\0".encode())
    return digest.hexdigest()[:16]


def without_prose(source: str) -> str:
    """Python source without comments, docstrings and blank lines: an edit of prose changes no result."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return "\n".join(line.rstrip() for line in lines if line.strip())


def git_commit() -> str | None:
    """The commit of the checkout, with `+` if files differ from it; None outside one."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return None
    return commit + ("+" if _git("status", "--porcelain", "--", str(PACKAGE)) else "")


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(PACKAGE), *words], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def hardware() -> dict[str, object]:
    """The machine, as far as it matters to speed and rounding."""
    device = best_device()
    return {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "cpu": _cpu_name(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), platform.machine())


def libraries() -> dict[str, str]:
    """Versions of Python and of the libraries that compute."""
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
