"""Identify a copy of LFW by its content: the published images, or modified ones."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from functools import cache
from pathlib import Path

from trsfnet.data.cache import cache_root
from trsfnet.data.files import new_folder, stamp_of
from trsfnet.data.lfw import LfwImages, present_images
from trsfnet.errors import DataError

# Digests of the complete published sets. The version name of any other set includes its digest, even if it is
# a published set not listed here.
_PUBLISHED = {"deepfunneled": "d0fb2c9fb1d7"}


def content_version(images: LfwImages) -> str:
    """Return the version's name if the images are those published; otherwise, with a digest appended.

    The images are read once; later their sizes and times are enough. If they cannot be read, the name alone
    is returned, and the error is reported when they are loaded.
    """
    try:
        digest = _digest(images, _stamp(images.path))
    except (DataError, OSError):
        return images.version
    return images.version if digest == _PUBLISHED.get(images.version) else f"{images.version}-{digest}"


def _stamp(path: Path) -> str:
    """Return a value that changes when an image does, from sizes and times of the archive or images."""
    if path.is_file():
        return stamp_of(path.stat())
    digest = hashlib.sha256()
    for person in sorted(os.scandir(path), key=lambda entry: entry.name):
        if person.is_dir():
            for image in sorted(os.scandir(person), key=lambda entry: entry.name):
                digest.update(os.fsencode(f"{person.name}/{image.name} {stamp_of(image.stat())}\n"))
    return digest.hexdigest()


@cache
def _digest(images: LfwImages, stamp: str) -> str:
    """Return a digest of names and content of all of LFW's images that are present: 12 hexadecimal digits."""
    key = hashlib.sha256(os.fsencode(f"{images.path.resolve()} {stamp}")).hexdigest()[:16]
    noted = cache_root() / f"lfw-content-{key}.json"
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
        return str(json.loads(noted.read_text(encoding="utf-8"))["digest"])
    content = hashlib.sha256()
    for name, encoded in present_images(images):
        content.update(f"{name}\0".encode())
        content.update(hashlib.sha256(encoded).digest())
    digest = content.hexdigest()[:12]
    # A cache that cannot be written costs only time.
    with contextlib.suppress(OSError), new_folder(noted.parent, ".lfw-") as aside:
        (aside / "content.json").write_text(json.dumps({"digest": digest}), encoding="utf-8")
        os.replace(aside / "content.json", noted)
    return digest
