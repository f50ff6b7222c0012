"""Every change of a complete log is found, by opening it or by verifying it, and the place is named."""

import random
import re
import shutil

import pytest

from andon.adapters.segments.log import Settings
from andon.adapters.segments.segment import SegmentName, encode_segment, read_segment, segment_table
from andon.adapters.segments.snapshot import Snapshot
from andon.adapters.segments.verify import verify_folder
from andon.base.errors import Tampered
from andon.ledger.checkpoint import Signer
from andon.ledger.entry import Entry
from andon.ledger.group import encode_group
from andon.ledger.merkle import leaf_hash
from andon.services.audit import Audit
from ledgers import SIGNER, Hasty, entry_of, files_of, open_log, write_files

PLACE = re.compile(r"entr(y|ies) \d+|checkpoint|byte \d+|\.parquet|\.bin")
STRIDE = 16


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    folder = tmp_path_factory.mktemp("complete")
    with open_log(folder, Hasty(), segment=16) as log:
        for batch in range(5):
            log.append([entry_of(batch * 5 + i) for i in range(5)])
    files = files_of(folder)
    assert sum(name.endswith(".ids") for name in files) == 1
    return {name: data for name, data in files.items() if name != "lock"}


def verify(folder, segment=16):
    with open_log(folder, Hasty(), segment=segment) as log:
        return verify_folder(log, SIGNER.verifier).entries


def refused(folder):
    """What is said of a log; None where it passes as whole."""
    return refused_as(folder, 16)


def refused_as(folder, segment):
    """Who only reads finds it too, before the opening, which may put a torn end aside; that is told as `torn`."""
    looked, opened = _looked(folder, segment), _opened(folder, segment)
    if opened is not None:
        assert PLACE.search(str(looked)), (looked, opened)
    return opened


def _looked(folder, segment):
    try:
        seen = Snapshot(folder, SIGNER.verifier, Settings(segment), is_live=False)
        verify_folder(seen, SIGNER.verifier)
    except Tampered as error:
        return str(error)
    return seen.torn


def _opened(folder, segment):
    try:
        verify(folder, segment)
    except Tampered as error:
        return str(error)
    return None


def changed(tmp_path, files, name, data):
    folder = tmp_path / "changed"
    shutil.rmtree(folder, ignore_errors=True)
    return write_files(folder, files | ({name: data} if data is not None else {}))


def places(files, stride):
    for name, data in files.items():
        step = 1 if name.startswith(("wal/", "checkpoint")) or name.endswith(".ids") else stride
        yield from ((name, at) for at in range(0, len(data), step))


def assert_flips_are_found(tmp_path, files, stride, seed):
    dice, silent, unplaced = random.Random(seed), [], []  # noqa: S311
    for name, at in places(files, stride):
        data = bytearray(files[name])
        data[at] ^= 1 << dice.randrange(8)
        said = refused(changed(tmp_path, files, name, bytes(data)))
        if said is None:
            silent.append((name, at))
        elif not PLACE.search(said):
            unplaced.append((name, at, said))
    assert silent == []
    assert unplaced == []


def test_untouched_passes(tmp_path, complete):
    assert verify(write_files(tmp_path, complete)) == 26


def test_flipped_bits(tmp_path, complete):
    assert_flips_are_found(tmp_path, complete, STRIDE, seed=3)


@pytest.mark.soak
def test_every_byte_flipped(tmp_path, complete):
    assert_flips_are_found(tmp_path, complete, 1, seed=4)


