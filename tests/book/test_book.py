"""`jupyter-book build book/` gives a book that works from the disk, without network, on every screen."""

from __future__ import annotations

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.book.conftest import ROOT
from tests.report.fakes import fake_run

DATA_PAGES = ["generated/data", "generated/data_synthetic", "generated/data_lfw", "generated/data_paper"]
TABLES = [f"generated/table{number}" for number in range(1, 7)]
FIGURES = [f"generated/{name}" for name in ("curves", "scales", "slopes", "starts")]
PAGES = ["index", *DATA_PAGES, *TABLES, *FIGURES]
PAGES += [
    "generated/claims",
    "generated/stability",
    "generated/collapse",
    "generated/width",
    "generated/mechanism",
    "generated/length",
    "generated/meaning",
    "generated/statistics",
]
PAGES += [
    "glossary",
    "generated/verdict_history",
    "generated/recompute",
    "generated/audit",
    "generated/explore_page",
    "generated/runs",
    "generated/cluster",
]
PAGES += ["generated/idea", "reproduce", "api", "api/models", "api/data", "references"]


class References(HTMLParser):
    """What a page links to, what it loads, its anchors and its images."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.images: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if attributes.get("id"):
            self.anchors.add(attributes["id"])
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if tag in ("script", "img", "iframe", "source") and attributes.get("src"):
            self.loads.append(attributes["src"])
        if tag == "link" and attributes.get("href"):
            self.loads.append(attributes["href"])
        if tag == "img":
            self.images.append(attributes)


@cache
def anchors(file: Path, written: int) -> set[str]:
    """What one may link to in `file` as it was `written`."""
    return References(file.read_text(encoding="utf-8")).anchors


def references(book, page: str) -> References:
    return References((book.html / f"{page}.html").read_text(encoding="utf-8"))


def text(book, page: str) -> str:
    """The words of a page's article."""
    html = (book.html / f"{page}.html").read_text(encoding="utf-8")
    article = html[html.index("<article") : html.index("</article>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", article)).replace("\u00a0", " ")


def cards(book) -> list[str]:
    """The pages of runs, as one names them from the book's root."""
    files = sorted((book.html / "generated" / "runs").glob("*/*.html"))
    return [file.relative_to(book.html).as_posix().removesuffix(".html") for file in files]


def some_cards(book) -> list[str]:
    """A card of each kind: real, on either track, made up, running, damaged, of the stability study."""
    found = cards(book)
    kinds = ["runs/synthetic/v1-trsf-prelu-seed0", "lfw/v1-trsf-prelu-seed0", "lfw/v1-trsf-prelu-seed90"]
    kinds += ["lfw/v1-relu-seed91", "seed92", "synthetic/stability-"]
    return [next(card for card in found if kind in card) for kind in kinds]


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_loaded_from_elsewhere_and_nothing_is_missing(book, page):
    check_references(book, page)


def check_references(book, page: str) -> None:
    found = references(book, page)
    for url in [*found.loads, *found.links]:
        parts = urlsplit(url)
        if parts.scheme or parts.netloc:
            assert url in found.links, f"{page} loads {url}"
            continue
        file = (book.html / page).parent / unquote(parts.path) if parts.path else book.html / f"{page}.html"
        assert file.exists(), f"{page} refers to {url}"
        if parts.fragment and file.suffix == ".html":
            assert parts.fragment in anchors(file, file.stat().st_mtime_ns), f"{page} links to {url}"
    assert all(image.get("alt") for image in found.images)


def test_reference_and_sources_lack_nothing(book):
    for folder in ("api", "_modules"):
        for file in (book.html / folder).rglob("*.html"):
            check_references(book, file.relative_to(book.html).as_posix().removesuffix(".html"))


def test_cards_lack_nothing(book):
    for card in some_cards(book):
        check_references(book, card)


def test_a_number_is_a_click_away_from_its_run(book):
    for page in ("generated/table1", "generated/claims", "generated/runs"):
        links = {link for link in references(book, page).links if re.match("runs/.*html$", link)}
        assert links, page
        for link in links:
            assert "papermill notebooks/train.ipynb" in text(book, f"generated/{link.removesuffix('.html')}")
    card = next(card for card in cards(book) if "runs/synthetic/v1-trsf-prelu-seed1-" in card)
    words = text(book, card)
    assert "papermill notebooks/train.ipynb runs/synthetic-v1-trsf-prelu-seed1.ipynb -p trsf True" in words
    assert "learning_rate" in words
    files = [link for link in references(book, card).links if "_downloads" in link]
    assert {"run.json", "history.csv"} <= {file.rpartition("/")[2] for file in files}


def test_a_damaged_record_says_so_on_its_card(book):
    damaged = next(card for card in cards(book) if "seed92" in card)
    assert re.search(r"The run record .*run\.json is damaged", text(book, damaged))


