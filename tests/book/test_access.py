"""axe-core finds nothing on any page that would keep a reader out, in light or in dark."""

from __future__ import annotations

import pytest

from tests.book.conftest import watched
from tests.book.test_book import some_cards

axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")

# Style sheets need not be fetched once more.
OPTIONS = {"resultTypes": ["violations"], "preload": False}
# Colours are all that differs between the modes.
MODES = {"light": OPTIONS, "dark": OPTIONS | {"runOnly": ["color-contrast"]}}

# A drawing is one named image, and axe would mistake its ink for the page's.
EMPTY_DRAWINGS = """
    document.querySelectorAll(".exhibit-drawing svg").forEach((drawing) => drawing.replaceChildren())
"""
# Of rows and of definitions that look alike, a few show the colours.
KEEP_FEW = """
    for (const [alike, few] of [["tbody tr:nth-child(n+5)", 0], ["dl.py", 4], [".highlight pre", 4]])
        [...document.querySelectorAll(alike)].slice(few).forEach((one) => one.remove())
"""

# Of pages that one template makes, one or two are looked at.
ALIKE = ("generated/runs/", "generated/table", "api/", "_modules/trsfnet/", "_static/")
EXAMPLES = ("generated/table1", "generated/table6", "api/models", "_modules/trsfnet/heads")


def pages(book) -> list[str]:
    """Every page, or of those that are alike an example."""
    found = [file.relative_to(book.html).as_posix() for file in book.html.rglob("*.html")]
    examples = [f"{page}.html" for page in (*EXAMPLES, *some_cards(book))]
    return sorted(page for page in found if not page.startswith(ALIKE)) + examples


def test_no_page_keeps_a_reader_out(book, browser):
    axe = axe_playwright.Axe()
    barriers = []
    # Nothing fades from one colour to another while it is measured.
    with watched(browser, reduced_motion="reduce", viewport={"width": 1280, "height": 6000}) as page:
        for name in pages(book):
            page.emulate_media(color_scheme="light")
            page.goto((book.html / name).as_uri())
            page.evaluate(EMPTY_DRAWINGS)
            for scheme, options in MODES.items():
                page.emulate_media(color_scheme=scheme)
                page.wait_for_function("mode => document.documentElement.dataset.theme === mode", arg=scheme)
                barriers += [
                    f"{name}, {scheme}: {rule['id']} ({rule['impact']}): {node['html'][:150]}"
                    for rule in axe.run(page, options=options).response["violations"]
                    if rule["impact"] in ("serious", "critical")
                    for node in rule["nodes"]
                ]
                page.evaluate(KEEP_FEW)
    assert not barriers, f"{len(barriers)} barriers:\n" + "\n".join(barriers)
