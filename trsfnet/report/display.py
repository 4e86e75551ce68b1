"""Objects that notebooks and the book display: Markdown, and figures with alternative text and caption."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from trsfnet.report import style
from trsfnet.report.drawn_numbers import drawn_numbers
from trsfnet.report.jupyter import BOOK_TYPES, drawings_as_images, drawings_as_words, for_jupyter


@dataclass(frozen=True)
class Markdown:
    """Text that the book renders as MyST, and Jupyter as Markdown."""

    text: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/markdown": for_jupyter(self.text), BOOK_TYPES["text/markdown"]: self.text}

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return drawings_as_words(self.text)


@dataclass(frozen=True)
class Picture:
    """A figure for the book, with its alternative text and caption.

    Attributes:
        svg: the figure as SVG, in the page's text colour on a transparent background.
        alt: alternative text for readers who cannot see the figure.
        caption: what the figure shows, generated from the records.
        numbers: the plotted numbers as CSV, which the book writes to a file; empty if they are available
            elsewhere.
    """

    svg: str
    alt: str
    caption: str
    numbers: str = ""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        of_book = self.html()
        return {"text/html": drawings_as_images(of_book), BOOK_TYPES["text/html"]: of_book}

    def html(self) -> str:
        """Return the figure as HTML for the book."""
        return exhibit(self.svg, self.caption, self._data())

    def _data(self) -> str:
        """Return the numbers in an element that browsers neither display nor execute."""
        if not self.numbers:
            return ""
        return f'<script type="text/csv">{self.numbers.replace("</", "<" + chr(92) + "/")}</script>'

    def __repr__(self) -> str:
        return self.alt

    def markdown(self) -> str:
        """Return the figure as raw HTML for use within Markdown, without blank lines, which would end it."""
        return "\n".join(line for line in self.html().splitlines() if line.strip())


def exhibit(drawing: str, caption: str, data: str = "") -> str:
    """Return a figure as HTML for the book.

    Args:
        drawing: HTML of the drawing.
        caption: the caption, as text.
        data: an element with data, which browsers do not display.
    """
    # Wide figures scroll within a box, which is focusable so that the arrow keys can scroll it.
    return (
        f'<figure class="exhibit"><div class="exhibit-drawing" tabindex="0" role="group" '
        f'aria-label="Figure">{drawing}</div>'
        f"<figcaption>{html.escape(caption)}</figcaption>{data}</figure>"
    )


def json_element(data: object) -> str:
    """Return data in an element for the scripts of a page; NaN and infinity are refused."""
    # Escape `<`, so that the JSON cannot end the element that contains it.
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json">{text}</script>'


def picture(figure: Figure, *, alt: str, caption: str) -> Picture:
    """Convert `figure` to a picture and close it, so that Jupyter does not show it a second time.

    Args:
        figure: the matplotlib figure.
        alt: see `Picture`.
        caption: see `Picture`.
    """
    buffer = io.StringIO()
    with style.applied():
        layout = figure.get_layout_engine()
        if layout:
            # Run the layout by itself, because savefig would draw the whole figure once more for it. Only
            # without a default layout does `None` remove the engine, and savefig's extra drawing with it.
            layout.execute(figure)
            with plt.rc_context({"figure.constrained_layout.use": False, "figure.autolayout": False}):
                figure.set_layout_engine(None)
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    numbers = drawn_numbers(figure)
    plt.close(figure)
    return Picture(_themed(buffer.getvalue(), alt), alt, caption, numbers)


def _themed(svg: str, alt: str) -> str:
    """Return only the `svg` element, labelled, without a fixed size, and in the page's text colour."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    opening, body = element.split(">", 1)
    view = re.search(r'viewBox="[^"]*"', opening)
    assert view  # matplotlib always writes one
    label = html.escape(alt, quote=True)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{view[0]} role="img" aria-label="{label}">{body.replace(style.INK, "currentColor").strip()}'
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Escape text so that it cannot end its table cell or row."""
    # Not str.split, which would also split at non-breaking spaces.
    return re.sub(r"[ \t\r\n]+", " ", text).replace("|", "\\|")


def captioned(caption: str, name: str, body: str) -> str:
    """Return a numbered table for the book, which other pages can reference by `name`."""
    return f":::{{table}} {caption}\n:name: {name}\n\n{body}\n:::\n"


def folded(title: str, body: str) -> str:
    """Return `body` in a collapsed dropdown with the heading `title`."""
    return f"::::::{{dropdown}} {title}\n\n{body}\n::::::\n"


def popover(button: str, name: str, body: str) -> str:
    """Return `body` as a popover of an inline button, which opens by mouse or keyboard without a script.

    Args:
        button: text of the button.
        name: HTML id of the popover, unique within the book.
        body: Markdown without line breaks.
    """
    # A span, because it lies within a paragraph. Browsers without popover support show the body inline.
    return (
        f'<button type="button" class="popover-button" popovertarget="{name}">{html.escape(button)}</button>'
        f'<span id="{name}" class="popover-body" popover>{body}</span>'
    )


def plain(text: str) -> str:
    """Escape text so that Markdown shows it literally."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|$~" else c for c in text)


def list_of_problems(problems: Iterable[str]) -> str:
    """Return a list of the records that cannot be shown, each with the reason."""
    # Paths are plain text, so that long ones wrap on a phone.
    return "\n".join(f"- {plain(problem)}" for problem in problems)
