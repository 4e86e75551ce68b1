"""Links that open the notebooks on Binder and Colab, where the checkout was cloned from GitHub.

Only the checkout knows where the project is published: `{launch}` asks its git for the address of `origin`,
without the network. Of that address it shows the owner and the name, never a user or a token in it.
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

_NOWHERE = "In a clone of a GitHub repository, links that open the notebooks on Binder and Colab stand here."
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
# https://github.com/owner/name.git and git@github.com:owner/name, with or without a user.
_GITHUB = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/\s]*@)?github\.com(?::\d+)?/|(?:[^/:\s]+@)?github\.com:)"
    r"(?P<repository>[\w-]+/[\w.-]+?)(?:\.git)?/?",
    re.ASCII | re.IGNORECASE,
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive with Sphinx."""
    # As a setting, because Sphinx reads the pages again when one changes.
    app.add_config_value("launch_repository", "", "env", [str])
    app.connect("config-inited", find_repository)
    app.add_directive("launch", Launch)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def find_repository(app: Sphinx, config: Config) -> None:
    """Ask the checkout's git where it is from."""
    config["launch_repository"] = repository(origin(app.srcdir))


def origin(folder: Path | str) -> str:
    """The address of `origin` in the checkout that `folder` is in; empty if there is none, or no git."""
    command = ["git", "-C", str(folder), "remote", "get-url", "origin"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def repository(address: str) -> str:
    """`owner/name` of the repository on GitHub at `address`; empty if it is elsewhere."""
    found = _GITHUB.fullmatch(address)
    return found["repository"] if found else ""


def markdown(found: str) -> str:
    """What the directive stands for, by the repository that `repository` found."""
    if not found:
        return _NOWHERE
    rows = [_ROW.format(purpose=p, file=f"{n}.ipynb", repository=found) for n, p in NOTEBOOKS.items()]
    return _LINKS.format(rows="\n".join(rows), repository=found, name=found.rpartition("/")[2])


class Launch(SphinxDirective):
    """The links, or a sentence that says when there are any."""

    def run(self) -> list[nodes.Node]:
        """Make the nodes."""
        self.env.note_dependency(__file__)
        parent = nodes.Element()
        lines = StringList(markdown(self.config.launch_repository).splitlines(), source="launch")
        self.state.nested_parse(lines, self.content_offset, parent)
        return parent.children
