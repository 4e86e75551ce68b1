"""Write any source as a face pack in insightface's layout, readable by MXNet and insightface's own code."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
from tqdm import tqdm

from trsfnet.data.files import new_folder, writing
from trsfnet.data.recordio.container import chunked, packed
from trsfnet.data.recordio.index import MAX_LABEL
from trsfnet.data.source import Source
from trsfnet.errors import DataError


def write_records(source: Source, folder: Path) -> Path:
    """Write `train.rec`, `train.idx` and `property` with all encoded images, grouped by identity.

    Identities are ordered by label, and images of an identity as in `source`. `property` states the size of
    the first image. Existing files of these names are replaced once everything is written.

    Args:
        source: at most 2^24 identities, each with at least one image.
        folder: folder to write to; created if missing.

    Returns:
        The path of `train.rec`.

    Raises:
        DataError: if an identity has no image, there are too many identities, or an image is missing, empty
            or too large; or `folder` is a file or cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file: name a folder to write to.")
    counts = np.bincount(source.labels, minlength=len(source.identities))
    if not counts.all() or not len(counts):
        missing = source.identities[counts.argmin()] if len(counts) else "any"
        raise DataError(f"The identity {missing} has no image: a face pack needs at least one per identity.")
    if len(counts) > MAX_LABEL + 1:
        raise DataError(f"A face pack holds at most {MAX_LABEL + 1} identities, got {len(counts)}.")
    height, width, _ = source.image(0).shape
    with writing(folder), new_folder(folder, ".train-") as aside:
        with (aside / "train.rec").open("wb") as rec, (aside / "train.idx").open("w") as idx:

            def write(key: int, label: float | tuple[float, ...], image: bytes = b"") -> None:
                idx.write(f"{key}\t{rec.tell()}\n")
                rec.write(chunked(packed(key, label, image)))

            order = np.argsort(source.labels, kind="stable")
            progress = tqdm(order, f"writing {folder / 'train.rec'}", unit="image", disable=None)
            for key, index in enumerate(progress, start=1):
                image = source.encoded(int(index))
                if not image:
                    raise DataError(f"{source.name(int(index))} is empty: expected an image.")
                write(key, float(source.labels[index]), image)
            end = len(order) + 1
            write(0, (end, end + len(counts)))
            firsts = np.concatenate([[1], 1 + np.cumsum(counts)]).tolist()
            for key, person in enumerate(pairwise(firsts), start=end):
                write(key, person)
        (aside / "property").write_text(f"{len(counts)},{height},{width}\n")
        # The .rec file comes last: if it exists, the others do too.
        for name in ("property", "train.idx", "train.rec"):
            os.replace(aside / name, folder / name)
    return folder / "train.rec"
