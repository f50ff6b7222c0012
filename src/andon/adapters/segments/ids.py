"""The index of a segment: which of its entries may have an id, found without reading them.

A file `F-N.ids` holds a number of 8 bytes for each entry with an id, sorted: CRC-32 of the id, then the entry's place
in the segment. It is made from the evidence alone and proves nothing: who finds an entry by it looks at its header.
"""

import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from andon.base.errors import Tampered

_BITS = 32


def encode_ids(ids: Iterable[tuple[int, str]]) -> bytes:
    """The bytes of the file of some ids, each with its place."""
    keys = [zlib.crc32(text.encode()) << _BITS | place for place, text in ids]
    return np.sort(np.array(keys, dtype=np.uint64)).astype(">u8").tobytes()


def places_of(path: Path, text: str) -> list[int]:
    """The places of the entries that may have an id, in order.

    Raises:
        Tampered: the file is missing.
    """
    if not path.exists():
        raise Tampered(f"{path} is missing: restore it from a copy of the log")
    keys = np.memmap(path, dtype=">u8", mode="r") if path.stat().st_size else np.zeros(0, ">u8")
    key = zlib.crc32(text.encode()) << _BITS
    first, end = np.searchsorted(keys, [np.uint64(key), np.uint64(key + (1 << _BITS) - 1)], side="left")
    return [int(each) & (1 << _BITS) - 1 for each in keys[first:end]]
