"""A figure that is wider than the screen says that it continues."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.book.conftest import ROOT, watched
from trsfnet.report.display import exhibit

STYLES = Path(ROOT, "book", "_static", "book.css")
# Whether a figure scrolls, and the hint above it.
FIGURE = """(box) => [
  box.scrollWidth > box.clientWidth,
  getComputedStyle(box, "::before").content.includes("scroll"),
]"""


@pytest.mark.parametrize("width", [390, 540, 561, 700, 1280])
def test_a_figure_says_that_it_scrolls_exactly_where_it_does(browser, width):
    drawing = '<svg viewBox="0 0 800 400" role="img" aria-label="A figure."></svg>'
    with watched(browser, viewport={"width": width, "height": 800}) as page:
        page.set_content(f"<style>{STYLES.read_text()}</style>{exhibit(drawing, 'Its caption.')}")
        scrolls, hint = page.locator(".exhibit-drawing").evaluate(FIGURE)
    assert hint == scrolls == (width < 544 + 16)
