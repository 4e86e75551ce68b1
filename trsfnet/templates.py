"""Texts with blanks to fill in: jinja2 templates that lie beside the code that uses them."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

SUFFIX = ".md.jinja"


def fill(package: str, name: str, /, **blanks: Any) -> str:
    """The text of a template.

    Nothing is escaped: Markdown has no general way to. A template uses `|e` where it writes HTML.

    Args:
        package: where the template lies, such as `trsfnet.interop`.
        name: of the template, without its suffix.
        blanks: what it asks for; something missing is an error.
    """
    return _environment(package).get_template(f"{name}{SUFFIX}").render(**blanks)


@cache
def _environment(package: str) -> Environment:
    return Environment(
        loader=PackageLoader(package, ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
