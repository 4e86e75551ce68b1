"""The inputs of the book, and whether they have changed since a page was built."""

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
ROOTS = ("results", "runs")  # later folders take precedence
STUDY = "runs.jsonl"
ENDED = ("done", "collapsed")
RECORD_FILES = ("run.json", "history.csv", "parameters.parquet", "scores.parquet")
# Runs that differ in these settings do not share a page and do not link to each other.
# The settings of a variant. Constants given one by one count as one variant, whatever they are.
VARIANT = ("arch", "trsf", "trsf_per_channel", "scale_init", "activation", "slope_init", "loss")
STUDY_FILES = (STUDY, "history.parquet", "parameters.parquet", "scores/*.parquet")


def package_files() -> Iterator[Path]:
    """Yield the code and data files on which every page and card depends."""
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
        path: path of the record, as expected by `trsfnet.experiments.record.read_record`.
        network: kind of network that was trained; the run's name if the record does not tell.
        content: digest of everything that a card can show of the record.
    """

    path: Path
    network: str
    content: str


def recorded(root: Path) -> dict[tuple[str, str], Recorded]:
    """Return every run record, from studies and from folders, by track and run.

    As in `trsfnet.experiments.record.read_records`, a run that has not ended does not replace one that has.
    """
    found: dict[tuple[str, str], Recorded] = {}
    ended = set()
    for name in ROOTS:
        for index in sorted((root / name).glob(f"*/{STUDY}")):
            for line in index.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError, KeyError, TypeError):  # the page of all runs lists damaged lines
                    info = json.loads(line)
                    run = info["run_id"]
                    # The line identifies the run's tables too, because it contains times and results.
                    found[info["track"], run] = Recorded(
                        index.parent / run, _network(info, run), digest([], line)
                    )
                    if info["status"] in ENDED:
                        ended.add((info["track"], run))
        for file in sorted((root / name).glob("*/*/run.json")):
            run = file.parent
            info = None
            with suppress(ValueError):  # the card states what is wrong
                info = json.loads(file.read_bytes())
            key = (run.parent.name, run.name)
            if isinstance(info, dict) and info.get("status") in ENDED:
                ended.add(key)
            elif key in ended and info is not None:
                continue
            network = _network(info, run.name)
            files = [run / name for name in RECORD_FILES if (run / name).is_file()]
            found[key] = Recorded(run, network, digest(files))
    return found


def _network(info: Any, name: str) -> str:
    try:
        config = info["config"]
        return json.dumps([*(config[field] for field in VARIANT), bool(config.get("fixed_scales"))])
    except (KeyError, TypeError):
        return name


def record_files(root: Path) -> list[Path]:
    """Return all files of run records, on which the pages depend."""
    patterns = [*(f"*/{name}" for name in STUDY_FILES), *(f"*/*/{name}" for name in RECORD_FILES)]
    return sorted(file for name in ROOTS for pattern in patterns for file in (root / name).glob(pattern))


def digest(files: Iterable[Path], *words: str) -> str:
    """Return the SHA-256 digest of the contents and paths of `files`, and of `words`."""
    total = hashlib.sha256("\0".join(words).encode())
    for file in files:
        total.update(f"{file}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def is_current(target: Path, made_from: str) -> bool:
    """Return whether `target` exists and was built from inputs with the digest `made_from`."""
    return target.exists() and _read(_stamp(target)) == made_from


def write(target: Path, text: str, made_from: str) -> None:
    """Write `text` if it differs from the file, and record the digest of its inputs."""
    replace(target, text)
    _stamp(target).write_text(made_from, encoding="utf-8")


def replace(target: Path, text: str) -> None:
    """Write `text` only if it differs from the file, so that Sphinx does not render unchanged pages again."""
    if _read(target) != text:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def remove(target: Path) -> None:
    """Remove a file and the digest of its inputs."""
    target.unlink()
    _stamp(target).unlink(missing_ok=True)


def _stamp(target: Path) -> Path:
    """Return the path of the file with the digest of a page's inputs."""
    return target.with_name(f".{target.name}.digest")


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None
