"""A page explains a term where it first uses it, and leads to the glossary."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

from tests.book.conftest import ROOT

PAGE = """\
# TAR in a heading

```{toctree}
glossary
```

`TAR` in code, then TAR@FAR, Scales and scales; TARGET is another word, and [κ](glossary.md) a link.
"""


def test_the_first_use_is_explained(tmp_path):
    extension = f"import sys\nsys.path.append({str(ROOT / 'book' / '_ext')!r})\n"
    settings = "extensions = ['myst_parser', 'glossary']\nmyst_enable_extensions = ['colon_fence']\n"
    (tmp_path / "conf.py").write_text(extension + settings)
    for name in ("glossary.md", "glossary.toml"):
        (tmp_path / name).write_text((ROOT / "book" / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "index.md").write_text(PAGE, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", str(tmp_path), str(tmp_path / "html")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr

    page = (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    explained = re.findall(r'href="(glossary\.html#[^"]+)"><abbr title="([^"]+)">(.*?)</abbr>', page)
    assert [words for _, _, words in explained] == ["TAR", "FAR", "Scales"]
    terms = tomllib.loads((ROOT / "book" / "glossary.toml").read_text(encoding="utf-8"))
    assert explained[0][1] == terms["TAR"]["means"]
    entries = (tmp_path / "html" / "glossary.html").read_text(encoding="utf-8")
    for address, *_ in explained:
        assert f'id="{address.partition("#")[2]}"' in entries
    assert entries.count("<dt ") == len(terms)
