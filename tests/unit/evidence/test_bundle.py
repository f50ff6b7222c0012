"""What goes into a bundle is compared with what its header commits to, before it is handed out."""

import pytest

from andon.base.errors import Tampered
from andon.evidence.bundle import Selection, header_chunks, payload_chunks, select
from andon.evidence.hold import Hold
from andon.ledger.entry import Entry, make_entry

SALT = bytes(range(16))
HOLD = Hold("seal_1", 1, "m", None, None, "INC-1")
EVENT = {"kind": "prediction", "id": "p", "at": "2026-03-01T00:00:00.000000Z", "ts": "2026-03-01", "model_id": "m"}
GOOD = make_entry(EVENT, SALT, b'{"score": 1}')
BARE = make_entry({"kind": "clock_step", "at": EVENT["at"]})


def shown(entry, size=28):
    """`payloads.bin` of a bundle that shows one entry, number 7."""
    return b"".join(payload_chunks(Selection(7, 8, {7: size}), [(7, entry)], lambda _: True))


def test_what_the_header_commits_to_is_shown():
    assert shown(GOOD) == SALT + b'{"score": 1}'
    assert shown(BARE, 0) == b""


@pytest.mark.parametrize(
    "entry",
    [
        Entry(GOOD.header, SALT, b""),
        Entry(GOOD.header, b"", b""),
        Entry(GOOD.header, b"", GOOD.payload),
        Entry(GOOD.header, SALT[:15], SALT[15:] + GOOD.payload),  # the same bytes, cut elsewhere
        Entry(GOOD.header, SALT, b'{"score": 2}'),
        Entry(GOOD.header.replace(b'"n":12', b'"n":13'), SALT, GOOD.payload),
        Entry(GOOD.header.replace(b'"n":12', b'"n":0'), SALT, GOOD.payload),
        Entry(GOOD.header.replace(b'"c":', b'"d":'), SALT, GOOD.payload),
        Entry(BARE.header, SALT, b"{}"),
        Entry(BARE.header, SALT, b""),
    ],
)
def test_another_payload_is_not_handed_out(entry):
    with pytest.raises(Tampered, match="entry 7: the payload is not the one that the header commits to"):
        shown(entry)


@pytest.mark.parametrize(
    "header",
    [b"", b"nonsense", b"[1]", b"\xff", b"[" * 60_000, b'{"id":5}', b'{"n":-1}', b'{"n":4294967295}', b'{"c":1}'],
)
def test_a_header_that_is_none_is_named(header):
    with pytest.raises(Tampered, match="entry 7: its header is not one of this log"):
        select(HOLD, [(7, header)])
    with pytest.raises(Tampered, match="entry 7: its header is not one of this log"):
        shown(Entry(header))


def test_a_header_that_is_too_long_is_named():
    with pytest.raises(Tampered, match="entry 7: its header is not one of this log"):
        list(header_chunks(Selection(7, 8, {7: 0}), [(7, b" " * 65_536)], lambda _: True))
