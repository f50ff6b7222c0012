"""The spool: lines keep their numbers, wherever it ends and starts again."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from andon_sdk import spool as spools
from andon_sdk.errors import SpoolFull, Unsafe
from andon_sdk.spool import Spool, folders_in


@given(
    acts=st.lists(
        st.one_of(st.binary(min_size=1, max_size=30).map(lambda b: b.hex().encode()), st.integers(1, 5), st.none())
    ),
    size=st.integers(10, 100),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_come_out_once_in_order_under_their_numbers(acts, size, tmp_path_factory, monkeypatch):
    """Bytes: append; a number: send so many; None: the process ends, and another goes on."""
    monkeypatch.setattr(spools, "FILE_BYTES", size)
    folder = tmp_path_factory.mktemp("spool") / "p"
    spool, written, sent = Spool(folder, 1 << 20), [], 0
    for act in acts:
        if act is None:
            spool._descriptor = spool._descriptor  # as after a kill: nothing is closed in order
            spools.os.close(spool._lock)
            spool = Spool(folder, 1 << 20)
            assert spool.next == len(written)
            assert spool.acked <= sent
            sent = spool.acked  # a whole file is forgotten at a time: the server knows the rest
        elif isinstance(act, int):
            lines = spool.take(act, 1 << 20)
            assert lines.first == sent
            assert list(lines.lines) == written[sent : sent + act]
            spool.done(lines)
            sent = lines.end
        else:
            assert spool.append(act, 0) == len(written)
            written.append(act)
    assert spool.waiting_bytes == sum(len(line) + 1 for line in written[spool.acked :])


def test_half_a_line_is_put_aside(tmp_path):
    spool = Spool(tmp_path / "p", 1 << 20)
    spool.append(b'{"a":1}', 0)
    spools.os.write(spool._descriptor, b'{"b":')
    spools.os.close(spool._lock)
    again = Spool(tmp_path / "p", 1 << 20)
    assert again.append(b'{"c":1}', 0) == 1
    assert again.take(9, 99).lines == (b'{"a":1}', b'{"c":1}')
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
    spools.os.close(spool._lock)
    assert Spool(tmp_path / "p", 1 << 20).epoch == spool.epoch


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
