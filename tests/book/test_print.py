"""The book on paper: pages without what is only for a screen, and all of it as one page and a PDF."""

from __future__ import annotations

import re

from tests.book.conftest import watched

SCREEN_ONLY = (
    ".bd-sidebar-primary, .bd-sidebar-secondary, .header-article, .overview-controls, .explorer-live"
)


def test_a_page_prints_light_and_whole(book, browser):
    with watched(browser, color_scheme="dark", viewport={"width": 700, "height": 900}) as page:
        for name in ("index", "generated/table1", "generated/explore_page"):
            page.goto((book.html / f"{name}.html").as_uri())
            page.emulate_media(media="print")
            assert page.locator(SCREEN_ONLY).locator("visible=true").count() == 0
            drawings = page.locator(".exhibit-drawing:visible").evaluate_all(
                "all => all.map((one) => one.scrollWidth - one.clientWidth)"
            )
            assert not [wider for wider in drawings if wider > 1], f"{name} cuts a drawing"
            page.evaluate("window.modes = []")
            page.evaluate(
                "addEventListener('beforeprint', () => modes.push(document.documentElement.dataset.theme))"
            )
            assert page.pdf().startswith(b"%PDF")
            assert page.evaluate("window.modes") == ["light"]
            assert page.evaluate("document.documentElement.dataset.theme") == "dark"
            page.emulate_media(media="screen")


def test_the_whole_book_is_one_page_and_a_pdf(book, browser):
    built = book.build("--builder", "singlehtml")
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    assert "executing" not in built.stdout, "no notebook runs again for another form of the book"
    file = book.root / "_build" / "singlehtml" / "index.html"
    html = file.read_text(encoding="utf-8")
    for number in range(1, 7):
        assert re.search(rf"<h\d>Table {number}: ", html)
    anchors = set(re.findall(r'\bid="([^"]+)"', html))
    links = {link for link in re.findall(r'href="#([^"]+)"', html)}
    assert links <= anchors
    assert any(link.startswith("claim-") for link in links)
    page = browser.new_page()
    page.goto(file.as_uri())
    assert len(page.pdf(format="A4")) > 10**6
    page.close()
