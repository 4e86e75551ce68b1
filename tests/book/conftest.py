"""A copy of the book with runs made up for it, built as a reader builds it, and a browser without network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.report.fakes import fake_run, study_run

ROOT = Path(__file__).parents[2]

# What a page may ask for.
LOCAL = ("file:", "data:")


@dataclass(frozen=True)
class Book:
    """A checkout with the book's sources and records, and what its last build said."""

    root: Path

    @property
    def html(self) -> Path:
        """Where the built pages are."""
        return self.root / "_build" / "html"

    @property
    def runs(self) -> Path:
        """The reader's own run records."""
        return self.root / "runs"

    def build(self, *options: str) -> subprocess.CompletedProcess[str]:
        """`jupyter-book build book/` from the root, warnings counting as errors."""
        return subprocess.run(
            [Path(sys.executable).parent / "jupyter-book", "build", "book/", "-W", "-n", *options],
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


@pytest.fixture(scope="session")
def book(tmp_path_factory) -> Book:
    """The book over the committed results and a few made-up runs, built once."""
    book = Book(tmp_path_factory.mktemp("checkout"))
    # The page on reproducing includes parts of the other three.
    for name in ("_config.yml", "README.md", "CONTRIBUTING.md", "CITATION.cff"):
        shutil.copy(ROOT / name, book.root)
    made = shutil.ignore_patterns("generated", "__pycache__")
    shutil.copytree(ROOT / "book", book.root / "book", ignore=made)
    shutil.copytree(ROOT / "notebooks", book.root / "notebooks")
    if (ROOT / "results").is_dir():
        shutil.copytree(ROOT / "results", book.root / "results")
    # Pages on costs and data show what the benchmarks measured.
    measured = Path("benchmarks", "results")
    shutil.copytree(ROOT / measured, book.root / measured)
    for seed in range(2):
        fake_run(book.runs, "v1-relu", seed=seed, tar=0.2 + seed / 100)
        fake_run(book.runs, "v1-trsf-prelu", seed=seed, tar=0.3 + seed / 100)
    fake_run(book.runs, "v1-trsf-prelu", track="lfw", seed=90)
    fake_run(book.runs, "v1-relu", track="lfw", seed=91, status="running")
    fake_run(book.runs, "v1-trsf-relu", epochs=2)
    study_run(book.runs, rate=0.1)
    study_run(book.runs, rate=0.3, status="collapsed")
    (fake_run(book.runs, "v1-relu", seed=92).path / "run.json").write_text("{damaged")
    built = book.build()
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    return book


@contextmanager
def watched(browser, **options) -> Iterator[object]:
    """A page without network; whatever it asks for or complains of fails the test."""
    context = browser.new_context(**options)
    context.set_offline(True)
    trouble: list[str] = []
    page = context.new_page()
    page.on("request", lambda r: None if r.url.startswith(LOCAL) else trouble.append(r.url))
    page.on("requestfailed", lambda request: trouble.append(f"failed: {request.url}"))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda line: trouble.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    assert trouble == []


# Playwright keeps an event loop running in this thread until it is closed: not for longer than needed.
@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Headless Chromium: the system's, or the one that playwright brings."""
    playwright = pytest.importorskip("playwright.sync_api")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    with playwright.sync_playwright() as p:
        try:
            browser = p.chromium.launch(
                executable_path=found,
                args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
            )
        except playwright.Error as error:
            pytest.skip(f"No Chromium on this machine ({', '.join(names)}): {str(error).splitlines()[0]}")
        yield browser
        browser.close()
