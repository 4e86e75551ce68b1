"""The book's Markdown and figures in a form that JupyterLab, VS Code and nbconvert can show.

The book reads MyST, whose fences (`:::{table}`) Jupyter shows as plain text, and inline SVG, which Jupyter
removes from notebooks that it does not trust. Outputs therefore contain two forms: the usual one for Jupyter,
and one under the types of `BOOK_TYPES`, which the book's build puts in its place.
"""

from __future__ import annotations

import base64
import re

# The type under which an output contains its form for the book, by the usual type.
BOOK_TYPES = {"text/markdown": "text/vnd.trsfnet.markdown", "text/html": "text/vnd.trsfnet.html"}

_START = re.compile(r"^:+\{(?P<kind>[a-z-]+)\} ?(?P<title>.*)\n(?::[a-z-]+: .*\n)*", re.MULTILINE)
# The only fence of six colons is that of `folded` in display.py.
_END_OF_DROPDOWN = re.compile(r"^:{6}$", re.MULTILINE)
_OTHER_END = re.compile(r"^:{3,}$", re.MULTILINE)
_DRAWING = re.compile(r"<svg [^>]*?aria-label=\"(?P<alt>[^\"]*)\".*?</svg>", re.DOTALL)
_NUMBERS = re.compile(r'<script type="text/csv">.*?</script>', re.DOTALL)
_POPOVER = re.compile(
    r'<button [^>]*class="popover-button"[^>]*>(.*?)</button><span [^>]*popover>.*?</span>', re.DOTALL
)
_TO_CARD = re.compile(r"\[((?:\\.|[^\]\\])+)\]\((?:runs/)[^)]+\.md[^)]*\)")

# What stands for the start of a fence; nothing does for others.
_STARTS = {
    "table": "*{title}*\n",
    "dropdown": "<details><summary>{title}</summary>\n",
    "tab-item": "**{title}**\n",
}


def for_jupyter(markdown: str) -> str:
    """Return the book's Markdown as CommonMark: without fences, popovers, and links to cards of the book."""
    text = drawings_as_images(_TO_CARD.sub(r"\1", _POPOVER.sub(r"\1", markdown)))
    text = _START.sub(lambda fence: _STARTS.get(fence["kind"], "").format(title=fence["title"]), text)
    return _OTHER_END.sub("", _END_OF_DROPDOWN.sub("\n</details>\n", text))


def drawings_as_images(markup: str) -> str:
    """Return HTML with each SVG as an image on white, because its ink is dark, without plotted numbers."""
    return _DRAWING.sub(_image, _NUMBERS.sub("", markup))


def drawings_as_words(markup: str) -> str:
    """Return markup with the alternative text of each SVG in its place, without plotted numbers."""
    return _DRAWING.sub(lambda drawing: f"[Figure: {drawing['alt']}]", _NUMBERS.sub("", markup))


def _image(drawing: re.Match[str]) -> str:
    svg = drawing[0].replace("<svg ", '<svg style="background: white" ', 1)
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{drawing["alt"]}" src="data:image/svg+xml;base64,{data}">'
