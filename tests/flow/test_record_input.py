"""What `andon record` is given to read: each odd thing is refused in one sentence, and nothing is lost in silence."""

import io
import json
import os
import sys
import threading
from types import SimpleNamespace

import duckdb
import pytest

from andon.bootstrap.ledger import open_ledger
from andon.interfaces.cli import app

EVENT = {"ts": "2026-03-01T00:00:00Z", "model_id": "m"}
LINE = json.dumps(EVENT | {"id": "p1"}).encode() + b"\n"
NO_NUMBERS = ("nan", "inf", "-inf", "1e999")


@pytest.fixture
def andon(monkeypatch, capsys, tmp_path):
    """Runs the command line in this process, with what stands on standard input; gives exit code, stdout, stderr."""
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["andon", *arguments])
        given = io.BytesIO(stdin) if isinstance(stdin, bytes) else stdin
        monkeypatch.setattr(sys, "stdin", given and SimpleNamespace(buffer=given, isatty=lambda: False))
        with pytest.raises(SystemExit) as left:
            app.main()
        printed = capsys.readouterr()
        return left.value.code, printed.out, printed.err

    return run


def refused(done):
    code, out, err = done
    assert (code, out, err.count("\n")) == (2, "", 1), done
    return err


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_pipe_is_not_read_twice_and_found_empty(andon, tmp_path, dry):
    os.mkfifo(tmp_path / "pipe")
    assert "is a pipe or a device" in refused(andon("record", "pipe", *dry))
    read, write = os.pipe()
    threading.Thread(target=lambda: (os.write(write, LINE), os.close(write))).start()
    assert "| andon record -" in refused(andon("record", f"/dev/fd/{read}", *dry))
    os.close(read)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "is no name of a file"),
        ("folder", "folder is a folder: name its files, such as folder/*.jsonl"),
        ("/dev/zero", "is a pipe or a device"),
        ("/dev/null", "is a pipe or a device"),
        ("log.parquet", "log.parquet is Parquet: name the model.yaml that maps its columns with --model"),
        ("log.jsonl.gz", "log.jsonl.gz is compressed: unpack it first"),
        ("nowhere.jsonl", "cannot read nowhere.jsonl: No such file"),
    ],
)
def test_what_is_no_file_of_lines(andon, tmp_path, name, said):
    (tmp_path / "folder").mkdir()
    (tmp_path / "log.parquet").write_bytes(b"PAR1\0\0")
    (tmp_path / "log.jsonl.gz").write_bytes(b"\x1f\x8b\x08")
    assert said in refused(andon("record", name))


def test_a_file_named_twice_is_recorded_once(andon, tmp_path):
    (tmp_path / "log.jsonl").write_bytes(LINE)
    assert json.loads(andon("record", "log.jsonl", "log.jsonl", "--json")[1])["events"] == 1
    assert json.loads(andon("record", "log.jsonl", "--json")[1])["repeated"] == 1


def test_decisions_that_stand_in_the_log_already_are_told(andon, tmp_path):
    """The same lines under another producer are recorded again, as they may be others; it is told."""
    (tmp_path / "log.jsonl").write_bytes(LINE)
    assert json.loads(andon("record", "log.jsonl", "--json")[1])["first_id_known_as"] is None
    assert andon("record", "log.jsonl")[2] == ""  # the same file is not recorded again
    code, _, err = andon("record", "log.jsonl", "--producer", "queue-7")
    assert (code, err.startswith("note: p1 stands in the log already, as entry 1: if these are the same")) == (0, True)
    again = ("record", "log.jsonl", "--producer", "queue-8")
    assert json.loads(andon(*again, "--json")[1])["first_id_known_as"] == 1
    outcome = json.dumps(EVENT | {"kind": "outcome", "id": "p1", "label": True}).encode() + b"\n"
    other = json.dumps(EVENT | {"id": "p1", "model_id": "other"}).encode() + b"\n"
    for lines, told in ((outcome, False), (other, False), (outcome + LINE, True)):
        code, _, err = andon("record", "-", stdin=lines)
        assert (code, "stands in the log already" in err) == (0, told), err


