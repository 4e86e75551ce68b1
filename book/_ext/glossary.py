"""Glossary: `{terms}` lists the terms of `glossary.toml`, and the first use of a term on a page explains it.

The first use becomes a link to the glossary with the meaning as its tooltip. Code, headings and existing
links are not changed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

FILE = "glossary.toml"
# Excludes the glossary itself, and the references and the API, whose words are not the book's own.
_UNMARKED = ("glossary", "references", "api", "api/")
_OPAQUE = (
    nodes.reference,
    nodes.title,
    nodes.rubric,
    nodes.literal,
    nodes.literal_block,
    nodes.raw,
    nodes.math,
    nodes.abbreviation,
    nodes.citation,
    addnodes.pending_xref,
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and the event handlers with Sphinx."""
    # Stored as a setting, because Sphinx rereads all pages when a setting changes.
    app.add_config_value("glossary_terms", {}, "env", [dict])
    app.connect("config-inited", read_terms)
    app.connect("doctree-read", explain)
    app.add_directive("terms", Terms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def read_terms(app: Sphinx, config: Config) -> None:
    """Read the terms from the file next to the book's pages, if it exists."""
    file = Path(app.srcdir, FILE)
    config["glossary_terms"] = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


class Terms(SphinxDirective):
    """Lists all terms with their meanings in alphabetical order."""

    def run(self) -> list[nodes.Node]:
        """Return the nodes of the glossary."""
        lines = [":::{glossary}"]
        for term, about in sorted(self.config.glossary_terms.items(), key=lambda item: item[0].casefold()):
            lines += [term, f"  {_entry(term, about)}", ""]
        parent = nodes.Element()
        self.state.nested_parse(StringList([*lines, ":::"], source=FILE), self.content_offset, parent)
        return parent.children


def _entry(term: str, about: dict[str, Any]) -> str:
    # Forms of the term itself, such as its plural, need not be listed.
    said = term.lower()
    also = [word for word in about.get("also", []) if not (word.lower().startswith(said) or word in said)]
    return f"{about['means']} Also: {', '.join(also)}." if also else about["means"]


def explain(app: Sphinx, doctree: nodes.document) -> None:
    """Turn the first use of each term on a page into a link with an explanation."""
    page, terms = app.env.docname, app.config.glossary_terms
    if not terms or page.startswith(_UNMARKED):
        return
    pattern, names = _pattern(tuple((term, *about.get("also", [])) for term, about in terms.items()))
    left = set(terms)
    for text in list(_readable(doctree)):
        pieces = list(_pieces(text.astext(), pattern, names, left, terms))
        if len(pieces) > 1:
            text.parent.replace(text, pieces)
        if not left:
            return


def _readable(doctree: nodes.document) -> Iterator[nodes.Text]:
    for text in doctree.findall(nodes.Text):
        above = text.parent
        while above is not None and not isinstance(above, _OPAQUE):
            above = above.parent
        if above is None and not _in_button(text):
            yield text


def _in_button(text: nodes.Text) -> bool:
    """Return whether the text labels a button, which may hold no link."""
    place = text.parent.index(text)
    before = text.parent[place - 1] if place else None
    return isinstance(before, nodes.raw) and "<button" in before.astext()


def _pieces(
    text: str, pattern: re.Pattern[str], names: dict[str, str], left: set[str], terms: dict[str, Any]
) -> Iterator[nodes.Node]:
    """Yield the nodes of `text`, with a link for each term that the page has not used before."""
    start = 0
    for found in pattern.finditer(text):
        term = names.get(found[0]) or names[found[0].lower()]
        if term in left:
            left.remove(term)
            if found.start() > start:
                yield nodes.Text(text[start : found.start()])
            yield _explained(found[0], term, terms[term]["means"])
            start = found.end()
    if start < len(text):
        yield nodes.Text(text[start:])


def _explained(words: str, term: str, means: str) -> nodes.Node:
    link = addnodes.pending_xref(
        "", refdomain="std", reftype="term", reftarget=term, refexplicit=True, refwarn=True
    )
    link["classes"].append("term")
    link += nodes.abbreviation(words, words, explanation=means)
    return link


@cache
def _pattern(spellings: tuple[tuple[str, ...], ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    """Return a pattern for all spellings, and the term of each spelling.

    Only spellings with several capitals, such as abbreviations, are case-sensitive.
    """
    names: dict[str, str] = {}
    parts: list[str] = []
    for term, *also in spellings:
        for words in (term, *also):
            exact = sum(c.isupper() for c in words) > 1
            names[words if exact else words.lower()] = term
            parts.append(re.escape(words) if exact else f"(?i:{re.escape(words)})")
    parts.sort(key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?![\w-])"), names
