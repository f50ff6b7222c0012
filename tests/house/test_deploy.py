"""The unit and the container file start what there is, with paths and options that exist."""

import re
import shlex
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from servers import serving, stop

ROOT = Path(__file__).parents[2]


def unit():
    found = RawConfigParser(strict=False)
    found.optionxform = str
    found.read(ROOT / "deploy" / "andon.service")
    return found


def test_the_unit_starts_a_server(tmp_path):
    words = shlex.split(unit()["Service"]["ExecStart"])
    assert words[:2] == ["/opt/andon/bin/andon", "serve"]
    given = words[2:]
    assert given[0::2] == ["--data", "--listen"]
    assert given[1] == "/var/lib/" + unit()["Service"]["StateDirectory"]
    with serving(tmp_path) as server:
        assert stop(server)[0] == 0  # SIGTERM, as systemd sends


def test_systemd_finds_no_fault_with_the_unit(tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is missing: a container has no systemd")
    text = (ROOT / "deploy" / "andon.service").read_text().replace("/opt/andon/bin/andon", "/bin/true")
    (tmp_path / "andon.service").write_text(text)
    words = [program, "verify", tmp_path / "andon.service"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")


def test_the_container_file_copies_what_exists_and_runs_as_nobody_special():
    text = (ROOT / "Containerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    assert re.search(r"^USER andon$", text, re.MULTILINE)
    assert '["serve", "--data", "/data", "--listen", "0.0.0.0:8600"]' in text
    ignored = (ROOT / ".containerignore").read_text().split()
    assert not {"src", "requirements", "pyproject.toml", "README.md"} & set(ignored)
