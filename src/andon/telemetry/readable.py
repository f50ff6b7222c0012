"""Whether lines of JSON can be read by all that reads events later; decoders skip what they need not read."""

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import numpy as np

DEPTH_MAX: Final = 100
"""So many lists and objects may stand in each other, the event counted: what reads events later has to come to the
bottom of each (DuckDB reads 128 as columns; orjson writes 254; Python follows 1,000, less what it is in already)."""
_TOGETHER: Final = 32
"""So many lines stay in the processor's caches, and events mostly open fewer than a hundred in all of them."""
_CASE: Final = 0xDF
"""All bits but the one in which `[` and `{` differ."""
_LEAVES: Final = 4
_TEXT: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_ALIKE: Final = bytes.maketrans(b"{}", b"[]")
_OTHERS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = {ord("["): 1, ord("]"): -1}


def require_readable(lines: Sequence[bytes], longest: int) -> None:
    """Refuse lines that are not UTF-8, or nested too deep.

    Args:
        lines: of JSON.
        longest: the size of the longest, which who calls knows.

    Raises:
        ValueError: one of them is.
    """
    for at in range(0, len(lines), _TOGETHER):
        _require_readable(lines[at : at + _TOGETHER], longest)


def _require_readable(lines: Sequence[bytes], longest: int) -> None:
    whole = b"".join(lines)
    if longest > 2 * DEPTH_MAX and _opens_many(whole, longest):  # what is nested deeper and whole is longer
        for line in lines:
            if len(line) > 2 * DEPTH_MAX and _is_too_deep(line):
                raise ValueError(f"is nested more than {DEPTH_MAX} deep: flatten it, or write its inner part as a text")
    if not whole.isascii():
        for line in lines:
            line.decode()


def _opens_many(whole: bytes, longest: int) -> bool:
    """Whether more than `DEPTH_MAX` lists and objects begin within the length of a line; to count line by line is slow.

    Args:
        whole: lines, one after the other.
        longest: the size of the longest.
    """
    codes = np.frombuffer(whole, np.uint8) & _CASE
    opening = np.equal(codes, ord("["), out=codes.view(bool))
    if np.count_nonzero(opening) <= DEPTH_MAX:
        return False
    places = np.flatnonzero(opening)
    return bool((places[DEPTH_MAX:] - places[:-DEPTH_MAX] < longest).any())


def _is_too_deep(line: bytes) -> bool:
    if line.count(b"[") + line.count(b"{") <= DEPTH_MAX:
        return False
    brackets = _TEXT.sub(b"", line).translate(_ALIKE, _OTHERS)
    for _ in range(_LEAVES):  # a pair with nothing in it is a leaf: without them, all is nested one less deep
        brackets = brackets.replace(b"[]", b"")
    return _LEAVES + max(accumulate(map(_STEPS.__getitem__, brackets)), default=-_LEAVES) > DEPTH_MAX
