"""Index of a folder of identities: scanned once, cached on disk, and checked cheaply at the next start.

At the start, the time stamps of the identities' folders are checked, and those of the images unless there are
too many: VGGFace2 has 8,631 folders and 3.1 million images.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from trsfnet.data.arrow import arrow_file
from trsfnet.data.cache import cache_root
from trsfnet.data.decode import suffixes
from trsfnet.data.files import native, new_folder, portable, utf8
from trsfnet.errors import DataError

LOOSE = "images outside the folders of identities"
"""Kind of passed-over images that are in no identity's folder."""

# Files expected next to the identities: metadata written by `trsfnet align` or published with VGGFace2.
_KNOWN_FILES = frozenset(
    {"report.csv", "align.json", ".lock", ".images.csv", "identity_meta.csv", "pairs.txt", "people.txt"}
)

_UNUSABLE_NAME = re.compile("[\x00-\x1f\ud800-\udfff]")  # control characters; bytes that are not UTF-8

# In folders of up to this many images, the size and time of each are checked at the start; in larger folders,
# that would take too long.
_CHECKED = 200_000

# A change within one tick of the file system's clock may leave the time stamp unchanged; the coarsest tick is
# 2 s.
_TICK_NS = 2_000_000_000


@dataclass(frozen=True)
class Index:
    """Result of a scan.

    Attributes:
        files: string [N], names of the images, grouped by identity; stored in one buffer that forks share.
        counts: number of images of each identity; identities and their images are sorted.
        stamps: int64 [N, 2], size in bytes and modification time (ns) of each image.
        passed_over: number of entries of each kind that were passed over, see `Source`.
        problems: why each excluded image or identity was left out, by `identity/file` or `identity`, as
            sentences without a full stop.
        version: hash of the names and sizes of the images.
    """

    files: pa.Array
    counts: dict[str, int]
    stamps: np.ndarray
    passed_over: dict[str, int]
    problems: dict[str, str]
    version: str


def index_of(root: Path) -> Index:
    """Return the index of `root`, from the cache if nothing has changed since it was made.

    Changing an image in place leaves no trace in its folder. It is noticed in folders of up to `_CHECKED`
    images, and in those that had problems before.

    Args:
        root: the folder of identities.

    Raises:
        DataError: if `root` cannot be read.
    """
    folders, others = _folders(root)
    digest = hashlib.sha256(b"3 " + os.fsencode(root.resolve())).hexdigest()[:16]
    stored = cache_root() / f"folder-{digest}.parquet"
    index = _load(stored, folders)
    if index is None or index.problems or not _as_they_were(root, index):
        scanned = time.time_ns()
        index = _scan(root, list(folders))
        _store(stored, index, folders, scanned)
    return replace(index, passed_over=dict(others + Counter(index.passed_over)))


def _as_they_were(root: Path, index: Index) -> bool:
    """Return whether no image has changed in place; not checked in folders of more than `_CHECKED` images."""
    if len(index.files) > _CHECKED:
        return True
    folders = np.repeat(list(index.counts), list(index.counts.values()))
    try:
        for folder, file, stamp in zip(folders, index.files.to_pylist(), index.stamps.tolist(), strict=True):
            state = os.stat(root / native(f"{folder}/{file}"))
            if [state.st_size, state.st_mtime_ns] != stamp:
                return False
    except OSError:
        return False
    return True


def _folders(root: Path) -> tuple[dict[str, int], Counter[str]]:
    """Return the time stamp of each identity's folder, sorted by name, and counts of other entries."""
    found: dict[str, int] = {}
    others: Counter[str] = Counter()
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                # Unlike entry.is_dir(), isdir does not fail on a link to itself.
                if not entry.name.startswith(".") and os.path.isdir(entry.path):
                    found[portable(entry.name)] = entry.stat().st_mtime_ns
                elif entry.name not in _KNOWN_FILES:
                    others[kind_of(entry.name)] += 1
    except OSError as error:
        raise DataError(f"Cannot read {root}: {error.strerror}.") from error
    return dict(sorted(found.items())), others


def _load(path: Path, folders: dict[str, int]) -> Index | None:
    """Return the index at `path` if it exists and matches the current `folders`."""
    try:
        table = pq.read_table(arrow_file(path))
        facts = json.loads(table.schema.metadata[b"facts"])
        if facts["folders"] != folders or max(folders.values(), default=0) > facts["scanned"] - _TICK_NS:
            return None
        stamps = np.stack([table["size"].to_numpy(), table["changed"].to_numpy()], axis=1)
        return Index(table["file"].combine_chunks(), stamps=stamps, **facts["found"])
    except (OSError, pa.ArrowException, LookupError, TypeError, ValueError):
        return None  # no index yet, or not one that this version can read


