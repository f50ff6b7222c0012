"""Every `andon` command that a document shows is run, in a folder that holds the bundled flights scenario.

Where no output is shown, the log holds the three weeks around the failure: a command does the same with fewer rows.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

import components
import servers
from houses import YEAR

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "tests" / "data" / "o11_flights_region_deprioritised"
ANDON = Path(sys.executable).with_name("andon")

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```(console|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SET_UP = ("make", "pip", "git", "cd")  # CI itself runs these; any other program in a document is a mistake
EXIT = re.compile(r"# (?:.*: )?exit (\d+)$")
LEFT_OUT = "…"  # as a line of shown output: any lines
WIDTH = "100"  # of the terminal that shown output was made on
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Shown:
    """A command as a document shows it, the exit codes that are right for it, and the output where it is shown."""

    where: str
    words: tuple[str, ...]
    exits: tuple[int, ...]
    output: tuple[str, ...]


def read_command(where: str, text: str, output: list[str]) -> Shown:
    """One command; `# exit 2` behind it states its exit code."""
    stated = EXIT.search(text)
    words = tuple(shlex.split(text, comments=True))
    return Shown(where, words, (int(stated[1]),) if stated else (0, 1), tuple(output))


def commands(document: Path) -> list[Shown]:
    """The commands of a document: each line of an `sh` block, each line behind a `$` of a `console` block."""
    text = document.read_text(encoding="utf-8")
    found = []
    for block in BLOCK.finditer(text):
        where = f"{document.relative_to(ROOT)}:{text.count(chr(10), 0, block.start()) + 1}"
        lines = block[2].replace("\\\n", " ").splitlines()  # a backslash continues a line
        if block[1] == "sh":
            found += [read_command(where, line, []) for line in lines if line.split("#")[0].strip()]
            continue
        starts = [i for i, line in enumerate(lines) if line.startswith("$ ")]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            found.append(read_command(where, lines[start].removeprefix("$ "), lines[start + 1 : end]))
    return found


def pattern(output: tuple[str, ...]) -> str:
    """What the command has to print, as a regular expression."""
    return "".join(r"(?:.*\n)*?" if line.strip() == LEFT_OUT else re.escape(line.rstrip()) + r"\n" for line in output)


SHOWN = [shown for document in DOCUMENTS for shown in commands(document)]
WITH_A_SERVER = ("incident", "ack", "watch", "search", "signal", "model", "change", "apply")
STORY = [
    shown
    for shown in SHOWN
    if shown.words[0] == "andon" and (shown.words[1] in WITH_A_SERVER or "--send" in shown.words)
]
OURS = [shown for shown in SHOWN if shown.words[0] == "andon" and shown not in STORY]
IN_THE_WHEEL = ("andon", "demo")
"""What `.ci/check-wheel` runs as it stands; tests/flow/test_demo.py reads what it prints."""
FULLEST_LAST = sorted((shown for shown in OURS if shown.words != IN_THE_WHEEL), key=lambda shown: len(shown.output))
ONCE = list({(shown.words, shown.exits): shown for shown in FULLEST_LAST}.values())
"""Documents repeat each other; of one command, the one whose output is shown is run."""


@pytest.fixture(scope="session")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log around the failure."""
    path = tmp_path_factory.mktemp("weeks") / "log.parquet"
    log = duckdb.read_parquet(str(SCENARIO / "log.parquet"))
    log.filter("ts >= '2001-05-01' and ts < '2001-05-22'").write_parquet(str(path))
    return path


@pytest.fixture
def folder(tmp_path: Path, weeks: Path) -> Path:
    """What a reader of the documents has before them."""
    for path in (weeks, SCENARIO / "reference.parquet", SCENARIO / "model.yaml"):
        shutil.copy(path, tmp_path / path.name)
    return tmp_path


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of the scenario's middle: recorded, sealed, and asked to be released by ada; and a bundle of it."""
    home = tmp_path_factory.mktemp("ledger")
    log, good = duckdb.read_parquet(str(SCENARIO / "log.parquet")), SCENARIO / "reference.parquet"
    log.filter("prediction_id between 'p0032000' and 'p0035000'").write_parquet(str(home / "part.parquet"))
    for words in (
        f"scan {home}/part.parquet --model {SCENARIO}/model.yaml --reference {good} --pin {home}/scan.pin --every 12h",
        f"record {home}/part.parquet --model {SCENARIO}/model.yaml",
        f"evidence seal --model {SCENARIO}/model.yaml --scan {home}/scan.pin --reason INC-1 --json",
        f"evidence export last --out {home}/bundle.zip",
    ):
        where = [] if words.startswith("scan") else ["--data", str(home)]
        done = subprocess.run([ANDON, *shlex.split(words), *where], capture_output=True, check=False)  # noqa: S603
        assert done.returncode in ((0, 1) if words.startswith("scan") else (0,)), done.stderr
        if "--json" in words:
            (home / "receipt.json").write_bytes(done.stdout)
    asked = [ANDON, "evidence", "release", "last", "--by", "ada", "--reason", "x", "--data", str(home)]
    assert subprocess.run(asked, capture_output=True, check=False).returncode == 3  # noqa: S603
    return home


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that has one token."""
    data = tmp_path_factory.mktemp("installation")
    words = ["token", "create", "--data", data, "--name", "x", "--role", "admin"]
    subprocess.run([ANDON, *words], capture_output=True, check=True)  # noqa: S603
    return data


@pytest.fixture
def with_ledger(request: pytest.FixtureRequest, shown: Shown, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of the ledger find one."""
    monkeypatch.setenv("ANDON_HOME", str(folder / "home"))
    if shown.words[1] in ("token", "doctor"):
        shutil.copytree(request.getfixturevalue("installation"), folder / "andon-data")
    if shown.words[1] == "evidence" or "ledger:" in shown.words:
        shutil.copytree(request.getfixturevalue("ledger"), folder / "home")
        for name in ("bundle.zip", "receipt.json", "scan.pin"):
            shutil.copy(folder / "home" / name, folder / name)


