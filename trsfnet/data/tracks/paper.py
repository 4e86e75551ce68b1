"""The `paper` track: training on VGGFace2 or MS1MV2, verification on LFW's View 2 (paper, section 4.1).

The data root contains one of the following:

- `vggface2`: the training part, cropped with MTCNN (`trsfnet align`), as a folder of identities or a pack
  (`trsfnet pack`); and `lfw-aligned`, LFW cropped in the same way, as a folder, because the pairs name its
  images, with LFW's `pairs.txt` in `lfw`;
- `ms1mv2`: insightface's `train.rec`, `train.idx` and `property`, or a pack of them, and `lfw.bin`.
"""

from __future__ import annotations

from pathlib import Path

from trsfnet.data.faces import FaceSet, Pairs, TrackData
from trsfnet.data.lazy import LazyImages
from trsfnet.data.source import Source
from trsfnet.data.sources import open_source
from trsfnet.data.verification_bin import VerificationBin
from trsfnet.data.view2 import view2_pairs
from trsfnet.errors import DataError

_TRAIN_HELP = {
    "vggface2": "VGGFace2's training part, aligned by `trsfnet align`",
    "ms1mv2": "insightface's MS1MV2 with train.rec, train.idx, property and lfw.bin",
}


def images_version(*, root: Path | None, train_set: str) -> str:
    """Return the versions of the training set and of LFW."""
    folder = _folder(root, train_set)
    train, (test, _) = _train_source(folder, train_set), _test_source(folder, train_set)
    return f"{train.version}-{test.version}"


def load(
    *, size: int, identities: int, images_per_identity: int, root: Path | None, train_set: str
) -> TrackData:
    """Load the paper's faces, decoded on demand; see `trsfnet.data.tracks.load_track`."""
    folder = _folder(root, train_set)
    train, (test, pairs) = _train_source(folder, train_set), _test_source(folder, train_set)
    return TrackData(_faces(train, size), _faces(test, size), pairs)


def _faces(source: Source, size: int) -> FaceSet:
    return FaceSet(LazyImages(source, size), source.labels, source.identities, source.version)


def _folder(root: Path | None, train_set: str) -> Path:
    if root is None or not (root / train_set).exists():
        raise DataError(
            f"The paper track needs {_TRAIN_HELP[train_set]} in {root or 'DATA_ROOT'}/{train_set}: set "
            "TRSFNET_DATA, or data_root, to a folder that holds it. The set is no longer distributed; the "
            "tracks synthetic and lfw need only public data."
        )
    return root


def _train_source(root: Path, train_set: str) -> Source:
    return open_source(root / train_set, part="train")


def _test_source(root: Path, train_set: str) -> tuple[Source, Pairs]:
    if train_set == "ms1mv2":
        verification = VerificationBin(root / train_set / "lfw.bin")
        return verification, verification.pairs
    path, pairs = root / "lfw-aligned", root / "lfw" / "pairs.txt"
    if not path.exists():
        raise DataError(f"The paper track verifies LFW in {path}: run `trsfnet align {root / 'lfw'} {path}`.")
    source = open_source(path)
    return source, view2_pairs(source, pairs)
