"""`andon demo` as a user runs it: the story, the incident at a server of its own, and nothing that stays behind."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from outline import Outline
from servers import eventually

PROGRAM = "from andon.interfaces.cli.app import main; main()"
SERVES = """
import sys, time
from pathlib import Path
from andon.bootstrap.demo_server import serving
with serving(Path(sys.argv[1])) as server:
    print(server.ask("GET", "/healthz"), flush=True)
    time.sleep(600)
"""


def running(folder):
    """Processes that work on something in a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if str(folder).encode() in words:
            found.append(words)
    return found


@pytest.fixture
def elsewhere(tmp_path):
    """The environment of somebody with an installation, which a demo must not touch, and folders to look into."""
    for name in ("here", "temporary", "home"):
        (tmp_path / name).mkdir()
    wrong = "http://127.0.0.1:9"
    mine = {"ANDON_SERVER": wrong, "ANDON_TOKEN": "x", "ANDON_HOME": str(tmp_path / "home"), "ANDON_TRACKER_URL": wrong}
    mine |= {"ANDON_DATABASE": "postgresql://nobody@127.0.0.1:9/none"}
    return {"PATH": "/usr/bin:/bin", **mine, "TMPDIR": str(tmp_path / "temporary"), "HOME": str(tmp_path / "home")}


def test_the_demo_ends_by_itself_elsewhere_without_a_terminal(tmp_path, elsewhere):
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", PROGRAM, "demo", "--html", "demo.html"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=tmp_path / "here",
        env=elsewhere,
    )
    assert (done.returncode, done.stderr) == (0, "")
    written = [each for name in ("here", "temporary", "home") for each in (tmp_path / name).iterdir()]
    assert written == [tmp_path / "here" / "demo.html"]
    assert "demo.html" in done.stdout
    read = Outline(written[0].read_text(encoding="utf-8"))
    assert set(read.commands) == {"andon show detectors", "andon demo --html demo.html"}
    assert running(tmp_path) == []
    page = " ".join(done.stdout.split())
    for told in (
        "accuracy even rose",
        "late flights given a crew",
        "What Andon saw",
        "305 decisions differ",
        "OK: ",
        "FAILED: ",
        "Your own log",
    ):
        assert told in page
    shown = page[page.index("What a responder sees") :]
    assert re.search(r"●●● AI-INC-20\d\d-0001 P0 critical, declared", shown)
    for question in ("what", "since", "how many", "you may", "who", "deadline"):
        assert f" {question} " in shown
    assert "1,159 decisions touched" in shown
    assert "response: running, 0% used" in shown
    assert re.search(r"Sealed at once, as seal_\w{26}, over 1\d\d,\d{3} entries", shown)


def test_its_server_ends_when_the_demo_is_killed(tmp_path):
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", SERVES, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as demo:
        assert "ok" in demo.stdout.readline()
        assert len(running(tmp_path)) >= 2  # it and its server
        demo.kill()
    eventually(lambda: not running(tmp_path))
