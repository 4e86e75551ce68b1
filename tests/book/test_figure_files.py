"""Figures become files with their numbers; folded sections stay whole and open in print."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.book.conftest import ROOT

FIGURE = (
    '<figure class="exhibit"><div class="exhibit-drawing"><svg fill="currentColor"></svg></div>'
    '<figcaption>Caption</figcaption><script type="text/csv">panel,x\n<\\/b>,1\n</script></figure>'
)
PAGE = f"""\
# Page

{FIGURE}

## Folded

<!-- fold -->
Within, and a [link](#below).

### Below

More.

## After

Open.
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, Path]:
    """The page as HTML and as one page."""
    book = tmp_path_factory.mktemp("checkout") / "book"
    book.mkdir()
    (book.parent / "CITATION.cff").write_text(
        (ROOT / "CITATION.cff").read_text(encoding="utf-8"), encoding="utf-8"
    )
    path = f"import sys\nsys.path.append({str(ROOT / 'book' / '_ext')!r})\n"
    names = "extensions = ['myst_parser', 'figure_files', 'folds']\nmyst_heading_anchors = 3\n"
    (book / "conf.py").write_text(path + names)
    (book / "index.md").write_text(PAGE, encoding="utf-8")
    found = {}
    for builder in ("html", "singlehtml"):
        out = book.parent / builder
        command = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", "-b", builder, str(book), str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found[builder] = out
    return found


def test_each_figure_leads_to_its_drawing_and_its_numbers(built):
    page = (built["html"] / "index.html").read_text(encoding="utf-8")
    assert 'href="_figures/index-1.svg">SVG</a>' in page
    assert "Cite as: The trsfnet authors, trsfnet 0." in page
    assert "text/csv" not in page
    assert (built["html"] / "_figures" / "index-1.csv").read_text() == "panel,x\n</b>,1\n"
    assert 'fill="#1b1f24"' in (built["html"] / "_figures" / "index-1.svg").read_text()
    paper = (built["singlehtml"] / "index.html").read_text(encoding="utf-8")
    assert "_figures" not in paper
    assert "text/csv" not in paper


def test_a_folded_section_holds_its_own_and_no_more(built):
    page = (built["html"] / "index.html").read_text(encoding="utf-8")
    start, end = page.index('<details class="fold">'), page.index("</details>")
    assert page.index("<h2>Folded") < start < page.index("Within") < page.index("More.") < end
    assert end < page.index("<h2>After")
