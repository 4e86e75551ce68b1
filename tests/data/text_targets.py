"""Every reader of text files as a target for damaged ones: protocols, lists, tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.data.targets import SPLIT, Target, held
from tests.data.test_folder import META
from tests.data.test_ijb import files
from trsfnet.data.folder import read_identity_meta
from trsfnet.data.ijb_meta import read_pairs as read_template_pairs
from trsfnet.data.ijb_meta import read_searches, read_templates
from trsfnet.data.image_list import read_list
from trsfnet.data.lfw_files import read_pairs, read_people

IJB_FILES = tuple(files())


def ijb_files() -> list[bytes]:
    return [SPLIT.join(text.encode() for text in files().values())]


def read_ijb(content: bytes, folder: Path) -> None:
    parts = [*content.split(SPLIT), *[b""] * len(IJB_FILES)]
    (folder / "meta").mkdir(exist_ok=True)
    for name, part in zip(IJB_FILES, parts, strict=False):
        (folder / name).write_bytes(part)
    templates = read_templates(folder, "ijbb")
    count, images = len(templates.ids), len(templates.names)
    assert len(set(templates.names)) == images == len(templates.rows) == len(templates.media)
    assert templates.landmarks.shape == (images, 5, 2)
    assert np.isfinite(templates.landmarks).all()
    assert 0 <= templates.rows.min() <= templates.rows.max() == count - 1
    pairs = read_template_pairs(folder, "ijbb", templates)
    for side in (pairs.left, pairs.right):
        assert side.size == 0 or 0 <= side.min() <= side.max() < count
    searches = read_searches(folder, "ijbb", templates)
    for people in (*searches.galleries, searches.probes):
        assert len(set(people.rows.tolist())) == len(people.subjects)


def lfw_pairs() -> list[bytes]:
    return [
        b"2\t1\nBo_Li\t1\t2\nAnn_Oak\t1\tBo_Li\t2\nBo_Li\t2\t1\nBo_Li\t1\tAnn_Oak\t1\n",
        b"\xef\xbb\xbf1\r\nBo_Li\t1\t2\r\nAnn_Oak\t1\tBo_Li\t2\r\n",
    ]


def read_lfw_pairs(content: bytes, folder: Path) -> None:
    pairs = read_pairs(held("pairs.txt", content, folder))
    assert all(pair.line <= len(content.splitlines()) for pair in pairs)
    assert sum(pair.same for pair in pairs) * 2 == len(pairs)


def lfw_people() -> list[bytes]:
    return [b"2\n1\nAnn_Oak\t1\n2\nBo_Li\t2\nCy_Fir\t11\n", b"2\nAnn_Oak\t1\nBo_Li\t2\n"]


def read_lfw_people(content: bytes, folder: Path) -> None:
    people = [person for members in read_people(held("people.txt", content, folder)) for person in members]
    assert len({person.name for person in people}) == len(people)
    assert all(person.images > 0 and "/" not in person.name for person in people)


def lists() -> list[bytes]:
    return [b"bo/1.jpg\n\n  ann/0.jpg\n/faces/caf\xc3\xa9.png\n~/b.jpg\n", b"\xef\xbb\xbfa.jpg\r\nb.jpg"]


def read_file_list(content: bytes, folder: Path) -> None:
    source = read_list(held("list.txt", content, folder))
    assert len({source.name(i) for i in range(len(source))}) == len(source) > 0
    assert all(source.file(i).is_absolute() for i in range(len(source)))
    assert source.version


def identity_metas() -> list[bytes]:
    return [META.encode()]


def read_metas(content: bytes, folder: Path) -> None:
    for person in read_identity_meta(held("identity_meta.csv", content, folder)).values():
        assert person.part in ("train", "test")
        assert person.images >= 0


TEXT_TARGETS = {
    "ijb": Target(ijb_files, read_ijb),
    "pairs": Target(lfw_pairs, read_lfw_pairs),
    "people": Target(lfw_people, read_lfw_people),
    "list": Target(lists, read_file_list),
    "identity_meta": Target(identity_metas, read_metas),
}
