"""The JavaScript and the style sheet of the explorer and of run cards, for the book's pages and for Jupyter.

Vega draws the charts. It is bundled with the package vl-convert, so nothing is downloaded.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from importlib.metadata import version

import vl_convert

from trsfnet.data.cache import cache_root
from trsfnet.data.files import replacing
from trsfnet.report.explore.charts import VEGA_LITE

_PARTS = ("dom.js", "values.js", "explorer.js", "whatif.js")


@cache
def vega() -> str:
    """Return Vega and Vega-Lite as a script that defines `vegaEmbed`; cached on disk, as it takes seconds."""
    file = cache_root() / f"vega-lite-{VEGA_LITE}-vl-convert-{version('vl-convert-python')}.js"
    if not file.is_file():
        text = vl_convert.javascript_bundle(vl_version=VEGA_LITE)  # type: ignore[call-arg]
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as aside:
            aside.write_text(text, encoding="utf-8")
    return file.read_text(encoding="utf-8")


def own() -> str:
    """Return our scripts, which define `Explorer` and `WhatIf`."""
    return "\n".join(_body(name) for name in _PARTS)


def styles() -> str:
    """Return our style sheet."""
    return _read("explorer.css")


def module(name: str) -> str:
    """Return a JavaScript module for Jupyter's widgets that renders with the script `name`."""
    return "\n".join([vega(), own(), _body(name)])


def loader() -> str:
    """Return a small JavaScript module for Jupyter's widgets that loads their scripts when they are shown."""
    return _read("loader.js")


def page() -> str:
    """Return a script for an HTML page that starts all its parts."""
    # Escaped, so that no text in it can end the surrounding element.
    script = _alone(f"{own()}\n{_body('page.js')}")
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def cards() -> str:
    """Return a script, to be a file, that draws the figures in the page of a run card."""
    return _alone(f"{_body('dom.js')}\n{_body('cards.js')}")


def _alone(script: str) -> str:
    """Return Vega and a script, each in a function, as other scripts of a page use names such as `_` too."""
    return f"(() => {{\n{vega()}\n}})();\n(() => {{\n{script}\n}})();"


def _body(name: str) -> str:
    """Return a script without its imports and exports, to be joined with the scripts that it imports."""
    # Browsers do not load modules from local files, from which the book may be opened.
    return re.sub(r"^(import .*\n|export (?!default))", "", _read(name), flags=re.MULTILINE)


def _read(name: str) -> str:
    return (resources.files("trsfnet.report.explore") / "browser" / name).read_text(encoding="utf-8")
