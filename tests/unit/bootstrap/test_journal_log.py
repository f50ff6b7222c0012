"""The journal's log is opened for each batch, and recovered only where another process was there."""

import pytest

from andon.adapters.segments.log import SegmentLog
from andon.base.errors import Refused, Tampered, Unavailable
from andon.bootstrap.journal import JournalLog, now
from andon.bootstrap.signing import signer_of
from ledgers import entry_of


def opened(data):
    return SegmentLog(data / "ledger" / "journal", signer_of(data / "ledger", "journal"), now)


@pytest.fixture
def journal(tmp_path):
    journal = JournalLog(tmp_path)
    with journal() as log:
        log.append([entry_of(0)])
    return journal


def test_it_goes_on_where_it_was_left(journal, tmp_path):
    with journal() as first:
        first.append([entry_of(1)])
        with pytest.raises(Refused, match="another process writes"):
            opened(tmp_path)
    with journal() as second:
        assert second is first
        second.append([entry_of(2)])
    with opened(tmp_path) as anew:
        assert [entry for _, entry in anew.read()] == [entry_of(number) for number in range(3)]


def test_what_another_process_wrote_is_seen(journal, tmp_path):
    with opened(tmp_path) as other:
        other.append([entry_of(1)])
    with journal() as log:
        log.append([entry_of(2)])
        assert [entry for _, entry in log.read()] == [entry_of(number) for number in range(3)]


def test_while_another_process_writes_it_is_not_opened(journal, tmp_path):
    with opened(tmp_path), pytest.raises(Refused, match="another process writes"), journal():
        pass
    with journal() as log:
        assert log.size == 1


def test_a_file_that_was_changed_is_read_anew(journal, tmp_path):
    [wal] = (tmp_path / "ledger" / "journal" / "wal").iterdir()
    wal.write_bytes(wal.read_bytes()[:-5])
    with pytest.raises(Tampered, match="below the 1 entries that the checkpoint covers"), journal():
        pass


def test_after_an_error_of_the_disk_it_is_recovered(journal, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    with journal() as first, monkeypatch.context() as patch:
        patch.setattr(first.disk, "sync", fail)
        with pytest.raises(Unavailable, match="Input/output error"):
            first.append([entry_of(1)])
    with journal() as second:
        assert second is not first
        assert second.size in (1, 2)


def test_the_end_is_read_without_the_rest(journal):
    """As whoever follows does for each batch."""
    with journal() as log:
        for number in range(1, 300):
            log.append([entry_of(number)])
    with journal() as log:
        for first in (0, 1, 170, 172, 250, 299, 300):
            assert list(log.read(first)) == [(number, entry_of(number)) for number in range(first, 300)]
        [path] = (log.folder / "wal").iterdir()
        path.chmod(0o600)
        with path.open("r+b") as file:
            file.write(b"\0" * 100)  # the begin is damaged, and not looked at
        assert [seq for seq, _ in log.read(250)] == list(range(250, 300))