@pytest.mark.usefixtures("with_ledger")
@pytest.mark.parametrize(
    "shown",
    ONCE,
    ids=lambda shown: f"{shown.where} {shlex.join(shown.words)}",
)
def test_shown_command_runs(shown: Shown, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", WIDTH)
    monkeypatch.setenv("NO_COLOR", "1")
    if shown.output:
        shutil.copy(SCENARIO / "log.parquet", folder / "log.parquet")
    command = [ANDON, *shown.words[1:]]
    if shown.words[1] == "serve":
        run_server([*command, "--listen", f"127.0.0.1:{components.free_port()}"], folder)
        return
    done = subprocess.run(  # noqa: S603  # the words come from our own documents
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode in shown.exits, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if shown.output:
        printed = "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
        assert re.fullmatch(pattern(shown.output), printed), f"{shown.where} shows other output than:\n{printed}"


@pytest.mark.parametrize("document", sorted({shown.where.partition(":")[0] for shown in STORY}))
def test_shown_story_of_incidents_runs(document: str, folder: Path) -> None:
    """The commands that need a server, from the top of a document to its end, on one server."""
    shutil.copy(ROOT / "tests/unit/incident/s1_record.json", folder / "record.json")
    _write_signals(folder)
    (folder / "parts.json").write_text('{"impact": {"user_impact": "900 people"}}', encoding="utf-8")
    with servers.serving(folder / "andon-data") as server:
        made = servers.andon("token", "create", "--data", str(server.data), "--name", "ben", "--role", "responder")
        assert made.returncode == 0, made.stderr
        for shown in (each for each in STORY if each.where.startswith(f"{document}:")):
            words = [word.replace("AI-INC-2026-0", f"AI-INC-{YEAR}-0") for word in shown.words[1:]]
            code, out, err = servers.on(server, *words, folder=folder)
            wanted = shown.exits if shown.exits != (0, 1) else (0,)
            assert code in wanted, f"{shown.where} {shlex.join(words)}: {code}\n{out}{err}"


def _write_signals(folder: Path) -> None:
    """The files that docs/signals.md names; its own mapping file among them."""
    text = (ROOT / "docs" / "signals.md").read_text(encoding="utf-8")
    (folder / "mine.yaml").write_text(text.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    sample = {"alerts": [{"check": "psi", "host": "a", "state": "bad", "since": "2026-01-26T04:00:00Z", "model": "m"}]}
    (folder / "sample.json").write_text(json.dumps(sample), encoding="utf-8")
    labels = {"alertname": "Drift", "model_id": "assistant", "incident_type": "model_drift"}
    alert = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": "2026-01-26T04:00:00Z"}
    webhook = {"version": "4", "groupKey": "g", "alerts": [alert]}
    (folder / "webhook.json").write_text(json.dumps(webhook), encoding="utf-8")
    (folder / "inventory").mkdir()
    (entry,) = re.findall(r"^```yaml\n(id: loans\n.*?)^```", text, re.DOTALL | re.MULTILINE)
    (folder / "inventory" / "loans.yaml").write_text(entry, encoding="utf-8")


def run_server(command: list[str | Path], folder: Path) -> None:
    """A server that starts, says so, and ends when it is told to."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, encoding="utf-8") as process:  # noqa: S603
        assert process.stdout is not None
        assert any("Ctrl-C ends it" in line for line in process.stdout)
        process.terminate()
        assert process.wait(timeout=30) == 0


def test_model_yaml_of_the_readme_is_one(folder: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    (folder / "model.yaml").write_text(block, encoding="utf-8")
    words = [ANDON, "scan", "log.parquet", "--model", "model.yaml", "--reference", "reference.parquet", "--strict"]
    done = subprocess.run(words, cwd=folder, capture_output=True, encoding="utf-8", check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (1, "")


def test_the_demo_of_the_documents_is_run_from_the_wheel() -> None:
    assert any(shown.words == IN_THE_WHEEL for shown in SHOWN)
    assert 'bin/andon" demo </dev/null' in (ROOT / ".ci" / "check-wheel").read_text(encoding="utf-8")


def test_no_other_program_is_shown() -> None:
    assert [shown for shown in SHOWN if shown.words[0] not in ("andon", *SET_UP)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = [target for target in LINK.findall(document.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_every_warning_of_a_scan_is_documented() -> None:
    made = re.compile(r'(?:Warning\(|yield |append\(\(|\[\(|, \(\(|\*\(\()\s*"([a-z]+(?:_[a-z]+)+|guessed)",')
    andon = ROOT / "src" / "andon"
    single = ("incident/limits.py", "incident/versions.py", "bootstrap/wiring.py", "interfaces/cli/guess_words.py")
    sources = [*(andon / name for name in single), *(andon / "adapters" / "duckdb").glob("*.py")]
    codes = {code for path in sources for code in made.findall(path.read_text())} - {"connect_timeout"}
    codes |= {"type_differs", "labels_of_no_prediction"}  # whose texts are made elsewhere
    rows = re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "docs" / "scan-warnings.md").read_text(), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == codes


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
