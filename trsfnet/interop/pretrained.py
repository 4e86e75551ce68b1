"""facenet-pytorch's pretrained networks, by name."""

from __future__ import annotations

from pathlib import Path
from urllib.error import URLError

from torch import hub

from trsfnet.errors import DataError
from trsfnet.paths import home_path, variable_path

_RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
PRETRAINED = {
    "vggface2": "20180402-114759-vggface2.pt",
    "casia-webface": "20180408-102900-casia-webface.pt",
}


def pretrained_file(name: str) -> Path:
    """Return the weights file of `vggface2` or `casia-webface`, downloading it if necessary.

    The file is stored where facenet-pytorch stores it.

    Raises:
        ConfigError: if no home folder is known and no variable names another.
        DataError: if it cannot be downloaded.
    """
    home = variable_path("TORCH_HOME")
    if home is None:
        cache = variable_path("XDG_CACHE_HOME") or home_path(".cache", "pretrained networks", "TORCH_HOME")
        home = cache / "torch"
    folder = home / "checkpoints"
    file = folder / PRETRAINED[name]
    if not file.is_file():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            hub.download_url_to_file(_RELEASE + file.name, str(file))
        except (URLError, OSError) as error:
            raise DataError(
                f"{name} cannot be downloaded ({error}): put {_RELEASE}{file.name} into {folder}."
            ) from error
    return file
