"""Receipts: processes share their folder, and none stops sending for want of one."""

import json
from threading import Barrier, Thread

from andon_sdk.receipts import SAMPLES, Receipts
from andon_sdk.spool import Lines

DOCUMENT = {"log": "main", "first": 0, "end": 1, "repeated": 0}


def test_many_keep_their_receipts_in_one_folder_at_once(tmp_path):
    kept = [Receipts(tmp_path) for _ in range(4)]
    begin, failures = Barrier(len(kept)), []

    def work(receipts, number):
        begin.wait()
        try:
            for each in range(50):
                receipts.keep(Lines(each, (f"{number}-{each}".encode(),), (0, 0), 1), DOCUMENT)
        except OSError as error:
            failures.append(error)

    threads = [Thread(target=work, args=(receipts, n)) for n, receipts in enumerate(kept)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(json.loads((tmp_path / SAMPLES).read_text())) == 50
    assert sorted(each.name for each in tmp_path.iterdir()) == ["receipts.ndjson", SAMPLES]
    assert len((tmp_path / "receipts.ndjson").read_text().splitlines()) == 200


def test_a_folder_that_is_gone_is_said_and_stops_nothing(tmp_path, caplog):
    receipts = Receipts(tmp_path / "receipts")
    (tmp_path / "receipts").rmdir()
    receipts.keep(Lines(0, (b"{}",), (0, 0), 2), DOCUMENT)
    assert "no receipt could be kept" in caplog.text
