"""A compact copy of any source to train from: JPEGs of one size, one after the other in one file.

A pack is a folder of four files:

- `images.bin`: the JPEGs, without gaps;
- `offsets.npy`: int64 [N + 1], the byte at which each begins, and where the last ends;
- `labels.npy`: int64 [N], the number of each image's identity;
- `pack.json`: the format's version, the settings, the identities' names, what was left out, and the SHA-256
  of the other three.
"""

from trsfnet.data.pack.source import PackSource
from trsfnet.data.pack.writer import write_pack

__all__ = ["PackSource", "write_pack"]
