"""The spool: lines keep their numbers, wherever it ends and starts again."""

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from andon.base.errors import Conflict
from andon.telemetry.producer import Positions, Range
from andon_sdk import spool as spools
from andon_sdk.errors import SpoolFull, Unsafe
from andon_sdk.spool import Spool, folders_in


class Server:
    """What a server knows of one producer, and its log; it may be asked twice for the same."""

    def __init__(self):
        self.positions, self.log = Positions(), []

    def take(self, spool, lines):
        place = Range("p", spool.epoch, spool.first_of(lines))
        known = self.positions.known(place, len(lines.lines))
        self.log += lines.lines[known:]
        if known < len(lines.lines):
            self.positions.note(place, place.first + len(lines.lines), "t")


ACTS = st.one_of(
    st.binary(min_size=1, max_size=30).map(lambda b: b.hex().encode()),
    st.tuples(st.integers(1, 5), st.booleans()),
    st.none(),
)


@given(acts=st.lists(ACTS), size=st.integers(10, 100))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_come_out_once_in_order_wherever_it_ends_and_starts(acts, size, tmp_path_factory, monkeypatch):
    """Bytes: append; a pair: send so many, and whether the answer arrives; None: the process ends, another goes on."""
    monkeypatch.setattr(spools, "FILE_BYTES", size)
    folder = tmp_path_factory.mktemp("spool") / "p"
    spool, written, server = Spool(folder, 1 << 20), [], Server()
    epochs = [spool.epoch]
    for act in [*acts, *[(5, True)] * (len(acts) * 2 + 2)]:
        if act is None:
            spools.os.close(spool._lock)  # as after a kill: nothing is closed in order
            spool = Spool(folder, 1 << 20)
            assert spool.next == len(written)
        elif isinstance(act, tuple):
            lines = spool.take(act[0], 1 << 20)
            server.take(spool, lines)
            if act[1]:
                spool.done(lines)
        else:
            assert spool.append(act, 0) == len(written)
            written.append(act)
        epochs.append(spool.epoch)
    assert server.log == written
    assert spool.waiting_bytes == 0
    assert epochs == sorted(epochs)
    assert len(set(epochs)) >= 1 + (None in acts)


def test_a_copy_of_a_spool_is_refused_once_the_original_went_on(tmp_path):
    spool, server = Spool(tmp_path / "p", 1 << 20), Server()
    for line in (b"a", b"b"):
        spool.append(line, 0)
    server.take(spool, spool.take(9, 99))  # the answer is lost, and the process dies
    spools.os.close(spool._lock)
    shutil.copytree(tmp_path / "p", tmp_path / "copy")
    restarted = Spool(tmp_path / "p", 1 << 20)
    restarted.append(b"c", 0)
    before = restarted.epoch
    lines = restarted.take(9, 99)
    assert (lines.lines, restarted.first_of(lines)) == ((b"a", b"b"), 0)
    server.take(restarted, lines)
    restarted.done(lines)
    assert restarted.epoch > before
    lines = restarted.take(9, 99)
    assert (lines.lines, restarted.first_of(lines)) == ((b"c",), 0)
    server.take(restarted, lines)
    assert server.log == [b"a", b"b", b"c"]
    copy = Spool(tmp_path / "copy", 1 << 20)
    with pytest.raises(Conflict, match=f"producer p counts in epoch {restarted.epoch}, this request in {before}"):
        server.take(copy, copy.take(9, 99))


def test_what_was_sent_before_an_epoch_began_is_not_sent_in_it(tmp_path):
    spool = Spool(tmp_path / "p", 1 << 20)
    for line in (b"a", b"b", b"c"):
        spool.append(line, 0)
    spool.done(spool.take(2, 99))
    spool.new_epoch()
    spools.os.close(spool._lock)
    again = Spool(tmp_path / "p", 1 << 20)
    lines = again.take(9, 99)
    assert (lines.lines, again.first_of(lines), again.waiting_bytes) == ((b"c",), 0, 2)
    spools.os.close(again._lock)
    (path,) = (tmp_path / "p").glob("*.ndjson")
    path.write_bytes(b"a\n")  # a power cut took the rest
    left = Spool(tmp_path / "p", 1 << 20)
    assert (left.append(b"d", 0), left.take(9, 99).lines, left.first_of(left.take(9, 99))) == (2, (b"d",), 0)


def test_half_a_line_is_put_aside(tmp_path):
    spool = Spool(tmp_path / "p", 1 << 20)
    spool.append(b'{"a":1}', 0)
    spools.os.write(spool._descriptor, b'{"b":')
    spools.os.close(spool._lock)
    again = Spool(tmp_path / "p", 1 << 20)
    assert again.append(b'{"c":1}', 0) == 1
    left = again.take(9, 99)
    assert left.lines == (b'{"a":1}',)
    again.done(left)
    assert again.take(9, 99).lines == (b'{"c":1}',)
    assert "half a line" in (tmp_path / "p" / "rejected.ndjson").read_text()


def test_a_rejected_line_is_a_hole_after_a_start_too(tmp_path):
    spool = Spool(tmp_path / "p", 1 << 20)
    for line in (b"a", b"b", b"c"):
        spool.append(line, 0)
    spool.reject(1, b"b", "no")
    assert spool.take(9, 99).lines == (b"a", b"", b"c")
    spools.os.close(spool._lock)
    assert Spool(tmp_path / "p", 1 << 20).take(9, 99).lines == (b"a", b"", b"c")


def test_a_new_epoch_counts_from_what_is_not_sent(tmp_path):
    spool = Spool(tmp_path / "p", 1 << 20)
    for line in (b"a", b"b", b"c"):
        spool.append(line, 0)
    spool.done(spool.take(1, 99))
    before = spool.epoch
    spool.new_epoch()
    assert spool.epoch > before
    assert spool.first_of(spool.take(9, 99)) == 0


def test_one_process_at_a_time_and_no_more_than_fits(tmp_path):
    spool = Spool(tmp_path / "p", 10)
    with pytest.raises(Unsafe):
        Spool(tmp_path / "p", 10)
    spool.append(b"12345", 0)
    with pytest.raises(SpoolFull):
        spool.append(b"12345", 0)
    spool.done(spool.take(1, 99))
    spool.append(b"12345", 0)
    spool.done(spool.take(1, 99))
    spool.close()
    assert folders_in(tmp_path) == []
