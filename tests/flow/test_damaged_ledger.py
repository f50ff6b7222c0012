"""What stands beside and under a ledger's entries may be damaged, missing or edited: each is told, none believed."""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from andon.adapters.segments import segment
from andon.adapters.segments.analysis import folder_name
from andon.adapters.segments.closing import Inline
from andon.adapters.segments.disk import Disk
from andon.adapters.segments.log import SegmentLog
from andon.adapters.segments.segment import SegmentName, encode_segment, read_segment, segment_table
from andon.adapters.segments.snapshot import Snapshot
from andon.adapters.segments.verify import Checked, verify_folder
from andon.base.errors import Tampered
from andon.bootstrap import logs, positions, verification
from andon.bootstrap.ledger import open_ledger
from andon.ledger.entry import Entry, make_entry, parse_header
from andon.ledger.merkle import leaf_hash
from ledgers import AT, SIGNER, Hasty, entry_of, open_log

Andon = Callable[..., tuple[int, str, str]]


def line(number: int, **more: object) -> str:
    ts = f"2026-03-{1 + number % 28:02d}T00:00:00Z"
    return json.dumps({"id": f"p{number}", "ts": ts, "model_id": "loan", "inputs": {"age": number}} | more) + "\n"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ledger(here: Path, andon: Andon, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a log of 700 decisions, most of them in closed segments, and a seal."""
    settings = logs.settings_of

    def small(folder: Path, name: str) -> logs.Settings:
        own = settings(folder, name)
        return logs.Settings(300, own.analysis, own.key, Inline)

    monkeypatch.setattr(logs, "settings_of", small)
    (here / "events.jsonl").write_text("".join(map(line, range(700))))
    assert andon("record", "events.jsonl", "--producer", "q")[0] == 0
    assert andon("evidence", "seal", "--model", "loan", "--reason", "INC-1")[0] == 0
    assert andon("evidence", "verify", "log")[0] == 0
    return here / "home" / "ledger" / "w-main"


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


# Where producers are


def edited(path: Path, position: int) -> None:
    told = json.loads(path.read_text())
    told["positions"]["q"][1] += position
    path.write_text(json.dumps(told))


def test_an_edited_hint_loses_no_line_and_is_found(ledger: Path, here: Path, andon: Andon) -> None:
    edited(ledger / "positions.json", 3)
    code, _, err = andon("evidence", "verify", "log")
    assert (code, "positions.json" in err, "remove it" in err) == (1, True, True), err
    (here / "events.jsonl").write_text("".join(map(line, range(703))))
    code, out, _ = andon("record", "events.jsonl", "--producer", "q", "--json")
    assert (code, json.loads(out)["events"]) == (0, 3)
    assert andon("evidence", "verify", "log")[0] == 0


def test_a_hint_that_is_no_file_of_ours_is_named(ledger: Path, andon: Andon) -> None:
    hint = ledger / "positions.json"
    told = hint.read_bytes()
    for content in (b"", told + b"\n", json.dumps({"size": 1, "positions": {}}).encode()):
        hint.write_bytes(content)
        code, _, err = andon("evidence", "verify", "log")
        assert (code, "was not written by this ledger; remove it" in err) == (1, True), err
    hint.unlink()
    assert andon("evidence", "verify", "log")[0] == 0
    os.mkfifo(hint)
    assert andon("evidence", "verify", "log")[0] == 1
    assert json.loads(andon("record", "events.jsonl", "--producer", "q", "--json")[1])["events"] == 0
    assert hint.is_file()


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verifying sees another process write."""
    monkeypatch.setattr(verification, "stillness", lambda _: nullcontext(0))


@pytest.mark.usefixtures("live")
def test_who_writes_meanwhile_is_no_tampering(
    ledger: Path, here: Path, andon: Andon, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "more.jsonl").write_text("".join(map(line, range(900))))
    real = verification.Snapshot

    def late(*arguments: object, **named: bool) -> Snapshot:
        monkeypatch.setattr(verification, "Snapshot", real)
        assert andon("record", "more.jsonl", "--producer", "q")[0] == 0
        return real(*arguments, **named)

    monkeypatch.setattr(verification, "Snapshot", late)
    code, out, err = andon("evidence", "verify", "log")
    assert (code, "each byte" in out) == (0, True), err
    assert ledger.exists()


@pytest.mark.usefixtures("live")
def test_a_hint_that_is_written_anew_while_it_is_read_is_no_tampering(
    ledger: Path, here: Path, andon: Andon, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "more.jsonl").write_text("".join(map(line, range(900))))
    real = positions.secret_in

    def late(path: Path) -> bytes:
        monkeypatch.setattr(positions, "secret_in", real)
        assert andon("record", "more.jsonl", "--producer", "q")[0] == 0
        return real(path)

    before = (ledger / "positions.json").read_bytes()
    monkeypatch.setattr(positions, "secret_in", late)
    assert andon("evidence", "verify", "log")[0] == 0
    assert (ledger / "positions.json").read_bytes() != before


@pytest.mark.usefixtures("live")
def test_what_retention_deletes_meanwhile_is_no_tampering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "ledger" / "w-main"
    made = logs.Settings(100, folder / "analysis", b"key", Inline)
    signer = logs.signer_of(folder.parent, "w-main")
    monkeypatch.setattr(verification, "settings_of", lambda *_: made)
    with SegmentLog(folder, signer, lambda: AT, Hasty(), made) as log:
        log.append([entry_of(number) for number in range(450)])
        real = verification.verify_folder

        def late(*arguments: object) -> Checked:
            monkeypatch.setattr(verification, "verify_folder", real)
            said = {"kind": "retention_delete", "at": "2026-03-01T00:00:00.000000Z", "first": 0, "end": 200}
            log.prune(make_entry(said))
            return real(*arguments)

        monkeypatch.setattr(verification, "verify_folder", late)
        found = verification.verify_ledger(str(tmp_path), None, "w-main", None)
        assert found.checked.entries == log.size - 200


@pytest.mark.parametrize(
    "content",
    ['{"size":10,"positions":{"q":[1]}}', '{"versions":5}', "[]", "", "{", '{"hmac": 5, "size": 1}', '{"hmac": "é"}'],
)
def test_a_hint_of_any_content_is_made_anew(ledger: Path, andon: Andon, content: str) -> None:
    (ledger / "positions.json").write_text(content)
    assert json.loads(andon("record", "events.jsonl", "--producer", "q", "--json")[1])["events"] == 0
    assert andon("evidence", "seal", "--model", "loan", "--reason", "INC-2")[0] == 0
    assert (ledger / "positions.json").stat().st_mode & 0o077 == 0
    assert andon("evidence", "verify", "log")[0] == 0


def test_a_hint_of_another_history_is_not_believed(ledger: Path, here: Path, andon: Andon) -> None:
    """The folder was put back to an old copy and grew again, so the hint says more than its entries do."""
    kept = (ledger / "positions.json").read_bytes()
    for folder in (ledger, here / "home" / "analysis"):
        shutil.rmtree(folder)
    (here / "few.jsonl").write_text("".join(map(line, range(10))))
    assert andon("record", "few.jsonl", "--producer", "q")[0] == 0
    (ledger / "positions.json").write_bytes(kept)
    code, _, err = andon("evidence", "verify", "log")
    assert (code, "it was rolled back" in err) == (1, True), err
    (here / "other.jsonl").write_text("".join(line(number, score=0.5) for number in range(700)))
    assert json.loads(andon("record", "other.jsonl", "--producer", "r", "--json")[1])["events"] == 700
    (ledger / "positions.json").write_bytes(kept)
    code, _, err = andon("evidence", "verify", "log")
    assert (code, "have another root" in err) == (1, True), err
    assert json.loads(andon("record", "events.jsonl", "--producer", "q", "--json")[1])["events"] == 690


def test_a_hint_is_not_written_when_only_the_log_knows(ledger: Path, here: Path, andon: Andon) -> None:
    """The disk is full in the middle of a batch: what was planned is not what is recorded."""
    (here / "more.jsonl").write_text("".join(map(line, range(2_000))))
    before = (ledger / "positions.json").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Disk, "sync", full)
        assert andon("record", "more.jsonl", "--producer", "q")[0] == 4
    assert (ledger / "positions.json").read_bytes() == before
    assert andon("record", "more.jsonl", "--producer", "q")[0] == 0
    with open_ledger(None) as opened:
        headers = [parse_header(header) for _, header in opened.log.headers()]
    assert [each["id"] for each in headers if each["kind"] == "prediction"] == [f"p{n}" for n in range(2_000)]


