"""The parts of a card as HTML: Sphinx takes a tenth of the time over it that Markdown tables take."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Names with their values, in as many columns as the page has room for."""
    items = "\n".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd></div>" for name, value in pairs
    )
    return f'<dl class="facts">\n{items}\n</dl>'


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in the look of the book's others; it scrolls in its own box."""
    return table_of(header, (_row("td", row) for row in rows))


def table_of(header: Sequence[str], rows: Iterable[str]) -> str:
    """The same of rows that are HTML."""
    body = "\n".join(rows)
    return (
        '<div class="pst-scrollable-table-container"><table class="table">\n'
        f"<thead>{_row('th', header)}</thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
