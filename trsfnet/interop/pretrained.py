"""facenet-pytorch's pretrained networks, by name."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.error import URLError

from trsfnet.errors import DataError

_RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
PRETRAINED = {
    "vggface2": "20180402-114759-vggface2.pt",
    "casia-webface": "20180408-102900-casia-webface.pt",
}


def pretrained_file(name: str) -> Path:
    """The file of `vggface2` or `casia-webface`, where facenet-pytorch keeps it; downloaded if need be.

    Raises:
        DataError: it cannot be downloaded.
    """
    from torch.hub import download_url_to_file

    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    folder = Path(os.environ.get("TORCH_HOME", f"{cache}/torch")).expanduser() / "checkpoints"
    file = folder / PRETRAINED[name]
    if not file.is_file():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            download_url_to_file(_RELEASE + file.name, str(file))
        except (URLError, OSError) as error:
            raise DataError(
                f"{name} cannot be downloaded ({error}): put {_RELEASE}{file.name} into {folder}."
            ) from error
    return file
