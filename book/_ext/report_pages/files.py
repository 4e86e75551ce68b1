"""What the book is made from, and whether it has changed since a page was made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.errors import ExtensionError

GENERATED = Path("book", "generated")
ROOTS = ("results", "runs")  # of equal runs the reader's own count
STUDY = "runs.jsonl"
RECORD_FILES = ("run.json", "history.csv", "parameters.parquet", "scores.parquet")
# Runs that differ here share no page and do not link to each other.
NETWORK = ("arch", "trsf", "trsf_per_channel", "activation")
STUDY_FILES = (STUDY, "history.parquet", "parameters.parquet", "scores/*.parquet")


def package_files() -> Iterator[Path]:
    """The code and the data that every page and card depends on."""
    spec = find_spec("trsfnet")
    if spec is None or spec.origin is None:
        raise ExtensionError("trsfnet is not installed here; install it by: pip install -e '.[book]'")
    for folder in (Path(spec.origin).parent, Path(__file__).parent):
        for pattern in ("*.py", "*.json", "*.jinja"):
            yield from sorted(folder.rglob(pattern))


@dataclass(frozen=True)
class Recorded:
    """A run record.

    Attributes:
        path: as `trsfnet.experiments.record.read_record` takes it.
        network: what kind of network it trained; of a record that does not say, its own name.
        content: digest of all that a card can show of it.
    """

    path: Path
    network: str
    content: str


def recorded(root: Path) -> dict[tuple[str, str], Recorded]:
    """Every run record by track and run, of studies and of folders."""
    found = {}
    for name in ROOTS:
        for index in sorted((root / name).glob(f"*/{STUDY}")):
            for line in index.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError, KeyError, TypeError):  # the page of all runs names damaged lines
                    info = json.loads(line)
                    run = info["run_id"]
                    # Its tables are those of the same run: a line has times and numbers.
                    found[info["track"], run] = Recorded(
                        index.parent / run, _network(info, run), digest([], line)
                    )
        for file in sorted((root / name).glob("*/*/run.json")):
            run = file.parent
            info = None
            with suppress(ValueError):  # its card says what is wrong
                info = json.loads(file.read_bytes())
            network = _network(info, run.name)
            files = [run / name for name in RECORD_FILES if (run / name).is_file()]
            found[run.parent.name, run.name] = Recorded(run, network, digest(files))
    return found


def _network(info: Any, name: str) -> str:
    try:
        return json.dumps([info["config"][field] for field in NETWORK])
    except (KeyError, TypeError):
        return name


def record_files(root: Path) -> list[Path]:
    """All files of records, on which pages depend."""
    patterns = [*(f"*/{name}" for name in STUDY_FILES), *(f"*/*/{name}" for name in RECORD_FILES)]
    return sorted(file for name in ROOTS for pattern in patterns for file in (root / name).glob(pattern))


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
