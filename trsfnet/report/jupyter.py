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

_FENCE = re.compile(r"^:{3,}(?:\{(?P<kind>[a-z-]+)\} ?(?P<title>.*))?$")
_OPTION = re.compile(r"^:[a-z-]+: ")
_DRAWING = re.compile(r"<svg [^>]*?aria-label=\"(?P<alt>[^\"]*)\".*?</svg>", re.DOTALL)
_NUMBERS = re.compile(r'<script type="text/csv">.*?</script>', re.DOTALL)
_POPOVER = re.compile(
    r'<button [^>]*class="popover-button"[^>]*>(.*?)</button><span [^>]*popover>.*?</span>', re.DOTALL
)
_TO_CARD = re.compile(r"\[((?:\\.|[^\]\\])+)\]\((?:runs/)[^)]+\.md[^)]*\)")

# What stands for the start of a fence; the end of a dropdown also closes its element.
_STARTS = {
    "table": "*{title}*",
    "dropdown": "<details><summary>{title}</summary>",
    "tab-item": "**{title}**",
}
_ENDS = {"dropdown": "</details>"}


def for_jupyter(markdown: str) -> str:
    """Return the book's Markdown as CommonMark: without fences, popovers, and links to cards of the book."""
    lines: list[str] = []
    open_fences: list[str] = []
    for line in drawings_as_images(_TO_CARD.sub(r"\1", _POPOVER.sub(r"\1", markdown))).splitlines():
        fence = _FENCE.match(line)
        if fence and fence["kind"]:
            open_fences.append(fence["kind"])
            lines += [_STARTS.get(fence["kind"], "").format(title=fence["title"]), ""]
        elif fence:
            lines += ["", _ENDS.get(open_fences.pop(), "")]
        elif not (open_fences and _OPTION.match(line)):
            lines.append(line)
    return "\n".join(lines)


def drawings_as_images(markup: str) -> str:
    """Return HTML with each SVG as an image, white because its ink is dark, and without plotted numbers."""
    return _DRAWING.sub(_image, _NUMBERS.sub("", markup))


def _image(drawing: re.Match[str]) -> str:
    svg = drawing[0].replace("<svg ", '<svg style="background: white" ', 1)
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{drawing["alt"]}" src="data:image/svg+xml;base64,{data}">'
