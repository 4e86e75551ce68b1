"""Corrects the output of Sphinx and its extensions: markup that confuses screen readers, and dead links.

The quoted rule names are those of axe-core.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_BACK = re.compile(r'<a class="viewcode-back" href="[^"#]*#(?P<name>[^"]*)">.*?</a>')


def setup(app: Sphinx) -> dict[str, Any]:
    """Register `mend` with Sphinx."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Correct the body of a page."""
    if not context.get("body"):
        return
    # docutils marks citations as a list, which may contain only list items ("aria-required-children").
    body = context["body"].replace(' role="doc-biblioentry"', ' role="listitem"')
    if page == "_modules/index":
        # sphinx.ext.viewcode nests lists directly in lists ("list"). One list suffices for full names.
        opening, names = re.sub(r"</?ul>\s*", "", body).split("<li>", 1)
        body = f"{opening}<ul>\n<li>{names}</ul>"
    # sphinx.ext.viewcode links back to the module's page even from objects documented under another name.
    known = app.env.get_domain("py").objects
    context["body"] = _BACK.sub(lambda link: link[0] if link["name"] in known else "", body)
