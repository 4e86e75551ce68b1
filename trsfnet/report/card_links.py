"""Links to the place where the book shows a run: its own card, or a row on its variant's study page."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from trsfnet.analysis.run import Run
from trsfnet.report.display import popover
from trsfnet.report.run_state import EARLIER

STUDY = "stability"


def page(run: Run) -> str:
    """Return the name of the file with the run's card, relative to the folder of its track."""
    # Use the folder's name rather than the recorded id: runs with equal ids would share a page.
    return f"{STUDY}-{run.variant}.md" if run.in_stability_study else f"{run.path.name}.md"


def anchor(run: Run) -> str:
    """Return the HTML id of the run's row on the page of the stability study."""
    # Without dots, which the theme's script would interpret as CSS classes.
    return f"run-{run.path.name.replace('.', '-')}"


def card_link(run: Run, text: str) -> str:
    """Return `text` as a link to a run's card, or to its record if no cards are built next to the page.

    The working directory must be the folder of the page, as it is when the book runs its notebooks.
    """
    return _link(run, text, f"{page(run)}#{anchor(run)}" if run.in_stability_study else page(run))


def page_link(run: Run, text: str) -> str:
    """Return `text` as a link to the page with a run's card, without jumping to the run's row on it."""
    return _link(run, text, page(run))


def runs_popover(name: str, runs: Iterable[tuple[str, Run]], button: str) -> str:
    """Return an inline button that opens a list of links to runs, each with its status unless it is done.

    Args:
        name: HTML id of the popover, unique within the book.
        runs: pairs of link text, such as `seed 0: 12.3 %`, and run.
        button: text of the button, such as `8 seeds`.
    """
    return popover(button, name, "<br>".join(_entry(run, text) for text, run in runs))


def _entry(run: Run, text: str) -> str:
    status = "" if run.done else f" ({run.status})"
    return f"{card_link(run, text)}{EARLIER if run.stale else ''}{status}"


def _link(run: Run, text: str, where: str) -> str:
    folder = Path.cwd() / "runs" / run.track
    if folder.is_dir() and _has_cards(folder, folder.stat().st_mtime_ns):
        return f"[{text}](runs/{run.track}/{where})"
    file = os.path.relpath(next(iter(run.record.files.values()), run.path)).replace(os.sep, "/")
    return f"[{text}]({file})"


@cache  # a page has thousands of links
def _has_cards(folder: Path, modified_ns: int) -> bool:
    """Return whether the book writes cards to `folder`; a folder of records has a folder for each run.

    The book builds pages and cards at the same time, so the cards themselves may not exist yet.

    Args:
        folder: the folder of a track next to the page.
        modified_ns: when the entries of `folder` last changed, so that a change has them read again.
    """
    return not any(entry.is_dir() and not entry.name.startswith(".") for entry in os.scandir(folder))
