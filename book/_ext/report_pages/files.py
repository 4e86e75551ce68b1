"""What the book is made from, and whether it has changed since a page was made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from sphinx.errors import ExtensionError

GENERATED = Path("book", "generated")
RECORD_FILES = ("run.json", "history.csv", "parameters.parquet", "scores.parquet")


def package_files() -> Iterator[Path]:
    """The code and the data that every page and card depends on."""
    spec = find_spec("trsfnet")
    if spec is None or spec.origin is None:
        raise ExtensionError("trsfnet is not installed here; install it by: pip install -e '.[book]'")
    for folder in (Path(spec.origin).parent, Path(__file__).parent):
        for pattern in ("*.py", "*.json"):
            yield from sorted(folder.rglob(pattern))


def record_folders(root: Path) -> dict[tuple[str, str], Path]:
    """The folder of each run record by track and run; of equal runs the reader's own."""
    found = {}
    for name in ("results", "runs"):
        for file in sorted((root / name).glob("*/*/run.json")):
            found[file.parent.parent.name, file.parent.name] = file.parent
    return found


def record_files(folder: Path) -> list[Path]:
    """The files of a record on which a page can depend."""
    return [folder / name for name in RECORD_FILES if (folder / name).is_file()]


def digest(files: Iterable[Path], *words: str) -> str:
    """One digest of the contents and places of `files`, and of `words`."""
    total = hashlib.sha256("\0".join(words).encode())
    for file in files:
        total.update(f"{file}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def is_current(target: Path, made_from: str) -> bool:
    """Whether `target` exists and was made from what has the digest `made_from`."""
    return target.exists() and _read(_stamp(target)) == made_from


def write(target: Path, text: str, made_from: str) -> None:
    """Write `text` if it is new, and what it was made from."""
    replace(target, text)
    _stamp(target).write_text(made_from, encoding="utf-8")


def replace(target: Path, text: str) -> None:
    """Write `text` if it is new, so that Sphinx renders no page again that came out the same."""
    if _read(target) != text:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def remove(target: Path) -> None:
    """Remove what was made of something that is gone."""
    target.unlink()
    _stamp(target).unlink(missing_ok=True)


def _stamp(target: Path) -> Path:
    """Where the digest of what a page was made from is kept."""
    return target.with_name(f".{target.name}.digest")


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None
