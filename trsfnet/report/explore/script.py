"""The JavaScript and the styles of the explorer, for the book's page and for Jupyter alike.

The charts are drawn by Vega, which the package vl-convert carries: nothing comes from the network.
"""

from __future__ import annotations

import os
import re
from functools import cache
from importlib import resources
from importlib.metadata import version

from trsfnet.data.cache import cache_root
from trsfnet.report.explore.charts import VEGA_LITE

_PARTS = ("dom.js", "values.js", "explorer.js", "whatif.js")


@cache
def vega() -> str:
    """Vega and Vega-Lite as a script that defines `vegaEmbed`; kept on disk, as it takes seconds to make."""
    import vl_convert

    file = cache_root() / f"vega-lite-{VEGA_LITE}-vl-convert-{version('vl-convert-python')}.js"
    if not file.is_file():
        text = vl_convert.javascript_bundle(vl_version=VEGA_LITE)  # type: ignore[call-arg]
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_name(f".{file.name}.{os.getpid()}")
        aside.write_text(text, encoding="utf-8")
        os.replace(aside, file)
    return file.read_text(encoding="utf-8")


def own() -> str:
    """Our scripts, which define `Explorer` and `WhatIf`."""
    return "\n".join(_body(name) for name in _PARTS)


def styles() -> str:
    """Our style sheet."""
    return _read("explorer.css")


def module(name: str) -> str:
    """A module for Jupyter's widgets that renders by the script `name`."""
    return "\n".join([vega(), own(), _body(name)])


def page() -> str:
    """A script for a page of HTML, which starts all that stands in it."""
    # Within functions: other scripts of the page use some names that these define, such as `_`. And no text
    # in them may end the element around them.
    script = f"(() => {{\n{vega()}\n}})();\n(() => {{\n{own()}\n{_body('page.js')}\n}})();"
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _body(name: str) -> str:
    """A script without its imports and exports, to stand in one text with those that it imports."""
    # Browsers load no module from the disk, where the book may lie.
    return re.sub(r"^(import .*\n|export (?!default))", "", _read(name), flags=re.MULTILINE)


def _read(name: str) -> str:
    return (resources.files("trsfnet.report.explore") / "browser" / name).read_text(encoding="utf-8")
