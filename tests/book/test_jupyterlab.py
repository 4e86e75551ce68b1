"""The explorer's notebook in a real JupyterLab: opened as a user does, run, used, without a complaint."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.book.conftest import ROOT
from tests.report.explorable import whole_run

pytest.importorskip("jupyterlab")
pytest.importorskip("anywidget")

pytestmark = pytest.mark.slow

# Seconds. A kernel has to start and to import PyTorch, maybe on a machine with much else to do.
PATIENCE = 300

ALL_HAVE_RUN = """() => [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")]
    .every((prompt) => /^\\[\\d+\\]:$/.test(prompt.textContent))"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[str]:
    """The address of the notebook in a JupyterLab started in `notebooks/` of a checkout with runs."""
    root = tmp_path_factory.mktemp("checkout")
    # What a checkout is known by.
    for folder in ("notebooks", "trsfnet", "results"):
        (root / folder).mkdir()
    (root / "trsfnet" / "__init__.py").touch()
    shutil.copy(ROOT / "notebooks" / "explore.ipynb", root / "notebooks")
    whole_run(root / "runs")
    whole_run(root / "runs", "v1-trsf-relu")
    home = tmp_path_factory.mktemp("jupyter")
    own = ("CONFIG_DIR", "RUNTIME_DIR", "LAB_SETTINGS_DIR", "LAB_WORKSPACES_DIR")
    # The package that is tested comes first, whatever is installed.
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    folders = {f"JUPYTER{'' if 'LAB' in name else '_'}{name}": str(home / name) for name in own}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--IdentityProvider.token=secret"],
            cwd=root / "notebooks",
            env=os.environ | folders | {"PYTHONPATH": path},
            stdout=log,
            stderr=log,
        )
        try:
            yield f"{_address(home / 'RUNTIME_DIR', server)}lab/tree/explore.ipynb?token=secret"
        finally:
            server.terminate()
            server.wait(30)


def _address(folder: Path, server: subprocess.Popen[bytes]) -> str:
    """Where the server says that it listens."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for file in folder.glob("jpserver-*.json"):
            return json.loads(file.read_text())["url"]
        assert server.poll() is None, "JupyterLab did not start"
        time.sleep(0.1)
    raise AssertionError("JupyterLab does not listen")


def test_opened_run_and_used(lab, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(1000 * PATIENCE)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda line: trouble.append(line.text) if line.type == "error" else None)
    page.goto(lab)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    # While cells run, JupyterLab moves the focus from one to the next.
    page.wait_for_function(ALL_HAVE_RUN)
    page.wait_for_selector("[data-chart='modules'] .mark-symbol path")

    said = page.locator(".explorer-summary").first
    said.scroll_into_view_if_needed()
    assert "v1 + TRSF + PReLU, seed 0 (short), rendered faces: at epoch 4 of 4" in said.inner_text()
    first = _drawn(page)
    slider = page.get_by_label("Epoch", exact=True)
    slider.focus()
    page.keyboard.press("ArrowLeft")
    second = _changed(page, first)
    assert "at epoch 3 of 4" in said.inner_text()
    page.keyboard.press("ArrowUp")
    assert _changed(page, second) == first, "the key moves the slider, and not JupyterLab's cursor"
    page.locator(".explorer").get_by_label("Show").select_option("PReLU slopes")
    _changed(page, first)
    assert "of 131 below zero" in said.inner_text()
    page.close()
    assert trouble == []


def _drawn(page) -> str:
    marks = page.locator("[data-chart='modules'] .mark-symbol path")
    return "".join(marks.evaluate_all("all => all.map((one) => one.getAttribute('transform'))"))


def _changed(page, before: str) -> str:
    """The drawing, once it is another."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if (now := _drawn(page)) != before:
            return now
        page.wait_for_timeout(50)
    raise AssertionError("The picture did not change")
