"""The power is cut at every write, fsync and rename: what was acknowledged is there, nothing is made up."""

import random
import shutil

import pytest

from andon.adapters.segments.verify import verify_folder
from andon.ledger.entry import CONTROL_KINDS, parse_header
from ledgers import SIGNER, Hasty, PowerCut, Recorded, entry_of, files_of, open_log, write_files

BATCHES, BATCH = 14, 9
STATES, SOAK_STATES = 200, 3_000


class History:
    """A log written once, with what was acknowledged after which operation."""

    def __init__(self, folder, delay=0):
        self.acknowledged, self.signed = [(0, 0)], []
        disk = Recorded(folder)
        with open_log(folder, disk, delay=delay) as log:
            self.begun = len(disk.operations)
            for batch in range(BATCHES):
                log.append([entry_of(batch * BATCH + i, 200) for i in range(BATCH)])
                self.acknowledged.append((len(disk.operations), (batch + 1) * BATCH))
                if batch % 3 == 0:
                    self.signed.append((len(disk.operations), log.checkpoint()[0].size))
        self.operations = disk.operations

    def acknowledged_at(self, operation):
        return max(count for at, count in self.acknowledged if at <= operation)


@pytest.fixture(scope="module", params=[0, 3], ids=["closed_at_once", "closed_later"])
def history(tmp_path_factory, request):
    """Segments that are closed at once, and such that wait while the next ones fill, as when another process closes."""
    return History(tmp_path_factory.mktemp("log"), request.param)


def events_in(log):
    return [e for _, e in log.read() if parse_header(e.header)["kind"] not in CONTROL_KINDS]


def check(folder, acknowledged, disk=None):
    """Recover, and compare with what the client knows."""
    with open_log(folder, disk or Hasty()) as log:
        found = events_in(log)
        assert len(found) >= acknowledged
        assert found == [entry_of(number, 200) for number in range(len(found))]
        log.append([entry_of(len(found), 200)])
        verify_folder(log, SIGNER.verifier)
    with open_log(folder, Hasty()) as log:
        assert len(events_in(log)) == len(found) + 1
    return len(found)


def test_killed_at_every_operation(history, tmp_path):
    for cut in range(len(history.operations) + 1):
        folder = write_files(tmp_path / str(cut), PowerCut({}, history.operations[:cut]).state(None))
        check(folder, history.acknowledged_at(cut))
        shutil.rmtree(folder)


def power_cuts(history, tmp_path, states, seed):
    dice, quarantined = random.Random(seed), 0  # noqa: S311
    for number in range(states):
        cut = number % (len(history.operations) + 1)
        folder = write_files(tmp_path / str(number), PowerCut({}, history.operations[:cut]).state(dice))
        folder.mkdir(exist_ok=True)
        quarantined += again(folder, history.acknowledged_at(cut), dice)
        shutil.rmtree(folder)
    return quarantined


def again(folder, acknowledged, dice):
    """Cut the power once more, in the middle of the recovery, then recover for good."""
    before, second = files_of(folder), folder / "again"
    disk = Recorded(folder)
    check(folder, acknowledged, disk)
    torn = any((folder / "quarantine").iterdir())
    cut = dice.randint(0, len(disk.operations))
    write_files(second, PowerCut(before, disk.operations[:cut]).state(dice))
    second.mkdir(exist_ok=True)
    check(second, acknowledged)
    return torn


def test_power_cut_at_every_operation(history, tmp_path):
    assert power_cuts(history, tmp_path, STATES, seed=1) > STATES // 50  # torn tails do occur


@pytest.mark.soak
def test_power_cuts_at_length(history, tmp_path):
    assert power_cuts(history, tmp_path, SOAK_STATES, seed=2) > SOAK_STATES // 50


def test_no_operation_is_left_out(history):
    """The history closes segments and signs checkpoints, else the cuts would try little."""
    names = [operation[2] for operation in history.operations if operation[0] == "rename"]
    assert sum(name.startswith("evidence/") for name in names) >= 3
    assert names.count("checkpoint") >= 8
