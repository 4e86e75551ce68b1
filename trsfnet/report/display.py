"""Objects that notebooks and the book show: Markdown, and figures with alternative text and caption."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from trsfnet.report import style
from trsfnet.report.drawn_numbers import drawn_numbers


@dataclass(frozen=True)
class Markdown:
    """Text that Jupyter shows as Markdown and the book as MyST."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Picture:
    """A drawing for the book, with its text alternative and caption.

    Attributes:
        svg: the drawing, in the page's own text colour on no background.
        alt: what a reader who cannot see it should know is there.
        caption: what it shows, made from the records.
        numbers: what it draws, as CSV; the book makes a file of them. Empty if they are elsewhere.
    """

    svg: str
    alt: str
    caption: str
    numbers: str = ""

    def _repr_html_(self) -> str:
        # Wide drawings scroll in their box; it takes the keyboard's focus so that arrow keys scroll it.
        return (
            f'<figure class="exhibit"><div class="exhibit-drawing" tabindex="0" role="group" '
            f'aria-label="Figure">{self.svg}</div>'
            f"<figcaption>{html.escape(self.caption)}</figcaption>{self._data()}</figure>"
        )

    def _data(self) -> str:
        """The numbers, in an element that no browser shows or runs."""
        if not self.numbers:
            return ""
        return f'<script type="text/csv">{self.numbers.replace("</", "<" + chr(92) + "/")}</script>'

    def __repr__(self) -> str:
        return self.alt

    def markdown(self) -> str:
        """The same as raw HTML within Markdown, which a blank line would end."""
        return "\n".join(line for line in self._repr_html_().splitlines() if line.strip())


def picture(figure: Figure, *, alt: str, caption: str, with_numbers: bool = True) -> Picture:
    """`figure` as a picture; the figure itself is closed, so that Jupyter does not show it twice.

    Args:
        figure: what is drawn.
        alt: see `Picture`.
        caption: see `Picture`.
        with_numbers: whether the numbers that are drawn come along.
    """
    buffer = io.StringIO()
    with style.applied():
        layout = figure.get_layout_engine()
        if layout:
            # Alone, for savefig would draw all of the figure once more to lay it out.
            layout.execute(figure)
            figure.set_layout_engine("none")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    numbers = drawn_numbers(figure) if with_numbers else ""
    plt.close(figure)
    return Picture(_themed(buffer.getvalue(), alt), alt, caption, numbers)


def _themed(svg: str, alt: str) -> str:
    """The `svg` element alone, named, free to shrink, its ink that of the page."""
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
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Text that cannot end its cell or its row."""
    # Not str.split, which would also take spaces that do not break.
    return re.sub(r"[ \t\r\n]+", " ", text).replace("|", "\\|")


def captioned(caption: str, name: str, body: str) -> str:
    """A numbered table of the book, to which other pages can refer by `name`."""
    return f":::{{table}} {caption}\n:name: {name}\n\n{body}\n:::\n"


def folded(title: str, body: str) -> str:
    """`body` behind a heading that opens it."""
    return f"::::::{{dropdown}} {title}\n\n{body}\n::::::\n"


def popover(button: str, name: str, body: str) -> str:
    """`body` behind a button within a line, opened by mouse or keyboard without a script.

    Args:
        button: its words.
        name: unlike that of any other popover of the book.
        body: Markdown of one line.
    """
    # A span, because the line is a paragraph. Where popovers are unknown, the body stands in the line.
    return (
        f'<button type="button" class="popover-button" popovertarget="{name}">{html.escape(button)}</button>'
        f'<span id="{name}" class="popover-body" popover>{body}</span>'
    )


def plain(text: str) -> str:
    """Text of which Markdown makes nothing else."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|$~" else c for c in text)


def unreadable(problems: Iterable[str]) -> str:
    """A list of the records that cannot be shown, each with the reason."""
    # Paths as seen from the repository's root, not from where the notebook runs; as plain text, so that a
    # long one breaks on a phone.
    return "\n".join(f"- {plain(problem.replace('../', ''))}" for problem in problems)
