"""Keeps drawings and data, most of the book's text, away from Sphinx until it writes the pages.

Markdown is parsed character by character, once more for every fence around it, and documents are searched and
stored many times. While they contain placeholders for their drawings, the book builds much faster.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

_BULK = re.compile(
    r'<(?P<svg>svg) .*?</svg>|<(?P<data>script) type="(?:application/json|text/csv)">.*?</script>', re.DOTALL
)
_PLACEHOLDER = re.compile(r"<(svg|script) data-kept=([^ >#]+)#(\d+)></\1>")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register `take_out` and `put_back` with Sphinx."""
    app.connect("source-read", take_out)
    # Runs before the extensions that work with the figures of a page.
    app.connect("html-page-context", put_back, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def take_out(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace drawings and data in a generated page by placeholders, and store them next to its doctree."""
    if not docname.startswith("generated/"):
        return
    kept: list[str] = []

    def placeholder(found: re.Match[str]) -> str:
        kept.append(found[0])
        tag = found["svg"] or found["data"]
        return f"<{tag} data-kept={docname}#{len(kept) - 1}></{tag}>"

    if app.env.doc2path(docname).endswith(".ipynb"):
        notebook = json.loads(source[0])
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                for kind in ("text/html", "text/markdown"):
                    if kind in data:
                        data[kind] = _BULK.sub(placeholder, "".join(data[kind]))
        source[0] = json.dumps(notebook)
    else:
        source[0] = _BULK.sub(placeholder, source[0])
    if kept:
        file = _file(app, docname)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(kept), encoding="utf-8")


def put_back(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Replace the placeholders in the body of a page by what they stand for."""
    if "data-kept=" in context.get("body", ""):
        context["body"] = _PLACEHOLDER.sub(
            lambda found: _kept(_file(app, found[2]))[int(found[3])], context["body"]
        )


def _file(app: Sphinx, docname: str) -> Path:
    return Path(app.doctreedir, "drawings", f"{docname}.json")


@lru_cache(maxsize=1)  # all of a page are needed together
def _kept(file: Path) -> list[str]:
    kept: list[str] = json.loads(file.read_text(encoding="utf-8"))
    return kept
