"""Write any source as a pack."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from trsfnet.data.crops import central_crop, check_size
from trsfnet.data.decode import decode
from trsfnet.data.files import writing
from trsfnet.data.folder import left_out
from trsfnet.data.locking import LOCK, locked_folder
from trsfnet.data.pack.source import FORMAT, PackSource, read_meta
from trsfnet.data.source import Source
from trsfnet.errors import ConfigError, DataError

_ORIENTATION = 0x0112  # EXIF tag
_JOURNAL, _SETTINGS = "journal.txt", "settings.json"
_BLOCK = 512


def write_pack(
    source: Source,
    target: Path,
    *,
    size: int,
    crop: int | None = None,
    quality: int = 95,
    skip_corrupt: bool = False,
) -> PackSource:
    """Write every image of `source` as a JPEG of `size` pixels; JPEGs of that size are copied byte for byte.

    The pack is built in a hidden folder next to `target` and renamed once it is complete. If the process is
    killed at any time, the same call resumes; if the pack is already complete, it is returned.

    Args:
        source: face crops, or photographs with the face near the centre.
        target: the pack's folder, which must be empty or not exist, or a link to such a folder.
        size: side of the packed images in pixels.
        crop: side in pixels of the central square that is cut out of each image and resized; by default the
            shorter side of the image.
        quality: JPEG quality, 1 to 100.
        skip_corrupt: leave out images that cannot be decoded and list them in `pack.json`, instead of raising
            an error.

    Returns:
        The pack, opened as a source.

    Raises:
        ConfigError: if a setting is out of range.
        DataError: if an image is missing or cannot be decoded, or `target` holds something else or cannot be
            written.
    """
    check_size(size)
    if crop is not None and crop < 1:
        raise ConfigError(f"crop must be 1 pixel or more, got {crop}.")
    if not 1 <= quality <= 100:
        raise ConfigError(f"quality must be from 1 to 100, got {quality}.")
    settings = {"format": FORMAT, "size": size, "crop": crop, "quality": quality}
    settings |= {"source": type(source).__name__, "source_version": source.version}
    with writing(target):
        # Resolve links: a folder can replace the target of a link, but not the link itself.
        target = Path(os.path.realpath(target))
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            _check_same(target, settings)
            _check_unchanged(target, source, settings)
            with suppress(OSError):  # left by a call that was killed; a pack may be read-only
                _remove_notes(target)
            return PackSource(target)
        _check_replaceable(target)
        aside = target.with_name(f".{target.name}.partial")
        with locked_folder(aside):
            _write_images(aside, source, settings, skip_corrupt)
            _finish(aside, source, settings)
            os.replace(aside, target)
            # Remove these only now: without them, a pack that could not be renamed would have to be made
            # again.
            _remove_notes(target)
    return PackSource(target)


def _remove_notes(target: Path) -> None:
    """Remove the files that only an unfinished pack needs."""
    for name in (_SETTINGS, _JOURNAL, LOCK):
        (target / name).unlink(missing_ok=True)


def _check_replaceable(target: Path) -> None:
    """Raise `DataError` if a finished pack could not replace `target`, or would be invisible there."""
    if target.is_symlink():
        raise DataError(f"{target} is a link to itself: choose another target.")
    if target.exists() and (target.is_mount() or target.samefile(os.curdir)):
        what = "where a disk is mounted" if target.is_mount() else "the current folder"
        raise DataError(f"{target} is {what}, which a pack cannot replace: name a folder in it.")


def _check_same(target: Path, settings: dict[str, Any]) -> None:
    """Raise `DataError` unless `target` is the pack that `settings` would produce."""
    found = read_meta(target) if (target / "pack.json").is_file() else {}
    differing = [name for name, value in settings.items() if found.get(name) != value]
    if differing:
        raise DataError(
            f"{target} exists already and is not the same pack (its {differing[0]} is "
            f"{found.get(differing[0])!r}, not {settings[differing[0]]!r}): choose another target."
        )


def _check_unchanged(target: Path, source: Source, settings: dict[str, Any]) -> None:
    """Raise `DataError` if an image was replaced after packing by another of the same size in bytes."""
    pack = PackSource(target)
    for index in _changed_since(target / "pack.json", source):
        # If images were left out, the pack's numbers are not those of the source.
        if len(pack) != len(source) or _jpeg(source, settings, False, index) != pack.encoded(index):
            raise DataError(
                f"{source.name(index)} has changed since {target} was made: remove that pack, or choose "
                "another target."
            )


def _changed_since(file: Path, source: Source) -> Iterator[int]:
    """Yield the images whose files were changed after `file`; a source's version covers only sizes."""
    made = file.stat().st_mtime_ns
    for index in range(len(source)):
        image = source.file(index)
        with suppress(OSError):
            # A file that was copied or moved here may keep an old modification time.
            if image is not None and max((state := image.stat()).st_mtime_ns, state.st_ctime_ns) > made:
                yield index


