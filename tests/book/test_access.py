"""axe-core finds nothing on any page that would keep a reader out, in light or in dark."""

from __future__ import annotations

import pytest

from tests.book.conftest import watched
from tests.book.test_book import some_cards

axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")

# Colours are all that differs between the modes. Style sheets need not be fetched once more.
OPTIONS = {"resultTypes": ["violations"], "preload": False}
MODES = {"light": OPTIONS, "dark": OPTIONS | {"runOnly": ["color-contrast"]}}
# Inside a drawing, which is one named image, axe takes the page's ink for the drawing's.
WITHOUT_DRAWINGS = {"exclude": ["svg > *"]}


def pages(book) -> list[str]:
    """Every page but the cards, which are many and alike, and the listings of the source."""
    found = [file.relative_to(book.html).as_posix() for file in book.html.rglob("*.html")]
    alike = ("generated/runs/", "_modules/trsfnet/", "_static/")
    some = [f"{card}.html" for card in some_cards(book)] + ["_modules/trsfnet/heads.html"]
    return sorted(page for page in found if not page.startswith(alike)) + some


@pytest.mark.parametrize("scheme", MODES)
def test_no_page_keeps_a_reader_out(book, browser, scheme):
    axe = axe_playwright.Axe()
    barriers = []
    with watched(browser, color_scheme=scheme, viewport={"width": 1280, "height": 900}) as page:
        for name in pages(book):
            page.goto((book.html / name).as_uri())
            found = axe.run(page, WITHOUT_DRAWINGS, MODES[scheme]).response
            barriers += [
                f"{name}: {rule['id']} ({rule['impact']}): {node['html'][:150]}"
                for rule in found["violations"]
                if rule["impact"] in ("serious", "critical")
                for node in rule["nodes"]
            ]
    assert not barriers, f"{len(barriers)} barriers in {scheme} mode:\n" + "\n".join(barriers)
