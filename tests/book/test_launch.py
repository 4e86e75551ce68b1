"""Links to Binder and Colab follow the checkout's own remote, and show nothing secret of it."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.book.conftest import ROOT

SECRET = "ghp_s3cret"
BINDER = "https://mybinder.org/v2/gh/ann/faces.x/HEAD?labpath=notebooks%2F{}.ipynb"
COLAB = "https://colab.research.google.com/github/ann/faces.x/blob/HEAD/notebooks/{}.ipynb"


@pytest.fixture
def launch(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    return importlib.import_module("launch")


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A repository with a book of one page."""
    book = tmp_path / "book"
    book.mkdir()
    extensions = f"import sys\nsys.path.append({str(ROOT / 'book' / '_ext')!r})\n"
    (book / "conf.py").write_text(extensions + "extensions = ['myst_nb', 'launch']\n")
    (book / "index.md").write_text("# Reproduce\n\n## Elsewhere\n\n```{launch}\n```\n\n## Cite\n\nIt.\n")
    git(tmp_path, "init", "--quiet")
    return tmp_path


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


def built(checkout: Path) -> str:
    """The page, built with warnings as errors."""
    command = [sys.executable, "-m", "sphinx", "-W", "-n", str(checkout / "book"), str(checkout / "html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    return (checkout / "html" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/ann/faces.x",
        "https://github.com/ann/faces.x.git",
        "https://GitHub.com/ann/faces.x/",
        f"https://ann:{SECRET}@github.com/ann/faces.x.git",
        f"https://{SECRET}@github.com/ann/faces.x.git",
        "git@github.com:ann/faces.x.git",
        "github.com:ann/faces.x",
        "ssh://git@github.com:22/ann/faces.x.git",
    ],
)
def test_an_address_on_github_is_understood(launch, address):
    assert launch.repository(address) == "ann/faces.x"
    assert SECRET not in launch.markdown(launch.repository(address))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/home/ann/faces.git",
        "../faces",
        "https://gitlab.com/ann/faces.git",
        "https://github.com.example.org/ann/faces",
        "https://github.com@example.org/ann/faces",
        "https://example.org/x@github.com/ann/faces",
        f"https://ann:{SECRET}@example.org/ann/faces.git",
        "git@gitlab.com:ann/faces.git",
        "https://github.com/ann",
        "https://github.com/ann/faces](https://example.org)",
    ],
)
def test_any_other_address_gives_one_sentence(launch, address):
    said = launch.markdown(launch.repository(address))
    assert re.fullmatch(r"Links to Binder and Colab appear here [^.]+\.", said)


def test_a_page_follows_the_remote(checkout):
    sentence = "Links to Binder and Colab appear here "
    assert sentence in built(checkout)
    git(checkout, "remote", "add", "origin", f"https://ann:{SECRET}@github.com/ann/faces.x.git")
    page = built(checkout)
    assert sentence not in page
    for name in ("train", "explore"):
        assert (ROOT / "notebooks" / f"{name}.ipynb").is_file()
        assert f'href="{BINDER.format(name)}"' in page
        assert f'href="{COLAB.format(name)}"' in page
    text = re.sub("<[^>]+>", "", page)
    assert "!git clone --depth 1 https://github.com/ann/faces.x\n%cd faces.x\n" in text
    assert not re.search(r'(?:src|action)="http', page), "links are followed on a click alone"
    assert not [file for file in (checkout / "html").rglob("*") if file.is_file() and secret_in(file)]
    git(checkout, "remote", "set-url", "origin", f"https://{SECRET}@example.org/ann/faces.x.git")
    page = built(checkout)
    assert sentence in page
    assert "example.org" not in page


def secret_in(file: Path) -> bool:
    return SECRET.encode() in file.read_bytes()


def test_without_a_repository_or_without_git_there_is_no_origin(launch, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert launch.origin(tmp_path) == ""
    monkeypatch.setenv("PATH", "")
    assert launch.origin(tmp_path) == ""
