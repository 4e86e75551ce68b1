"""Writes each page's figures, and the numbers that they plot, to `_figures` in the built book.

A line below each figure links to its files and shows how to cite it.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import yaml
from sphinx.application import Sphinx

FOLDER = "_figures"
INK = "#1b1f24"

_FIGURE = re.compile(r'<figure class="exhibit">.*?</figure>', re.DOTALL)
_DRAWING = re.compile(r"<svg.*?</svg>", re.DOTALL)
_NUMBERS = re.compile(r'<script type="text/csv">(.*?)</script>', re.DOTALL)
# Excludes the hundreds of run cards, which link to their records instead.
_WITHOUT = ("generated/runs/",)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register `write_figures` with Sphinx."""
    app.connect("html-page-context", write_figures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_figures(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Write the files of a page's figures, and add a line with links to them below each figure."""
    body = context.get("body")
    if not body or '<figure class="exhibit">' not in body:
        return
    if app.builder.name != "html" or page.startswith(_WITHOUT):
        context["body"] = _NUMBERS.sub("", body)
        return
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(exist_ok=True)
    top = "../" * page.count("/")
    name = page.rpartition("/")[2]
    citation = _citation(app)
    figures = iter(range(1, body.count('<figure class="exhibit">') + 1))

    def with_line(found: re.Match[str]) -> str:
        figure, label = found[0], f"{name}-{next(figures)}"
        links = [_file(folder, top, label, "svg", _alone(figure))]
        if numbers := _NUMBERS.search(figure):
            text = numbers[1].replace("<\\/", "</")
            links.append(_file(folder, top, label, "csv", text))
        line = f'<p class="figure-files">{" · ".join(links)} · Cite as: {citation}, figure {label}</p>'
        return _NUMBERS.sub("", figure).replace("</figure>", f"{line}</figure>")

    context["body"] = _FIGURE.sub(with_line, body)


def _alone(figure: str) -> str:
    """Return the SVG with a fixed text colour instead of that of the surrounding page."""
    drawing = _DRAWING.search(figure)
    return drawing[0].replace("currentColor", INK) + "\n" if drawing else ""


def _file(folder: Path, top: str, label: str, kind: str, text: str) -> str:
    """Write the file and return a link to it."""
    name = f"{label}.{kind}"
    (folder / name).write_text(text, encoding="utf-8")
    return f'<a download href="{top}{FOLDER}/{name}">{kind.upper()}</a>'


def _citation(app: Sphinx) -> str:
    file = Path(app.srcdir).parent / "CITATION.cff"
    about = yaml.safe_load(file.read_text(encoding="utf-8"))
    authors = ", ".join(author["name"] for author in about["authors"])
    return html.escape(f"{authors}, {about['title'].partition(':')[0]} {about['version']}")