# Keys


@pytest.mark.parametrize("name", ["signing.key", "pseudonym.key"])
def test_a_key_that_is_gone_is_not_replaced(ledger: Path, andon: Andon, name: str) -> None:
    key = ledger.parent / name
    kept = key.read_bytes()
    for content in (None, b"hello\n", b"\xff\xfe", b"aGVsbG8=\n"):
        key.unlink() if content is None else key.write_bytes(content)
        for words in (("evidence", "verify", "log"), ("record", "events.jsonl"), ("evidence", "prove", "p3")):
            code, _, err = andon(*words)
            assert (code, f"{name} is " in err, "put back" in err) == (2, True, True), err
        assert key.exists() is (content is not None)
    key.write_bytes(kept)
    assert andon("evidence", "verify", "log")[0] == 0


def test_a_key_is_not_made_where_a_log_lost_its_checkpoint_too(ledger: Path, andon: Andon) -> None:
    for name in ("signing.key", "pseudonym.key", "w-main/checkpoint", "journal/checkpoint"):
        (ledger.parent / name).unlink()
    for words in (("evidence", "verify", "log"), ("record", "events.jsonl")):
        code, _, err = andon(*words)
        assert (code, "signing.key is missing" in err) == (2, True), err
    assert not (ledger.parent / "signing.key").exists()
    assert not (ledger.parent / "pseudonym.key").exists()