def test_rows_of_an_edited_model_file_are_told_too(andon, tmp_path):
    (tmp_path / "log.csv").write_text("id,ts,income\np1,2026-03-01T00:00:00Z,5\np2,2026-03-01T00:00:01Z,6\n")
    for features, told in (("", False), ("features: [income]\n", True)):
        (tmp_path / "model.yaml").write_text(f"model_id: m\nid_column: id\ntime_column: ts\n{features}")
        code, _, err = andon("record", "log.csv", "--model", "model.yaml")
        assert (code, "note: p1 stands in the log already, as entry 1" in err) == (0, told), err


def test_of_several_files_only_the_new_ones_are_recorded(andon, tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.jsonl").write_text(
            "".join(json.dumps(EVENT | {"id": f"{name}{n}"}) + "\n" for n in range(5))
        )
    assert andon("record", "a.jsonl")[0] == 0
    for words, new, known in ((("a", "b"), 5, 5), (("b", "c", "a"), 5, 10), (("a", "b", "c"), 0, 15)):
        done = json.loads(andon("record", *(f"{name}.jsonl" for name in words), "--json")[1])
        assert (done["events"], done["repeated"]) == (new, known)


def test_a_bad_line_is_named_by_its_file_and_its_number_there(andon, tmp_path):
    (tmp_path / "a.jsonl").write_bytes(LINE + b"\n\n" + LINE)
    (tmp_path / "b.jsonl").write_bytes(LINE + b"\n \r\n{}\n")
    assert "b.jsonl: 1 line is no event: line 4: id is missing" in refused(andon("record", "a.jsonl", "b.jsonl"))
    assert json.loads(andon("record", "a.jsonl", "--dry-run", "--json")[1])["events"] == 2
    (tmp_path / "long.jsonl").write_bytes(LINE + b'{"id":"' + b"x" * 5_000_000)
    assert "line 2: is over the limit of 1 MiB" in refused(andon("record", "long.jsonl"))


@pytest.mark.parametrize("name", ["", " ", "a b", "\udcff", "key:x", "x" * 101, "a\nb"])
def test_a_producer_is_named_as_a_server_takes_it(andon, name):
    assert "--producer is no name: write 1 to 100 letters" in refused(
        andon("record", "-", "--producer", name, stdin=LINE)
    )
    assert andon("record", "-", "--producer", "queue-7", stdin=LINE)[0] == 0


class Endless(io.RawIOBase):
    """As /dev/zero."""

    given = 0

    def readable(self):
        return True

    def readinto(self, room):
        self.given += len(room)
        assert self.given < 64 << 20, "it is read without end"
        room[:] = b"0" * len(room)
        return len(room)


def test_a_line_without_an_end_is_not_kept(andon):
    stdin = io.BufferedReader(Endless())
    assert "line 1: is over the limit of 1 MiB" in refused(andon("record", "-", stdin=stdin))
    long = json.dumps(EVENT | {"id": "p1", "subject": "x" * (2 << 20)}).encode() + b"\n"
    err = refused(andon("record", "-", stdin=LINE + long + LINE))
    assert "1 line is no event: line 2: is over the limit of 1 MiB: leave some of its inputs out; nothing" in err
    assert json.loads(andon("record", "-", "--json", stdin=b" " * (3 << 20) + b"\n" + LINE)[1])["events"] == 1


@pytest.mark.parametrize("more", [b"", b"no JSON", b" "])
def test_white_space_makes_a_line_too_long_as_in_a_file(andon, tmp_path, more):
    """Nothing behind it may be dropped without a word."""
    long = LINE.rstrip() + b" " * (1 << 20) + more + b"\n"
    (tmp_path / "long.jsonl").write_bytes(long + LINE + b"garbage\n")
    for given in ({"stdin": long + LINE + b"garbage\n"}, {}):
        err = refused(andon("record", "-" if given else "long.jsonl", **given))
        assert "line 1: is over the limit of 1 MiB" in err


def test_lines_of_standard_input_have_the_numbers_that_they_have_in_a_file(andon):
    assert "line 5: id is missing" in refused(andon("record", "-", stdin=b"\n\n" + LINE + b"\n{}\n"))


def test_what_is_nested_without_end_on_standard_input(andon):
    assert "line 1: is nested more than 100 deep" in refused(andon("record", "-", stdin=b'{"inputs":' + b"[" * 100_000))


