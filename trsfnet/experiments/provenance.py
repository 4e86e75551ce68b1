"""Provenance of a result besides the code: commit, hardware and library versions."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from trsfnet.experiments.code import PACKAGE
from trsfnet.training.precision import best_device

_LIBRARIES = ("torch", "numpy", "pandas", "pillow", "scikit-learn")


def git_commit() -> str | None:
    """Return the commit of the checkout, with `+` if the package differs from it; None outside a checkout.

    A package that is installed within somebody else's repository is outside: git does not track its files.
    """
    tracked = _git("ls-files", "--error-unmatch", "__init__.py") is not None
    commit = _git("rev-parse", "HEAD") if tracked else None
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
    """Describe the hardware, as far as it affects speed and rounding."""
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
    """Return the versions of Python and of the numerical libraries."""
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