# A damaged tree


def test_no_proof_is_handed_out_of_a_damaged_tree(ledger: Path, here: Path, andon: Andon) -> None:
    flip(ledger / "tiles" / "0.bin", 3)
    for words in (("prove", "p0"), ("export", "last", "--out", "b.zip")):
        code, out, err = andon("evidence", *words)
        assert (code, out, "0.bin" in err, "entries 0 to 255" in err) == (1, "", True, True), err
    assert not (here / "b.zip").exists()
    flip(ledger / "tiles" / "0.bin", 3)
    flip(ledger / "tiles" / "0.bin", -5)  # no tile stands above the last, incomplete one
    code, out, err = andon("evidence", "prove", "p598")
    assert (code, out) == (1, ""), err


@pytest.mark.parametrize("level", [0, 1])
def test_a_tile_is_named_and_not_the_entries_over_it(ledger: Path, andon: Andon, level: int) -> None:
    flip(ledger / "tiles" / f"{level}.bin", 3)
    code, _, err = andon("evidence", "verify", "log")
    assert (code, f"{level}.bin" in err) == (1, True), err
    (ledger / "tiles" / f"{level}.bin").unlink()
    code, _, err = andon("evidence", "verify", "log")
    assert (code, f"{level}.bin is missing" in err) == (1, True), err


def test_a_cut_index_is_named(ledger: Path, andon: Andon) -> None:
    path = next(iter(sorted((ledger / "evidence").glob("*.ids"))))
    path.write_bytes(path.read_bytes()[:-3])
    code, _, err = andon("evidence", "prove", "p3")
    assert (code, f"{path} is cut short" in err) == (1, True), err


def test_a_flipped_byte_of_the_evidence_names_the_entry(tmp_path: Path) -> None:
    with open_log(tmp_path, Hasty(), segment=600) as log:
        log.append([entry_of(number, 200) for number in range(600)])
    [path] = (tmp_path / "evidence").glob("*.parquet")
    where = path.read_bytes().index((123).to_bytes(16, "big"))  # its salt, which is stored as it is
    flip(path, where + 7)
    with open_log(tmp_path, Hasty(), segment=600) as log, pytest.raises(Tampered, match="is damaged at entry 123: "):
        verify_folder(log, SIGNER.verifier)


def test_the_journals_log_is_verified_too(ledger: Path, andon: Andon) -> None:
    assert "of the journal's log" in andon("evidence", "verify", "log")[1]
    [wal] = (ledger.parent / "journal" / "wal").iterdir()
    flip(wal, 100)
    code, _, err = andon("evidence", "verify", "log")
    assert (code, wal.name in err, "journal" in err) == (1, True, True), err


def test_a_journal_that_is_gone_is_missed(ledger: Path, andon: Andon) -> None:
    shutil.rmtree(ledger.parent / "journal")
    code, out, _ = andon("evidence", "verify", "log")
    assert (code, "acts of custody (1 of its entries)" in out, "ledger/journal" in out) == (0, True, True), out


