"""Hashes of the code behind a run, recorded as provenance; `RESULTS_VERSION` decides what is stale."""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]

# The modules that produce a run's numbers: the training loop and the track's data, with all their imports.
_LOOP = "trsfnet.training.loop"
_TRACKS = "trsfnet.data.tracks"


@cache
def source_files(track: str) -> dict[str, str]:
    """Return the files that determine a run's numbers on `track`, each with a hash of its code.

    They are all files that the training loop and the track's module import, directly or indirectly, except
    the modules of other tracks. Comments, docstrings and blank lines do not affect the hashes.
    """
    found: dict[str, str] = {}
    waiting = [_LOOP, f"{_TRACKS}.{track}"]
    while waiting:
        module = waiting.pop()
        other_track = module.startswith(f"{_TRACKS}.") and module != f"{_TRACKS}.{track}"
        file = _file_of(module)
        if file is None or other_track or file.relative_to(PACKAGE).as_posix() in found:
            continue
        source = file.read_text(encoding="utf-8")
        code = without_prose(source).encode()
        found[file.relative_to(PACKAGE).as_posix()] = hashlib.sha256(code).hexdigest()[:12]
        waiting += _imports(source)
    return dict(sorted(found.items()))


def source_hash(track: str) -> str:
    """Return a single hash of `source_files`."""
    return hashlib.sha256(repr(source_files(track)).encode()).hexdigest()[:16]


def _file_of(module: str) -> Path | None:
    """Return the file of a module of this package; None if `module` is a name defined within a module."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


def _imports(source: str) -> Iterator[str]:
    """Yield the modules of this package that `source` imports, also in functions, and the imported names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("trsfnet"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trsfnet"):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def without_prose(source: str) -> str:
    """Return Python source without comments, docstrings and blank lines, which do not affect results."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            end = node.end_lineno or node.lineno
            lines[node.lineno - 1 : end] = [""] * (end - node.lineno + 1)
    return "\n".join(line.rstrip() for line in lines if line.strip())
