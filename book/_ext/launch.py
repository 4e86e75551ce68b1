"""Links that open the notebooks on Binder and Colab, if the checkout was cloned from GitHub.

The address of the published project is known only from the checkout: `{launch}` reads the address of `origin`
from git, without network access. The links contain only its owner and name, never a user name or a token.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

NOTEBOOKS = {"train": "train one network", "explore": "explore runs, and verify two images"}

_NOWHERE = "Links to Binder and Colab appear here if the book is built from a clone of a GitHub repository."
_LINKS = """\
| notebook | no account needed | with a Google account |
|---|---|---|
{rows}

Binder installs everything by itself, which takes long where nobody has opened this version yet. On Colab
nothing is installed, so run this first, in a cell above all others:

```ipython3
!git clone --depth 1 https://github.com/{repository}
%cd {name}
%pip install ".[explore,faces]"
```
"""
_BINDER = "https://mybinder.org/v2/gh/{repository}/HEAD?labpath=notebooks%2F{file}"
_COLAB = "https://colab.research.google.com/github/{repository}/blob/HEAD/notebooks/{file}"
_ROW = f"| {{purpose}} | [{{file}} on Binder]({_BINDER}) | [{{file}} on Colab]({_COLAB}) |"
# Matches https://github.com/owner/name.git and git@github.com:owner/name, with or without a user.
_GITHUB = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/\s]*@)?github\.com(?::\d+)?/|(?:[^/:\s]+@)?github\.com:)"
    r"(?P<repository>[\w-]+/[\w.-]+?)(?:\.git)?/?",
    re.ASCII | re.IGNORECASE,
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive with Sphinx."""
    # Stored as a setting, because Sphinx rereads the pages when a setting changes.
    app.add_config_value("launch_repository", "", "env", [str])
    app.connect("config-inited", find_repository)
    app.add_directive("launch", Launch)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def find_repository(app: Sphinx, config: Config) -> None:
    """Determine the GitHub repository of the checkout from git."""
    config["launch_repository"] = repository(origin(app.srcdir))


def origin(folder: Path | str) -> str:
    """Return the address of `origin` in the checkout around `folder`; empty without `origin` or git."""
    command = ["git", "-C", str(folder), "remote", "get-url", "origin"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def repository(address: str) -> str:
    """Return `owner/name` of the GitHub repository at `address`; empty for other hosts."""
    found = _GITHUB.fullmatch(address)
    return found["repository"] if found else ""


def markdown(found: str) -> str:
    """Return the Markdown that replaces the directive, given the result of `repository`."""
    if not found:
        return _NOWHERE
    rows = [_ROW.format(purpose=p, file=f"{n}.ipynb", repository=found) for n, p in NOTEBOOKS.items()]
    return _LINKS.format(rows="\n".join(rows), repository=found, name=found.rpartition("/")[2])


class Launch(SphinxDirective):
    """Inserts the links, or a sentence that explains when they appear."""

    def run(self) -> list[nodes.Node]:
        """Return the nodes of the links."""
        self.env.note_dependency(__file__)
        parent = nodes.Element()
        lines = StringList(markdown(self.config.launch_repository).splitlines(), source="launch")
        self.state.nested_parse(lines, self.content_offset, parent)
        return parent.children
