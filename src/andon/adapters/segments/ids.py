"""The index of a segment: which of its entries may have an id, found without reading them.

A file `F-N.ids` holds a number of 8 bytes for each entry with an id, sorted: CRC-32 of the id, then the entry's place
in the segment. It is made from the evidence alone and proves nothing: who finds an entry by it looks at its header.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from andon.base.errors import Tampered

_BITS = 32
_KEY_BYTES = 8

Keys = NDArray[np.uint64]


def keys_of(ids: Sequence[str], first: int) -> Keys:
    """The numbers of the entries from the place `first` on that have an id; the others have an empty one."""
    sums = np.fromiter(map(zlib.crc32, map(str.encode, ids)), np.uint64, len(ids))
    keys = sums << np.uint64(_BITS) | np.arange(first, first + len(ids), dtype=np.uint64)
    return keys[np.fromiter(map(bool, ids), np.bool_, len(ids))] if "" in ids else keys


def encode_ids(keys: Sequence[Keys]) -> bytes:
    """The bytes of the file of some numbers."""
    return np.sort(np.concatenate([np.zeros(0, np.uint64), *keys])).astype(">u8").tobytes()


def places_of(path: Path, text: str) -> list[int]:
    """The places of the entries that may have an id, in order.

    Raises:
        Tampered: the file is missing, or cut.
    """
    if not path.exists() or path.stat().st_size % _KEY_BYTES:
        wrong = "cut short" if path.exists() else "missing"
        raise Tampered(f"{path} is {wrong}: restore it from a copy of the log")
    keys = np.memmap(path, dtype=">u8", mode="r") if path.stat().st_size else np.zeros(0, ">u8")
    key = zlib.crc32(text.encode()) << _BITS
    first, end = np.searchsorted(keys, [np.uint64(key), np.uint64(key + (1 << _BITS) - 1)], side="left")
    return [int(each) & (1 << _BITS) - 1 for each in keys[first:end]]