def test_a_log_that_is_shorter_than_the_journal_knows_is_named(ledger: Path, here: Path, andon: Andon) -> None:
    """Its folder was removed, and a later command began it anew: alone, that looks whole."""
    shutil.rmtree(ledger)
    assert andon("evidence", "verify", "log")[0] == 2
    (here / "few.jsonl").write_text("".join(map(line, range(3))))
    assert andon("record", "few.jsonl")[0] == 0
    code, _, err = andon("evidence", "verify", "log")
    assert (code, "the journal knows a seal at 70" in err, str(ledger) in err, "copy" in err) == (1, *[True] * 3), err


def test_a_log_rolled_back_to_just_before_its_last_seal_is_told(ledger: Path, here: Path, andon: Andon) -> None:
    """It has as many entries as the seal's act names, as after a crash between the journal and the log."""
    shutil.copytree(ledger, here / "old")
    assert andon("evidence", "seal", "--model", "loan", "--reason", "INC-2")[0] == 0
    shutil.rmtree(ledger)
    shutil.copytree(here / "old", ledger)
    _, out, _ = andon("evidence", "verify", "log")
    assert ("does not have: after a crash" in out, "rolled back" in out) == (True, True), out
    [seal] = json.loads(andon("evidence", "verify", "log", "--json")[1])["not_in_log"]
    assert seal in out
    assert andon("evidence", "seal", "--model", "loan", "--reason", "INC-3")[0] == 0
    assert seal in andon("evidence", "verify", "log")[1]


def test_a_journal_that_lacks_acts_of_the_log_is_told(ledger: Path, here: Path, andon: Andon) -> None:
    journal = ledger.parent / "journal"
    shutil.copytree(journal, here / "old")
    _, out, _ = andon("evidence", "seal", "--model", "loan", "--reason", "INC-2", "--json")
    shutil.rmtree(journal)
    shutil.copytree(here / "old", journal)
    found = json.loads(andon("evidence", "verify", "log", "--json")[1])
    assert (found["not_in_log"], found["not_in_journal"]) == ([], [json.loads(out)["seal_id"]])
    assert "that the journal's log beside it does not have" in found["text"]


def test_a_checkpoint_is_compared_with_a_receipt_too(ledger: Path, here: Path, andon: Andon) -> None:
    shutil.copy(ledger / "checkpoint", here / "kept")
    code, out, _ = andon("evidence", "verify", "checkpoint", "--against", "kept")
    assert (code, "goes on from" in out) == (0, True), out
    (here / "forged").write_bytes((here / "kept").read_bytes().replace(b"70", b"71", 1))
    assert andon("evidence", "verify", "checkpoint", "--against", "forged")[0] == 1


def test_a_torn_end_of_the_journal_is_told(ledger: Path, andon: Andon) -> None:
    [wal] = (ledger.parent / "journal" / "wal").iterdir()
    wal.write_bytes(wal.read_bytes() + b"EVG1half")
    code, out, _ = andon("evidence", "verify", "log")
    assert (code, "the last 8 bytes of the journal's" in out) == (0, True), out


def test_files_of_the_ledger_that_nothing_reads_are_named(ledger: Path, andon: Andon) -> None:
    [ids, *_] = sorted((ledger / "evidence").glob("*.ids"))
    for stranger in (ids.with_name(f"{7:020d}-9.ids"), ledger / "tiles" / "2.bin"):
        shutil.copy(ids, stranger)
        code, _, err = andon("evidence", "verify", "log")
        assert (code, str(stranger) in err, "move it" in err) == (1, True, True), err
        stranger.unlink()
    assert andon("evidence", "verify", "log")[0] == 0


def test_another_key_of_pseudonyms_is_thought_of(ledger: Path, here: Path, andon: Andon) -> None:
    (here / "more.jsonl").write_text("".join(line(number, subject=f"s{number}") for number in range(700, 1_000)))
    assert andon("record", "more.jsonl")[0] == 0
    (ledger.parent / "pseudonym.key").write_bytes((ledger.parent / "signing.key").read_bytes())
    code, _, err = andon("evidence", "verify", "log")
    assert (code, "pseudonym.key" in err) == (1, True), err