@pytest.mark.soak
def test_random_bits_of_a_larger_log(tmp_path):
    """10,000 flips in a log of several segments, written in place and put back."""
    with open_log(tmp_path, Hasty(), segment=600) as log:
        for batch in range(40):
            log.append([entry_of(batch * 50 + i, 300) for i in range(50)])
    files = {name: data for name, data in files_of(tmp_path).items() if name != "lock"}
    assert sum(name.endswith(".parquet") and name.startswith("evidence/") for name in files) == 3
    dice, silent = random.Random(7), []  # noqa: S311
    for name in dice.choices(list(files), [len(data) for data in files.values()], k=10_000):
        at, data = dice.randrange(len(files[name])), bytearray(files[name])
        data[at] ^= 1 << dice.randrange(8)
        (tmp_path / name).write_bytes(data)
        said = refused_as(tmp_path, 600)
        if said is None or not PLACE.search(said):
            silent.append((name, at, said))
        for other in {*files_of(tmp_path)} - {*files, "lock"}:  # what an opening put beside
            (tmp_path / other).unlink()
        write_files(tmp_path, files)
    assert silent == []


def test_missing_and_short_files(tmp_path, complete):
    for name, data in complete.items():
        for cut in {0, len(data) // 2, len(data) - 1}:
            assert refused(changed(tmp_path, complete, name, data[:cut])), (name, cut)
        without = {other: content for other, content in complete.items() if other != name}
        assert refused(changed(tmp_path, without, "", None)), name


@pytest.mark.parametrize(
    "edit",
    [
        lambda rows: rows[1:],
        lambda rows: rows[:-1],
        lambda rows: [rows[1], rows[0], *rows[2:]],
        lambda rows: [rows[0], rows[0], *rows[2:]],
        lambda rows: [*rows[:3], entry_of(99), *rows[4:]],
        lambda rows: [*rows[:3], Entry(rows[3].header, rows[3].salt, b'{"id":"p3","x":"forged"}'), *rows[4:]],
        lambda rows: [*rows[:3], Entry(rows[3].header, rows[4].salt, rows[4].payload), *rows[4:]],
        lambda rows: [*rows[:3], Entry(rows[3].header), *rows[4:]],
    ],
    ids=["delete_first", "delete_last", "swap", "duplicate", "replace", "payload", "payload_of_another", "no_payload"],
)
def test_rows_rewritten_with_sound_parquet(tmp_path, complete, edit):
    (name,) = (name for name in complete if name.startswith("evidence/") and name.endswith(".parquet"))
    folder = write_files(tmp_path / "original", complete)
    rows = [entry for _, _, entry in read_segment(folder / name, SegmentName(0, 16))]
    edited = edit(rows)
    data = encode_segment(segment_table(0, edited, [leaf_hash(row.header) for row in edited]))
    said = refused(changed(tmp_path, complete, name, data))
    assert said is not None
    assert PLACE.search(said)


def test_forged_group_with_sound_crc(tmp_path, complete):
    (name,) = (name for name in complete if name.startswith("wal/"))
    forged, _ = encode_group(16, [entry_of(99)], [bytes(32)], bytes(32))
    assert "does not follow" in refused(changed(tmp_path, complete, name, b"".join(forged) + complete[name]))


def test_rollback_needs_a_remembered_checkpoint(tmp_path):
    now = tmp_path / "now"
    with open_log(now, Hasty()) as log:
        log.append([entry_of(0), entry_of(1)])
    old = files_of(now)
    with open_log(now, Hasty()) as log:
        log.append([entry_of(2)])
        _, note = log.checkpoint()
    folder = write_files(tmp_path / "old", old)
    assert verify(folder) == 2  # by itself an old copy looks whole
    with open_log(folder, Hasty()) as log:
        with pytest.raises(Tampered, match=r"rolled back.*entries 2 to 2 are gone"):
            Audit(log, SIGNER.verifier, None, None, None).compare(note)
        log.append([entry_of(7)])
        with pytest.raises(Tampered, match="history was rewritten"):
            Audit(log, SIGNER.verifier, None, None, None).compare(note)


def test_log_of_another_origin(tmp_path, complete):
    other = Signer("other/w-main", bytes(range(32)))
    point = other.sign(SIGNER.verifier.open(complete["checkpoint"]))
    assert "not by test.local" in refused(changed(tmp_path, complete, "checkpoint", point))
