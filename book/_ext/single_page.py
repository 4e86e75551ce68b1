"""Adjusts the single-page book for print: links to run cards, which it lacks, become plain text."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_TO_CARD = re.compile(
    r'<a [^>]*href="[^"]*#(?:document-generated/runs/|run-)[^"]*"[^>]*>(.*?)</a>', re.DOTALL
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register `unlink_cards` with Sphinx."""
    app.connect("html-page-context", unlink_cards)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def unlink_cards(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Replace links to cards by their text in the single-page book."""
    if app.builder.name == "singlehtml":
        context["body"] = _TO_CARD.sub(r"\1", context["body"])