# What stands there besides


@pytest.mark.parametrize("place", ["loan/x/{}", "evil/{}", "x.csv", "loan/{}.bak"])
def test_strangers_among_the_tables_are_named(ledger: Path, here: Path, andon: Andon, place: str) -> None:
    analysis = here / "home" / "analysis"
    [table, *_] = sorted((analysis / "loan").iterdir())
    path = analysis / place.format(table.name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(table.read_bytes())
    code, _, err = andon("evidence", "verify", "log")
    assert (code, table.name in err or str(path) in err) == (1, True), err
    path.unlink()
    (analysis / "linked").symlink_to(analysis / "loan")
    assert andon("evidence", "verify", "log")[0] == 1
    assert ledger.exists()


def test_what_may_not_be_read_is_not_called_tampered(
    ledger: Path, andon: Andon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root reads anything, so the refusal of the file system is put in its place."""

    def denied(path: object, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    for where, name in ((segment.pq, "ParquetFile"), (Path, "iterdir"), (Path, "read_bytes")):
        with monkeypatch.context() as patch:
            patch.setattr(where, name, denied)
            code, _, err = andon("evidence", "verify", "log")
        assert (code, "Permission denied" in err, "cannot" in err) in {(4, True, True), (2, True, True)}, err
    assert ledger.exists()


def test_odd_things_in_the_folders_end_in_a_sentence(ledger: Path, andon: Andon) -> None:
    for odd in ("wal/99999999999999999999999.wal", "wal/99999999999999999999.wal", "wal/x.wal"):
        (ledger / odd).write_bytes(b"")
        for words in (("evidence", "verify", "log"), ("record", "events.jsonl")):
            code, _, err = andon(*words)
            assert (code, "is no name of a write-ahead log" in err) == (1, True), err
        (ledger / odd).unlink()
    note = (ledger / "checkpoint").read_bytes()
    for make in (Path.mkdir, os.mkfifo):
        (ledger / "checkpoint").unlink()
        make(ledger / "checkpoint")
        for words in (("evidence", "verify", "log"), ("record", "events.jsonl"), ("evidence", "hold")):
            code, _, err = andon(*words)
            assert (code, "checkpoint" in err) == (1, True), err
        (ledger / "checkpoint").rmdir() if (ledger / "checkpoint").is_dir() else (ledger / "checkpoint").unlink()
        (ledger / "checkpoint").write_bytes(note)


def test_a_forged_header_is_named_before_the_table_that_was_made_of_it(ledger: Path, andon: Andon) -> None:
    [path, *_] = sorted((ledger / "evidence").glob("*.parquet"))
    rows = [entry for _, _, entry in read_segment(path, SegmentName.of(path))]
    for forged in (b'{"id":"p","v":1}', rows[5].header.replace(b'"model_id":"loan"', b'"model_id":"moan"'), b"[]"):
        changed = [*rows[:5], Entry(forged, rows[5].salt, rows[5].payload), *rows[6:]]
        path.write_bytes(encode_segment(segment_table(0, changed, [leaf_hash(row.header) for row in changed])))
        code, _, err = andon("evidence", "verify", "log")
        assert (code, f"entry 5 in {path.name}" in err) == (1, True), err


# Where nobody may write


def test_an_auditor_may_not_write(ledger: Path, here: Path, andon: Andon) -> None:
    receipt = here / "receipt.json"
    receipt.write_text(andon("evidence", "seal", "--model", "loan", "--reason", "INC-2", "--json")[1])
    before = {path: path.stat().st_mtime_ns for path in here.joinpath("home").rglob("*")}
    for words in (("log", "--against", str(receipt)), ("checkpoint",), ("consistency", "--against", str(receipt))):
        assert andon("evidence", "verify", *words)[0] == 0
    assert {path: path.stat().st_mtime_ns for path in here.joinpath("home").rglob("*")} == before
    shutil.copytree(here / "home", here / "copy")
    (here / "copy" / "ledger" / "w-main" / "lock").unlink()  # of no use in a copy
    assert andon("evidence", "verify", "log", "--data", str(here / "copy"))[0] == 0
    assert not (here / "copy" / "ledger" / "w-main" / "lock").exists()


def test_a_folder_that_nobody_may_write_to(ledger: Path, andon: Andon, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere but to a disk that is mounted read-only, as the error says here."""
    real = logs.os.open

    def read_only(path: object, flags: int, *more: int, **others: int) -> int:
        if flags & (logs.os.O_WRONLY | logs.os.O_RDWR | logs.os.O_CREAT) and str(ledger) in str(path):
            raise OSError(30, "Read-only file system", str(path))
        return real(path, flags, *more, **others)

    monkeypatch.setattr(logs.os, "open", read_only)
    assert andon("evidence", "verify", "log")[0] == 0
    for words in (("prove", "p3"), ("hold",)):
        code, out, err = andon("evidence", *words)
        assert (code, out, "Read-only file system" in err, "verify" in err) == (4, "", True, True), err


def test_a_torn_end_is_told_and_left_to_who_writes(ledger: Path, andon: Andon) -> None:
    [wal] = (ledger / "wal").iterdir()
    whole = wal.read_bytes()
    wal.write_bytes(whole + b"EVG1half")
    code, out, _ = andon("evidence", "verify", "log")
    assert (code, f"the last 8 bytes of {wal.name}, from byte {len(whole):,} on" in out) == (0, True), out
    assert json.loads(andon("evidence", "verify", "log", "--json")[1])["torn"]["bytes"] == 8
    assert wal.read_bytes() == whole + b"EVG1half"
    assert andon("record", "events.jsonl")[0] == 0
    assert len(list((ledger / "quarantine").iterdir())) == 1
    assert andon("evidence", "verify", "log")[1].count("note:") == 0


def test_what_a_broken_closing_left_is_no_damage(tmp_path: Path) -> None:
    """At each moment of a closing and a deletion, who only reads finds the log whole."""
    moments = tmp_path / "moments"

    class Copying(Hasty):
        count = 0

        def rename(self, source: Path, target: Path) -> None:
            super().rename(source, target)
            self._copy()

        def remove(self, path: Path) -> None:
            super().remove(path)
            self._copy()

        def _copy(self) -> None:
            Copying.count += 1
            shutil.copytree(tmp_path / "log", moments / str(self.count))

    with open_log(tmp_path / "log", Copying(), segment=64) as log:
        for number in range(5):
            log.append([entry_of(number * 40 + each) for each in range(40)])
        log.prune(make_entry({"kind": "retention_delete", "at": "2026-03-01T00:00:00.000000Z", "first": 0, "end": 64}))
        settings = log.settings
    assert Copying.count > 15
    for moment in moments.iterdir():
        if (moment / "checkpoint").exists():
            verify_folder(Snapshot(moment, SIGNER.verifier, settings, is_live=False), SIGNER.verifier)


def test_what_looks_left_by_a_closing_has_to_be_of_the_log(tmp_path: Path) -> None:
    """A forged table or evidence file of the open entries is none that a closing would have made."""
    with open_log(tmp_path / "log", Hasty(), segment=64) as log:
        log.append([entry_of(number) for number in range(100)])
        settings = log.settings
    [table] = (tmp_path / "log" / "analysis" / "m").iterdir()
    [evidence] = (tmp_path / "log" / "evidence").glob("*.parquet")
    for source, target in (
        (table, "analysis/m/{:020d}-10.parquet"),
        (table, "analysis/m/{:020d}-30000.parquet"),
        (evidence, "evidence/{:020d}-37.parquet"),
    ):
        forged = tmp_path / "log" / target.format(64)
        forged.write_bytes(source.read_bytes())
        with pytest.raises(Tampered, match=forged.name):
            verify_folder(Snapshot(tmp_path / "log", SIGNER.verifier, settings, is_live=False), SIGNER.verifier)
        forged.unlink()


def test_a_table_that_a_power_cut_kept_without_its_evidence_file_goes(tmp_path: Path) -> None:
    """A rename in one folder may last where that in another, before it, does not."""
    with open_log(tmp_path / "log", Hasty(), segment=64) as log:
        log.append([entry_of(number) for number in range(40)])
        settings = log.settings
    shutil.copytree(tmp_path / "log", tmp_path / "cut")
    with open_log(tmp_path / "log", Hasty(), segment=64) as log:
        log.close_segment()
    [table] = (tmp_path / "log" / "analysis" / "m").iterdir()
    (tmp_path / "cut" / "analysis" / "m").mkdir()
    shutil.copy(table, tmp_path / "cut" / "analysis" / "m")
    verify_folder(Snapshot(tmp_path / "cut", SIGNER.verifier, settings, is_live=False), SIGNER.verifier)
    with open_log(tmp_path / "cut", Hasty(), segment=64) as log:
        assert not list((tmp_path / "cut" / "analysis" / "m").iterdir())
        log.append([entry_of(number) for number in range(40, 70)])
        assert verify_folder(log, SIGNER.verifier).segments == 1


def test_a_torn_end_that_was_put_aside_and_edited_is_named(ledger: Path, andon: Andon) -> None:
    [wal] = (ledger / "wal").iterdir()
    wal.write_bytes(wal.read_bytes() + b"EVG1half")
    assert andon("record", "events.jsonl")[0] == 0
    [torn] = (ledger / "quarantine").iterdir()
    torn.write_bytes(b"EVG1other")
    code, _, err = andon("evidence", "verify", "log")
    assert (code, torn.name in err) == (1, True), err


def test_a_torn_end_that_was_put_aside_and_is_gone_is_named(ledger: Path, here: Path, andon: Andon) -> None:
    [wal] = (ledger / "wal").iterdir()
    wal.write_bytes(wal.read_bytes() + b"EVG1half")
    (here / "more.jsonl").write_text("".join(map(line, range(700, 703))))
    assert andon("record", "more.jsonl")[0] == 0
    [torn] = (ledger / "quarantine").iterdir()
    for damage in (torn.unlink, lambda: torn.with_name("foo.torn").write_bytes(b"x")):
        kept = torn.read_bytes()
        damage()
        code, _, err = andon("evidence", "verify", "log")
        assert (code, "put aside" in err, "copy" in err) == (1, True, True), err
        torn.write_bytes(kept)


# A model without a name, as an earlier version took it


def test_a_log_with_a_model_without_a_name_is_whole(tmp_path: Path) -> None:
    with open_log(tmp_path, Hasty(), segment=8) as log:
        header = {"kind": "prediction", "id": "x", "ts": "2026-03-01T00:00:00.000000Z", "model_id": ""}
        log.append([entry_of(1), make_entry(header, bytes(16), b'{"id":"x"}'), *map(entry_of, range(2, 10))])
    assert folder_name("") == ""
    with open_log(tmp_path, Hasty(), segment=8) as log:
        assert verify_folder(log, SIGNER.verifier).segments == 1
        log.prune(make_entry({"kind": "retention_delete", "at": "2026-03-01T00:00:00.000000Z", "first": 0, "end": 8}))
        assert not list((tmp_path / "analysis").rglob("*.parquet"))


# Words


def test_a_lost_checkpoint_and_another_key_are_named(ledger: Path, here: Path, andon: Andon) -> None:
    note = (ledger / "checkpoint").read_bytes()
    (here / "kept").write_bytes(note.replace(b"andon.local/w-main", b"andon.local/w-9"))
    code, _, err = andon("evidence", "verify", "log", "--against", "kept")
    assert (code, err.startswith("andon: kept: "), "w-9" in err) == (1, True, True), err
    (ledger / "checkpoint").unlink()
    code, _, err = andon("evidence", "verify", "log")
    assert (code, f"{ledger / 'checkpoint'} is missing" in err, "from a copy" in err) == (1, True, True), err
    (ledger / "checkpoint").write_bytes(note[:-9])
    code, _, err = andon("evidence", "verify", "log")
    assert (code, f"{ledger / 'checkpoint'}: " in err, "from a copy" in err) == (1, True, True), err


def test_the_key_that_came_another_way(ledger: Path, here: Path, andon: Andon) -> None:
    receipt = json.loads(andon("evidence", "seal", "--model", "loan", "--reason", "INC-2", "--json")[1])
    assert andon("evidence", "export", "last", "--out", "b.zip")[0] == 0
    other = SIGNER.verifier.vkey()
    for words in (("log",), ("bundle", "b.zip"), ("checkpoint",)):
        assert andon("evidence", "verify", *words, "--vkey", receipt["vkey"])[0] == 0
        assert andon("evidence", "verify", *words, "--vkey", other)[0] == 1
    code, _, err = andon("evidence", "verify", "log", "--vkey", "key")
    assert (code, "--vkey" in err) == (2, True)
    assert ledger.exists()
