"""Mends what Sphinx and its extensions get wrong: markup that screen readers stumble over, and dead links.

axe-core names each rule.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_BACK = re.compile(r'<a class="viewcode-back" href="[^"#]*#(?P<name>[^"]*)">.*?</a>')


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the step with Sphinx."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Mend the body of a page."""
    if not context.get("body"):
        return
    # docutils makes a list of citations, which may hold items alone ("aria-required-children").
    body = context["body"].replace(' role="doc-biblioentry"', ' role="listitem"')
    if page == "_modules/index":
        # sphinx.ext.viewcode nests lists directly in lists ("list"). The names are whole: one list will do.
        opening, names = re.sub(r"</?ul>\s*", "", body).split("<li>", 1)
        body = f"{opening}<ul>\n<li>{names}</ul>"
    # sphinx.ext.viewcode takes all of a module for documented under one name, even if parts have another.
    known = app.env.get_domain("py").objects
    context["body"] = _BACK.sub(lambda link: link[0] if link["name"] in known else "", body)