def _write_images(aside: Path, source: Source, settings: dict[str, Any], skip_corrupt: bool) -> None:
    """Write `images.bin` and the journal, with one line per image: its length or why it was left out."""
    done = _resume(aside, source, settings)
    make = partial(_jpeg, source, settings, skip_corrupt)
    progress = tqdm(total=len(source), initial=done, desc="packing", unit="image", disable=None)
    with (
        progress,
        (aside / "images.bin").open("ab") as images,
        (aside / _JOURNAL).open("a", encoding="utf-8") as journal,
        ThreadPoolExecutor(os.cpu_count()) as threads,
    ):
        for start in range(done, len(source), _BLOCK):
            block = list(threads.map(make, range(start, min(start + _BLOCK, len(source)))))
            images.writelines(made for made in block if isinstance(made, bytes))
            images.flush()
            journal.writelines(f"{json.dumps(_entry(made))}\n" for made in block)
            journal.flush()
            progress.update(len(block))


def _entry(made: bytes | str) -> int | str:
    return len(made) if isinstance(made, bytes) else made


def _resume(aside: Path, source: Source, settings: dict[str, Any]) -> int:
    """Make the files of an interrupted call consistent and return the number of images already processed.

    Files made with different settings, or from images that have changed since, are deleted.
    """
    noted = aside / _SETTINGS
    images, journal = aside / "images.bin", aside / _JOURNAL
    same = noted.exists() and noted.read_text(encoding="utf-8") == json.dumps(settings)
    if not same or any(True for _ in _changed_since(noted, source)):
        for path in (journal, images):
            path.unlink(missing_ok=True)
        noted.write_text(json.dumps(settings), encoding="utf-8")
    images.touch()
    journal.touch()
    size = images.stat().st_size
    kept, end = [], 0
    for line in journal.read_text(encoding="utf-8").splitlines(keepends=True):
        entry = json.loads(line) if line.endswith("\n") else None
        following = end + entry if isinstance(entry, int) else end
        if entry is None or following > size:
            break
        kept.append(line)
        end = following
    os.truncate(images, end)
    # Truncate rather than rewrite: on a full disk, rewriting would lose the journal.
    os.truncate(journal, sum(len(line.encode()) for line in kept))
    return len(kept)


def _jpeg(source: Source, settings: dict[str, Any], skip_corrupt: bool, index: int) -> bytes | str:
    """Return the JPEG of one image, or the reason why there is none."""
    try:
        encoded = source.encoded(index)
        pixels = decode(encoded, source.name(index))
    except DataError as error:
        if skip_corrupt:
            return str(error)
        raise
    size, crop = settings["size"], settings["crop"]
    if crop in (None, size) and pixels.shape == (size, size, 3) and _is_plain_jpeg(encoded):
        return encoded
    file = io.BytesIO()
    Image.fromarray(central_crop(pixels, size, crop)).save(file, "JPEG", quality=settings["quality"])
    return file.getvalue()


def _is_plain_jpeg(encoded: bytes) -> bool:
    """Return whether every reader sees the same image: a JPEG with three colour channels and no rotation."""
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            turned = image.getexif().get(_ORIENTATION, 1) != 1
            return image.format == "JPEG" and image.mode == "RGB" and not turned
    except Exception:  # metadata damaged in any of many ways; `decode` removes them, other readers do not
        return False


def _finish(aside: Path, source: Source, settings: dict[str, Any]) -> None:
    """Create the other files of the pack from the journal."""
    entries = [json.loads(line) for line in (aside / _JOURNAL).read_text(encoding="utf-8").splitlines()]
    kept = [index for index, entry in enumerate(entries) if isinstance(entry, int)]
    if not kept:
        raise DataError(f"There is no image to pack: {entries[0] if entries else 'the source is empty'}")
    lengths = np.array([entries[index] for index in kept], dtype=np.int64)
    np.save(aside / "offsets.npy", np.concatenate([[0], lengths.cumsum()]))
    np.save(aside / "labels.npy", source.labels[kept].astype(np.int64))
    meta = {
        **settings,
        "images": len(kept),
        "identities": source.identities,
        "skipped": [
            *left_out(source).values(),
            *(source.skipped if isinstance(source, PackSource) else ()),
            *(entry for entry in entries if isinstance(entry, str)),
        ],
        "sha256": _digests(aside / name for name in ("images.bin", "labels.npy", "offsets.npy")),
    }
    (aside / "pack.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")


def _digests(paths: Iterable[Path]) -> dict[str, str]:
    digests = {}
    for path in paths:
        with path.open("rb") as file:
            digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests
