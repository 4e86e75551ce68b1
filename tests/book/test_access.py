"""Every page is open to every reader: in light and dark, on a phone, without network, by a screen reader."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.book.conftest import watched
from tests.book.test_book import some_cards

AXE = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

# Style sheets need not be fetched once more.
OPTIONS = {"resultTypes": ["violations"], "preload": False}
# Colours are all that differs between the modes.
MODES = {"dark": OPTIONS, "light": OPTIONS | {"runOnly": ["color-contrast"]}}

# A drawing is one named image, and axe would mistake its ink for the page's.
EMPTY_DRAWINGS = """
    document.querySelectorAll(".exhibit-drawing svg").forEach((drawing) => drawing.replaceChildren())
"""
# Of rows and of definitions that look alike, a few show the colours.
KEEP_FEW = """
    for (const [alike, few] of [["tbody tr:nth-child(n+5)", 0], ["dl.py", 4], [".highlight pre", 4]])
        [...document.querySelectorAll(alike)].slice(few).forEach((one) => one.remove())
"""

# What is read, in drawings too, which axe cannot measure.
READ = "article :is(p, td, th, figcaption, svg text)"

# The contrast of each element's ink to what lies behind it.
CONTRAST = """(elements) => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const [r, g, b, a = 1] = channels(getComputedStyle(e).backgroundColor);
      if (a > 0.5) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const linear = (c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return elements.map((element) => {
    const style = getComputedStyle(element);
    const ink = channels(element.closest("svg") ? style.fill : style.color).slice(0, 3);
    const [a, b] = [light(ink), light(behind(element))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  });
}"""
FAINT = 4.5
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 6000}

# Of pages that one template makes, one or two are looked at, and axe looks at few of the tables and studies.
ALIKE = ("generated/runs/", "api/", "_modules/", "_static/")
EXAMPLES = ("api/models", "_modules/index", "_modules/trsfnet/heads")
ALIKE_TO_AXE = tuple(
    f"generated/{name}.html" for name in ("table2", "table3", "table4", "table5", "width", "length")
)


def pages(book) -> list[str]:
    """Every page, or of those that are alike an example."""
    found = [file.relative_to(book.html).as_posix() for file in book.html.rglob("*.html")]
    examples = [f"{page}.html" for page in (*EXAMPLES, *some_cards(book))]
    return sorted(page for page in found if not page.startswith(ALIKE)) + examples


def test_no_page_keeps_a_reader_out(book, browser):
    barriers = []
    # Nothing fades from one colour to another while it is measured.
    with watched(browser, reduced_motion="reduce") as page:
        for name in pages(book):
            # Once for all checks: loading takes as long as any of them.
            page.set_viewport_size(PHONE)
            page.emulate_media(color_scheme="light")
            page.goto((book.html / name).as_uri())
            found = [*sideways(page), *faint(page)]
            if name not in ALIKE_TO_AXE:
                found += found_by_axe(page)
            barriers += [f"{name}{barrier}" for barrier in found]
    assert not barriers, f"{len(barriers)} barriers:\n" + "\n".join(barriers)


def test_the_browser_draws_the_figures_of_cards(book, browser):
    with watched(browser) as page:
        for card in ("runs/synthetic/v1-trsf-prelu-seed0", "synthetic/stability-"):
            name = next(name for name in some_cards(book) if card in name)
            page.goto((book.html / f"{name}.html").as_uri())
            drawing = page.locator(".card-drawing svg")
            drawing.wait_for()
            assert "Epoch" in drawing.text_content()
            # Not Vega's own size, but that of the style sheet.
            assert (
                drawing.bounding_box()["width"]
                > 0.9 * page.locator(".exhibit-drawing").bounding_box()["width"]
            )


def sideways(page) -> Iterator[str]:
    """That a page scrolls sideways on a phone; leaves it as wide as a desk's screen."""
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > PHONE["width"]:
        yield f" is {width} pixels wide on a phone"
    page.set_viewport_size(DESK)


def faint(page) -> Iterator[str]:
    """Text that is hard to read, in either mode; leaves the page dark."""
    for scheme in ("light", "dark"):
        switch(page, scheme)
        contrasts = page.eval_on_selector_all(READ, CONTRAST)
        if contrasts and min(contrasts) < FAINT:
            yield f" in {scheme} mode has text of contrast {min(contrasts):.1f}"


def found_by_axe(page) -> Iterator[str]:
    """What axe finds, in either mode; leaves the page cut down."""
    page.evaluate(EMPTY_DRAWINGS)
    for scheme, options in MODES.items():
        switch(page, scheme)
        for rule in AXE.run(page, options=options).response["violations"]:
            if rule["impact"] in ("serious", "critical"):
                for node in rule["nodes"]:
                    yield f", {scheme}: {rule['id']} ({rule['impact']}): {node['html'][:150]}"
        page.evaluate(KEEP_FEW)


def switch(page, scheme: str) -> None:
    """As a reader changes the system's mode."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("mode => document.documentElement.dataset.theme === mode", arg=scheme)
