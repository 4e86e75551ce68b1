"""The index of a folder of identities: scanned once, kept on disk, checked cheaply at the next start.

A start looks only at the time stamps of the identities' folders: 8,631 of them for VGGFace2's 3.1 million
images.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from trsfnet.data.cache import cache_root
from trsfnet.data.files import new_folder
from trsfnet.errors import DataError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""By which a file is known to be an image."""

_UNUSABLE_NAME = re.compile("[\x00-\x1f\ud800-\udfff]")  # control characters; bytes that are not UTF-8

# What changes within a tick of the file system's clock may keep its time stamp; the coarsest tick is 2 s.
_TICK_NS = 2_000_000_000


@dataclass(frozen=True)
class Index:
    """What a scan finds.

    Attributes:
        files: string [N], names of the images, identity after identity; one buffer, which forks share.
        counts: how many images each identity has, both sorted.
        ignored: how many hidden entries, nested folders and files of other kinds were passed over.
        problems: what is wrong with each image and identity left out, by `identity/file` or `identity`, in
            sentences without a full stop.
        version: a hash of the names and sizes of the images.
    """

    files: pa.Array
    counts: dict[str, int]
    ignored: int
    problems: dict[str, str]
    version: str


def index_of(root: Path, *, skip: bool) -> Index:
    """The index of `root`, from disk if no folder has changed since it was made.

    Args:
        root: the folder of identities.
        skip: whether an index that lists problems will do; otherwise they are looked for again, as mending a
            file in place leaves no trace in its folder.

    Raises:
        DataError: `root` cannot be read.
    """
    folders, others = _folders(root)
    digest = hashlib.sha256(b"2 " + os.fsencode(root.resolve())).hexdigest()[:16]
    stored = cache_root() / f"folder-{digest}.parquet"
    index = _load(stored, folders)
    if index is None or (index.problems and not skip):
        scanned = time.time_ns()
        index = _scan(root, list(folders))
        _store(stored, index, folders, scanned)
    return replace(index, ignored=index.ignored + others)


def _folders(root: Path) -> tuple[dict[str, int], int]:
    """Time stamp of each identity's folder, by name in order, and how many other entries there are."""
    found, others = {}, 0
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                # Unlike entry.is_dir(), this does not stumble over a link to itself.
                if not entry.name.startswith(".") and os.path.isdir(entry.path):
                    found[entry.name] = entry.stat().st_mtime_ns
                else:
                    others += 1
    except OSError as error:
        raise DataError(f"Cannot read {root}: {error.strerror}.") from error
    return dict(sorted(found.items())), others


def _load(path: Path, folders: dict[str, int]) -> Index | None:
    """The index at `path`, if there is one and it is of `folders` as they are now."""
    try:
        table = pq.read_table(path)
        facts = json.loads(table.schema.metadata[b"facts"])
        if facts["folders"] != folders or max(folders.values(), default=0) > facts["scanned"] - _TICK_NS:
            return None
        return Index(table["file"].combine_chunks(), **facts["found"])
    except (OSError, pa.ArrowException, LookupError, TypeError, ValueError):
        return None  # none yet, or none that this version understands


def _store(path: Path, index: Index, folders: dict[str, int], scanned: int) -> None:
    """Write aside, then rename: a file that exists is complete, whoever else writes it meanwhile."""
    found = {"counts": index.counts, "ignored": index.ignored, "problems": index.problems}
    facts = {"folders": folders, "scanned": scanned, "found": {**found, "version": index.version}}
    table = pa.table({"file": index.files}).replace_schema_metadata({"facts": json.dumps(facts)})
    # A cache that cannot be written costs time, nothing else.
    with contextlib.suppress(OSError), new_folder(path.parent, ".index-") as aside:
        pq.write_table(table, aside / "index.parquet")
        os.replace(aside / "index.parquet", path)


def _scan(root: Path, identities: list[str]) -> Index:
    real_root = os.path.realpath(root)
    ignored = 0
    digest = hashlib.sha256()
    files: list[str] = []
    counts: dict[str, int] = {}
    problems: dict[str, str] = {}
    # Threads, so that they wait for a network's disk together.
    with ThreadPoolExecutor(16) as pool:
        scans = pool.map(lambda identity: _scan_identity(root / identity, real_root), identities)
        progress = tqdm(scans, f"scanning {root}", total=len(identities), unit="identity", disable=None)
        for identity, scan in zip(identities, progress, strict=True):
            ignored += scan.ignored
            problems |= scan.problems
            if scan.images:
                counts[identity] = len(scan.images)
                files += scan.images
                listing = "".join(f"{size}/{file}\n" for file, size in scan.images.items())
                digest.update(f"{identity}\n{listing}".encode())
    version = f"folder-{digest.hexdigest()[:16]}"
    return Index(pa.array(files, pa.string()), counts, ignored, problems, version)


@dataclass
class _IdentityScan:
    images: dict[str, int] = field(default_factory=dict)
    ignored: int = 0
    problems: dict[str, str] = field(default_factory=dict)


def _scan_identity(folder: Path, real_root: str) -> _IdentityScan:
    """Names and sizes of an identity's images, in order, and what is wrong with the others."""
    scan = _IdentityScan()
    problem = _wrong(str(folder), folder.name, folder.is_symlink(), real_root)
    if problem:
        return _IdentityScan(problems={folder.name: problem})
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                image = os.path.splitext(entry.name)[1].lower() in SUFFIXES
                if not image or entry.name.startswith("."):
                    scan.ignored += 1
                elif problem := _wrong(entry.path, entry.name, entry.is_symlink(), real_root):
                    scan.problems[f"{folder.name}/{entry.name}"] = problem
                elif entry.is_dir():
                    scan.ignored += 1
                elif size := entry.stat().st_size:
                    scan.images[entry.name] = size
                else:
                    problem = f"{entry.path} is empty: expected an image"
                    scan.problems[f"{folder.name}/{entry.name}"] = problem
    except OSError as error:
        scan.problems[folder.name] = f"Cannot read {folder}: {error.strerror}"
    if not scan.images:
        scan.problems.setdefault(folder.name, f"Identity {folder.name} has no images in {folder}")
    scan.images = dict(sorted(scan.images.items()))
    return scan


def _wrong(path: str, name: str, is_link: bool, real_root: str) -> str | None:
    """What forbids using `path` at all."""
    if _UNUSABLE_NAME.search(name):
        return f"The name of {path!r} has a line break, another control character or is not UTF-8"
    if is_link:
        target = os.path.realpath(path)
        if not os.path.exists(target):
            return f"{path} is a link to nothing"
        if os.path.commonpath([target, real_root]) != real_root:
            return f"{path} is a link out of the folder, to {target!r}"
    return None
