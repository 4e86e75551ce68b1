"""Packs: compact copies of any source for training, with JPEGs of one size concatenated in one file.

A pack is a folder of four files:

- `images.bin`: the JPEGs, without gaps;
- `offsets.npy`: int64 [N + 1], the byte offset of each image, and the end of the last;
- `labels.npy`: int64 [N], the number of each image's identity;
- `pack.json`: the format's version, the settings, the identities' names, what was left out, and the SHA-256
  of the other three files.
"""

from trsfnet.data.pack.source import PackSource
from trsfnet.data.pack.writer import write_pack

__all__ = ["PackSource", "write_pack"]