class Broken(io.RawIOBase):
    """A disk that fails."""

    def readable(self):
        return True

    def readinto(self, _):
        raise OSError(5, "Input/output error")


def test_standard_input_that_is_not_there_or_breaks(andon):
    assert "there is no standard input" in refused(andon("record", "-", stdin=None))
    assert "cannot read standard input: Input/output error" in refused(
        andon("record", "-", stdin=io.BufferedReader(Broken()))
    )


def test_lines_of_windows_and_empty_ones(andon, tmp_path):
    (tmp_path / "log.jsonl").write_bytes(b"\r\n" + LINE.strip() + b"\r\n \r\n")
    assert "1 event is on disk" in andon("record", "log.jsonl")[1]
    assert andon("record", "log.jsonl", stdin=None)[:2] == (0, "1 event was recorded before and left alone\n")
    for content in (b"", b"\n \r\n"):
        (tmp_path / "empty.jsonl").write_bytes(content)
        assert andon("record", "empty.jsonl")[:2] == (0, "no events, nothing recorded\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "\udcff", "--reason", "x"), "the model's id holds bytes that are no text: write"),
        (("--model", " ", "--reason", "x"), "the model's id is empty: write"),
        (("--model", "m", "--reason", "\udcff"), "the reason holds bytes that are no text: write"),
        (("--model", "m", "--reason", ""), "the reason is empty: write"),
    ],
)
def test_a_seal_that_names_nothing(andon, words, said):
    andon("record", "-", stdin=LINE)
    assert said in refused(andon("evidence", "seal", *words))


def test_a_seal_from_the_first_days_of_the_calendar_has_no_beginning(andon):
    andon("record", "-", stdin=LINE)
    words = ("--model", "m", "--reason", "x", "--since", "0001-01-01T00:00:00Z")
    assert andon("evidence", "seal", *words)[0] == 0
    assert json.loads(andon("evidence", "hold", "--json")[1])["holds"][0]["since"] is None


def test_what_is_no_number_becomes_null_in_rows_that_a_model_file_maps(andon, tmp_path):
    columns = "model_id: m\nid_column: id\ntime_column: ts\nprediction_column: prediction\n"
    (tmp_path / "model.yaml").write_text(columns)
    (tmp_path / "log.csv").write_text(
        "id,ts,prediction,x\n" + "".join(f"p{x},{EVENT['ts']},1,{x}\n" for x in NO_NUMBERS)
    )
    rows = (
        f'{{"id": "q{x}", "ts": "{EVENT["ts"]}", "prediction": 1, "x": {x}}}\n' for x in ("NaN", "Infinity", "1e999")
    )
    (tmp_path / "log.jsonl").write_text("".join(rows))
    values = ", ".join(f"('r{x}', timestamptz '{EVENT['ts']}', 1, '{x}'::double)" for x in NO_NUMBERS[:3])
    duckdb.sql(f"copy (from (values {values}) t(id, ts, prediction, x)) to '{tmp_path / 'log.parquet'}'")
    for name in ("log.csv", "log.jsonl", "log.parquet"):
        assert andon("record", name, "--model", "model.yaml")[0] == 0
    with open_ledger(str(tmp_path / "home")) as ledger:
        events = [json.loads(entry.payload) for _, entry in ledger.log.read() if b'"prediction"' in entry.header]
    assert [(each["prediction"], each["inputs"]) for each in events] == [(1, {"x": None})] * 10


def test_rows_are_checked_whole_before_the_first_is_recorded(andon, tmp_path):
    (tmp_path / "model.yaml").write_text("model_id: m\nid_column: id\ntime_column: ts\n")
    rows = [f"p{number},{EVENT['ts']},1" for number in range(1_500)] + [f"x,{EVENT['ts']},{'y' * (2 << 20)}"]
    (tmp_path / "log.csv").write_text("\n".join(["id,ts,x", *rows]) + "\n")
    err = refused(andon("record", "log.csv", "--model", "model.yaml"))
    assert "line 1501: is over the limit of 1 MiB: leave some of its inputs out; nothing was recorded" in err
    assert not (tmp_path / "home").exists()
