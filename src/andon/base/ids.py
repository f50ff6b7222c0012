"""Identifiers that sort by time: ULIDs (github.com/ulid/spec) with a prefix that says what they name."""

from datetime import datetime

from andon.base.interval import to_us

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id(prefix: str, at: datetime, chance: bytes) -> str:
    """`seal_01J…` from a time and 10 random bytes."""
    number = (to_us(at) // 1000) << 80 | int.from_bytes(chance[:10], "big")
    return f"{prefix}_" + "".join(LETTERS[number >> 5 * place & 31] for place in range(25, -1, -1))
