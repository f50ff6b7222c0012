"""Every error is one line and an exit code; the report holds no data."""

import signal

import pytest

from andon.base.errors import AndonError, BadInput, NotFound, Refused, Tampered, Unavailable
from andon.interfaces.cli import edge


def code_of(command):
    with pytest.raises(SystemExit) as left:
        edge.leave(command)
    return left.value.code


def raising(error):
    def command():
        raise error

    return command


@pytest.fixture(autouse=True)
def reports(tmp_path, monkeypatch):
    monkeypatch.setattr(edge.tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def signals():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("error", "code"), [(BadInput("x"), 2), (NotFound("x"), 2), (Unavailable("x"), 4)])
def test_codes(error, code, capsys):
    assert code_of(raising(error)) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("andon: ")
    assert printed.err.count("\n") == 1


def test_an_interrupt_is_silent(capsys):
    assert code_of(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == ""


def test_an_interrupt_that_a_library_turned_into_an_error_is_still_one(reports, capsys):
    def command():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None

    assert code_of(command) == 130
    assert capsys.readouterr().err == ""
    assert list(reports.iterdir()) == []


def test_done_is_nought():
    assert code_of(lambda: None) == 0


def test_a_command_leaves_with_its_own_code():
    assert code_of(raising(SystemExit(1))) == 1


def test_the_message_stays_on_one_line(capsys):
    code_of(raising(BadInput("first\nsecond \x1b[2J")))
    assert capsys.readouterr().err == "andon: first second [2J\n"


def test_an_unexpected_error_writes_a_report_without_data(reports, capsys):
    def command():
        secret = {"name": "Jane Roe"}
        try:
            secret["missing"]
        except KeyError as error:
            raise ValueError("Jane Roe is 44") from error

    assert code_of(command) == 70
    printed = capsys.readouterr().err
    (report,) = reports.iterdir()
    assert str(report) in printed
    assert "Traceback" not in printed
    text = report.read_text()
    assert "ValueError" in text
    assert "KeyError" in text
    assert "test_edge.py" in text
    assert "andon " in text
    assert "Jane" not in printed + text
    assert "44" not in text.replace("test_edge.py:44", "")


def test_without_a_place_for_the_report_it_still_leaves_with_70(monkeypatch, capsys):
    monkeypatch.setattr(edge.tempfile, "tempdir", "/nowhere")
    assert code_of(raising(ValueError())) == 70
    assert "no report could be written" in capsys.readouterr().err


def test_every_error_has_a_code():
    assert {edge.exit_code(kind("x")) for kind in AndonError.__subclasses__()} <= {1, 2, 3, 4}
    assert edge.exit_code(Tampered("x")) == 1
    assert edge.exit_code(Refused("x")) == 3