def test_cards_bury_neither_the_contents_nor_the_search(book):
    assert not any("runs/" in link for link in references(book, "index").links)
    script = (book.html / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(script[script.index("(") + 1 : script.rindex(")")])
    hidden = {n for n, name in enumerate(index["docnames"]) if name.startswith("generated/runs/")}
    for found in index["terms"].values():
        assert not hidden & ({found} if isinstance(found, int) else set(found))


def test_no_style_sheet_fetches_anything(book):
    remote = re.compile(r"""url\(['"]?https?:|@import ['"]https?:""")
    for file in (book.html / "_static").rglob("*.css"):
        assert not remote.search(file.read_text(encoding="utf-8", errors="ignore")), file.name


def test_style_sheets_come_in_one_order_and_print_last(book):
    html = (book.html / "index.html").read_text("utf-8")
    ours = [file.stem for file in (ROOT / "book" / "_static").glob("*.css")]
    found = [name for name in re.findall(r"_static/(\w+)\.css\?", html) if name in ours]
    assert found == [*sorted(set(ours) - {"print"}), "print"]


def test_the_first_page_answers(book):
    words = text(book, "index")
    assert re.search(r"(raises? accuracy|not raise it|remains open)", words)
    assert "Does TRSF raise the accuracy?" in words
    assert "+1.08 points" in words
    assert "make book" in words


def test_table_1_shows_every_run_in_its_place(book):
    words = text(book, "generated/table1")
    assert "papermill notebooks/train.ipynb runs/synthetic-v1-trsf-prelu-seed1.ipynb" in words
    assert "running" in words
    assert "epochs 2" in words
    assert re.search(r"seed92-\w+/run.json is damaged", words)
    assert "95.90 % (95.1 to 96.6 %)" in words


@pytest.mark.parametrize("page", ["index", "generated/claims", *TABLES])
def test_table_numbers_are_the_papers_alone(book, page):
    html = (book.html / f"{page}.html").read_text(encoding="utf-8")
    assert '<span class="caption-text">' in html
    assert "caption-number" not in html


@pytest.mark.parametrize("page", TABLES)
def test_tables_lead_to_runs_and_claims(book, page):
    links = references(book, page).links
    assert any("#claim-" in link for link in links)
    words = text(book, page)
    assert "comparable with the paper" in words
    assert "Verdict" in words


def test_every_figure_is_named_and_captioned(book):
    fewest = dict.fromkeys(DATA_PAGES, 0) | {"generated/data_synthetic": 2, "generated/data_lfw": 1}
    fewest |= {"generated/table1": 1, "generated/curves": 4}
    fewest |= {"generated/scales": 4, "generated/slopes": 4, "generated/starts": 0}
    fewest |= {"generated/claims": 1, "generated/statistics": 1, "generated/audit": 0}
    for page in fewest:
        html = (book.html / f"{page}.html").read_text(encoding="utf-8")
        figures = html.count('<figure class="exhibit">')
        assert figures >= fewest[page]
        assert len(re.findall(r'<svg [^>]*role="img" aria-label="[^"]{40,}"', html)) == figures
        every = html.count('<figure class="exhibit')  # those of HTML, too
        assert len(re.findall(r"<figcaption>[^<]{40,}</figcaption>", html)) == every


def test_no_page_is_left_with_a_placeholder_for_a_drawing(book):
    pages = {page: page.read_text(encoding="utf-8") for page in book.html.rglob("*.html")}
    assert any("<svg " in text for text in pages.values())
    assert not [page for page, text in pages.items() if "data-kept=" in text]


def test_the_index_of_runs_is_filtered_by_typing(book, browser):
    page = browser.new_page()
    page.goto((book.html / "generated" / "runs.html").as_uri())
    page.get_by_label("Filter the runs").focus()
    page.keyboard.type("prelu TRSF")
    rows = page.locator(".filterable tbody tr")
    shown = [row.lower() for row in rows.locator("visible=true").all_inner_texts()]
    assert 0 < len(shown) < rows.count()
    assert all("trsf" in row and "prelu" in row for row in shown)
    assert page.locator("label.filter output").inner_text() == f"{len(shown)} of {rows.count()} runs"
    page.close()


def test_a_new_run_appears_and_nothing_is_done_twice(book):
    unconcerned = [f"{card}.html" for card in cards(book) if "/v1-prelu" not in card] + [
        "generated/audit.html"
    ]
    before = {name: (book.html / name).stat().st_mtime_ns for name in unconcerned}
    record = fake_run(book.runs, "v1-prelu", seed=5, tar=0.777)
    again = book.build()
    assert again.returncode == 0, again.stdout[-3000:] + again.stderr[-3000:]
    assert {name: (book.html / name).stat().st_mtime_ns for name in unconcerned} == before
    changed = [card for card in cards(book) if "runs/synthetic/v1-prelu-seed" in card]
    assert f" {len(changed)} run cards" in again.stdout, "its own, and those that link to it"
    assert "77.7 %" in text(book, "generated/table1")
    assert any(record.run_id in link for link in references(book, "generated/table1").links)
    assert "v1 + PReLU" in text(book, "generated/curves")
