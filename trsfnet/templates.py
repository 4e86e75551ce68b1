"""Texts with placeholders: Jinja2 templates stored next to the code that uses them."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

SUFFIX = ".md.jinja"


def fill(package: str, name: str, /, **blanks: Any) -> str:
    """Render a template.

    Nothing is escaped, because Markdown has no general way to do so. Templates that write HTML use `|e`.

    Args:
        package: the package that contains the template, such as `trsfnet.interop`.
        name: name of the template, without its suffix.
        blanks: values for the placeholders; a missing one is an error.
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