def _store(path: Path, index: Index, folders: dict[str, int], scanned: int) -> None:
    """Write to a temporary file, then rename it: an existing file is complete even with several writers."""
    found = {"counts": index.counts, "passed_over": index.passed_over, "problems": index.problems}
    facts = {"folders": folders, "scanned": scanned, "found": {**found, "version": index.version}}
    size, changed = np.ascontiguousarray(index.stamps.T)
    table = pa.table({"file": index.files, "size": size, "changed": changed}).replace_schema_metadata(
        {"facts": json.dumps(facts)}
    )
    # A cache that cannot be written costs only time.
    with contextlib.suppress(OSError), new_folder(path.parent, ".index-") as aside:
        with arrow_file(aside / "index.parquet", "wb") as file:
            pq.write_table(table, file)
        os.replace(aside / "index.parquet", path)


def _scan(root: Path, identities: list[str]) -> Index:
    real_root = os.path.realpath(root)
    passed_over: Counter[str] = Counter()
    digest = hashlib.sha256()
    files: list[str] = []
    stamps: list[tuple[int, int]] = []
    counts: dict[str, int] = {}
    problems: dict[str, str] = {}
    # Threads let requests to a network file system overlap.
    with ThreadPoolExecutor(16) as pool:
        scans = pool.map(lambda identity: _scan_identity(root / native(identity), real_root), identities)
        progress = tqdm(scans, f"scanning {root}", total=len(identities), unit="identity", disable=None)
        for identity, scan in zip(identities, progress, strict=True):
            passed_over += scan.passed_over
            problems |= scan.problems
            if scan.images:
                counts[identity] = len(scan.images)
                files += scan.images
                stamps += scan.images.values()
                listing = "".join(f"{size}/{file}\n" for file, (size, _) in scan.images.items())
                digest.update(f"{identity}\n{listing}".encode())
    version = f"folder-{digest.hexdigest()[:16]}"
    array = np.array(stamps, dtype=np.int64).reshape(-1, 2)
    return Index(pa.array(files, pa.string()), counts, array, dict(passed_over), problems, version)


@dataclass
class _IdentityScan:
    images: dict[str, tuple[int, int]] = field(default_factory=dict)
    passed_over: Counter[str] = field(default_factory=Counter)
    problems: dict[str, str] = field(default_factory=dict)


def _scan_identity(folder: Path, real_root: str) -> _IdentityScan:
    """Return sizes and times of an identity's images by sorted name, and problems of those left out."""
    scan, identity = _IdentityScan(), portable(folder.name)
    problem = _wrong(str(folder), identity, folder.is_symlink(), real_root)
    if problem:
        return _IdentityScan(problems={identity: problem})
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = portable(entry.name)
                if name.startswith(".") or not is_picture(name):
                    scan.passed_over[kind_of(name, is_folder=os.path.isdir(entry.path))] += 1
                elif problem := _wrong(entry.path, name, entry.is_symlink(), real_root):
                    scan.problems[f"{identity}/{name}"] = problem
                elif entry.is_dir():
                    scan.passed_over[kind_of(name, is_folder=True)] += 1
                elif (state := entry.stat()).st_size:
                    scan.images[name] = state.st_size, state.st_mtime_ns
                else:
                    problem = f"{entry.path} is empty: expected an image"
                    scan.problems[f"{identity}/{name}"] = problem
    except OSError as error:
        scan.problems[identity] = f"Cannot read {folder}: {error.strerror}"
    if not scan.images:
        instead = f", only {counts_by_kind(scan.passed_over)}" if scan.passed_over else ""
        scan.problems.setdefault(identity, f"Identity {identity} has no images in {folder}{instead}")
    scan.images = dict(sorted(scan.images.items()))
    return scan


def is_picture(name: str) -> bool:
    """Return whether a file name has the suffix of an image."""
    return os.path.splitext(name)[1].lower() in suffixes()


def counts_by_kind(passed_over: Mapping[str, int]) -> str:
    """Format the number of passed-over files of each kind, such as `.heic files (3), .txt files (1)`."""
    return ", ".join(f"{utf8(kind)} ({count:,})" for kind, count in sorted(passed_over.items()))


def kind_of(name: str, *, is_folder: bool = False) -> str:
    """Return the kind of a passed-over entry of a folder, in words."""
    suffix = os.path.splitext(name)[1].lower()
    if name.startswith("."):
        return "hidden files"
    if is_folder:
        return "folders within those of identities"
    if suffix in suffixes():
        return LOOSE
    return f"{suffix} files" if suffix and not _UNUSABLE_NAME.search(suffix) else "files without a suffix"


def _wrong(path: str, name: str, is_link: bool, real_root: str) -> str | None:
    """Return why `path` cannot be used at all; None if it can."""
    if _UNUSABLE_NAME.search(name):
        return f"The name of {path!r} has a line break, another control character or is not UTF-8"
    return wrong_link(path, real_root) if is_link else None


def wrong_link(path: str, real_root: str) -> str | None:
    """Return why the link at `path` is rejected (it is broken or leads out of `real_root`), or None."""
    target = os.path.realpath(path)
    if not os.path.exists(target):
        return f"{path} is a link to nothing"
    if os.path.commonpath([target, real_root]) != real_root:
        return f"{path} is a link out of the folder, to {target!r}"
    return None
