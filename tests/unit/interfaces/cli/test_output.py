"""Files are written whole or not at all."""

import json
import os
from pathlib import Path

import pytest

from andon.base.errors import BadInput
from andon.interfaces.cli import output


def test_written_and_nothing_left_beside_it(tmp_path):
    target = tmp_path / "out.json"
    output.write_json({"a": "ü"}, str(target))
    output.write_json({"a": 2}, str(target))
    assert json.loads(target.read_text(encoding="utf-8")) == {"a": 2}
    assert [file.name for file in tmp_path.iterdir()] == ["out.json"]


def test_a_link_keeps_pointing(tmp_path):
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "out.json", tmp_path / "link.json"
    real.write_text("old")
    link.symlink_to(real)
    output.write_json({}, str(link))
    assert link.is_symlink()
    assert real.read_text() == "{}\n"


def test_a_device_is_written_to_and_never_replaced():
    output.write_json({}, os.devnull)
    assert not Path(os.devnull).is_file()


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "out.json"
    target.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output.os, "fsync", full)
    with pytest.raises(BadInput, match="No space left"):
        output.write_json({}, str(target))
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["out.json"]


def test_no_folder_is_said_before_the_work(tmp_path):
    with pytest.raises(BadInput, match="there is no folder"):
        output.require_place(str(tmp_path / "none" / "out.json"), ())


def test_a_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(BadInput, match="cannot write"):
        output.write_json({}, str(tmp_path))


def test_json_has_no_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        output.to_json({"a": float("nan")})
