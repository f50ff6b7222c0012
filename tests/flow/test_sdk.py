"""The SDK against a real server: each event once, whatever ends or is away; rejected aside; forgeries found."""

import asyncio
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
import venv
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jsonschema
import pytest

import components
from andon.bootstrap.ledger import open_ledger
from andon.bootstrap.packs import pack
from andon.ledger.entry import parse_header
from andon_sdk.aio import AsyncRecorder
from andon_sdk.errors import SpoolFull
from andon_sdk.recorder import Recorder
from coroutines import run
from servers import andon, serving, stop

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("sdk_program.py")
ENVIRONMENT = dict(os.environ)  # noqa: TID251  # for the programs that the tests start
BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "sdk.md").read_text(), re.DOTALL | re.MULTILINE)


def events_in(data):
    """The events of a folder whose server ended."""
    with open_ledger(str(data)) as ledger:
        return [json.loads(e.payload) for _, e in ledger.log.read() if "id" in parse_header(e.header) and e.payload]


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path / "data") as started:
        yield started


@pytest.fixture
def recorder(server, tmp_path):
    with Recorder(server.url, server.secret, tmp_path / "spool", linger_seconds=0.01, audit_seconds=None) as made:
        yield made


def ended(server):
    stop(server)
    return events_in(server.data)


def test_every_kind_of_event_reaches_the_log_as_its_schema_says(server, recorder):
    name = recorder.prediction("m", inputs={"a": float("nan"), "b": [1, 2]}, prediction=1, score=0.5, subject="s-1")
    recorder.outcome("m", name, label=True)
    recorder.review("m", name, "r-1", 0, override=True)
    recorder.step("m", name, "tool", input={"q": 1})
    assert recorder.flush()
    recorder.close()
    found = ended(server)
    assert [each["kind"] for each in found] == ["prediction", "outcome", "review", "step"]
    assert {each["id"] for each in found} == {name}
    assert found[0]["inputs"] == {"a": None, "b": [1, 2]}
    schema = json.loads(pack("schemas").joinpath("event.schema.json").read_text())
    for each in found:
        jsonschema.validate(each, schema)


def test_a_decorated_function_behaves_as_before_and_is_recorded(server, recorder):
    @recorder.watch("m", model_version="2")
    def add(x, y=2):
        """Adds."""
        return x + y

    @recorder.watch("m")
    async def later(x):
        return {"answer": x}

    @recorder.watch("m")
    def fail(x):
        raise ValueError("a secret")

    assert (add(1), add.__doc__) == (3, "Adds.")
    assert run(later(5)) == {"answer": 5}
    with pytest.raises(ValueError, match="a secret"):
        fail(1)
    recorder.close()
    first, second, third = ended(server)
    assert (first["inputs"], first["prediction"], first["model_version"]) == ({"x": 1, "y": 2}, 3, "2")
    assert first["latency_ms"] >= 0
    assert second["output"] == {"answer": 5}
    assert (third["status_code"], third["flags"]) == ("error", ["ValueError"])
    assert "secret" not in json.dumps(third)


def test_what_the_server_refuses_is_put_aside_and_the_rest_goes_on(server, recorder):
    for number in range(50):
        ts = "2099-01-01T00:00:00Z" if number % 10 == 3 else None
        recorder.prediction("m", id=f"p{number}", ts=ts)
    assert recorder.flush()
    rejected = [json.loads(line) for line in (recorder.folder / "rejected.ndjson").read_text().splitlines()]
    assert [json.loads(each["event"])["id"] for each in rejected] == ["p3", "p13", "p23", "p33", "p43"]
    assert all("set the clock" in each["reason"] for each in rejected)
    recorder.close()
    assert [each["id"] for each in ended(server)] == [f"p{n}" for n in range(50) if n % 10 != 3]


def test_a_server_that_is_away_is_waited_for(tmp_path):
    port = components.free_port()
    with serving(tmp_path / "data", port=port) as server:
        secret, url = server.secret, server.url
        stop(server)
    with Recorder(url, secret, tmp_path / "spool", linger_seconds=0.01) as recorder:
        for number in range(20):
            recorder.prediction("m", id=f"p{number}")
        assert not recorder.flush(0.3)
        assert "does not answer" in recorder.trouble
        assert recorder.waiting == 20
        with serving(tmp_path / "data", port=port) as server:
            assert recorder.flush(20)
            assert recorder.trouble is None
            stop(server)
    assert [each["id"] for each in events_in(tmp_path / "data")] == [f"p{n}" for n in range(20)]


def test_a_wrong_token_keeps_events_until_it_is_mended(server, tmp_path):
    with Recorder(server.url, "andon_" + "x" * 43, tmp_path / "spool", linger_seconds=0.01) as recorder:
        recorder.prediction("m", id="p0")
        assert not recorder.flush(0.5)
        assert recorder.trouble.startswith("401")
        recorder.close(seconds=0)
    with Recorder(server.url, server.secret, tmp_path / "spool", linger_seconds=0.01) as recorder:
        assert recorder.flush()
    assert [each["id"] for each in ended(server)] == ["p0"]


def test_a_full_spool_raises_or_drops(tmp_path):
    where = ("http://127.0.0.1:9", "andon_x")
    recorder = Recorder(*where, tmp_path / "a", spool_bytes_max=300, block_seconds=0)
    recorder.prediction("m")
    recorder.prediction("m")
    with pytest.raises(SpoolFull, match="or give a larger spool"):
        recorder.prediction("m", inputs={"text": "x" * 300})
    recorder.close(seconds=0)
    recorder = Recorder(*where, tmp_path / "b", spool_bytes_max=2_000, block_seconds=0, when_full="drop")
    for _ in range(100):
        recorder.prediction("m")
    assert 0 < recorder.dropped < 100
    assert recorder.dropped + recorder.waiting == 100
    recorder.close(seconds=0)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 20))])
def test_processes_and_servers_that_are_killed_lose_nothing_and_double_nothing(seed, tmp_path):
    """Acknowledged is what the process noted after its call returned: all of it reaches the log, each once."""
    dice, port, first = random.Random(seed), components.free_port(), 0  # noqa: S311
    with serving(tmp_path / "data", port=port) as server:
        secret = server.secret
    kept = tmp_path / "kept"
    environment = ENVIRONMENT | {"ANDON_SERVER": f"http://127.0.0.1:{port}", "ANDON_TOKEN": secret}
    for _ in range(4):
        with serving(tmp_path / "data", port=port) as server:
            words = [sys.executable, PROGRAM, tmp_path / "spool", "3000", str(first), kept]
            process = subprocess.Popen(words, env=environment)  # noqa: S603
            before = len(kept.read_text().split()) if kept.exists() else 0
            wait_for(
                lambda before=before: kept.exists() and len(kept.read_text().split()) > before + dice.randrange(1, 800)
            )
            for victim in dice.sample([process, server.process], 2):
                victim.kill()
                victim.wait()
            first += 3000
    acknowledged = kept.read_text().split("\n")[:-1]
    with serving(tmp_path / "data", port=port) as server, Recorder(server.url, secret, tmp_path / "spool") as recorder:
        wait_for(lambda: recorder.waiting == 0 and not any((tmp_path / "spool").glob("prod_*/*[1-9].ndjson")))
        recorder.close(seconds=20)
        stop(server)
    found = [each["id"] for each in events_in(tmp_path / "data")]
    assert {f"p{number}" for number in acknowledged} <= set(found)
    assert len(found) == len(set(found))


def wait_for(holds, seconds=30.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_forked_child_records_beside_its_parent(server, recorder):
    recorder.prediction("m", id="parent")
    child = os.fork()
    if child == 0:
        try:
            recorder.prediction("m", id="child")
            done = recorder.flush(20)
            recorder.close()
        finally:
            os._exit(0 if done else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    recorder.prediction("m", id="parent again")
    recorder.close()
    assert {each["id"] for each in ended(server)} == {"parent", "child", "parent again"}


def test_an_audit_finds_a_log_that_was_replaced(tmp_path):
    port = components.free_port()
    with serving(tmp_path / "data", port=port) as server:
        stop(server)
    shutil.copytree(tmp_path / "data", tmp_path / "old")
    with serving(tmp_path / "data", port=port) as server:
        recorder = Recorder(server.url, secret := made_token(tmp_path / "data"), tmp_path / "spool", audit_seconds=None)
        for number in range(30):
            recorder.prediction("m", id=f"p{number}")
        assert recorder.flush()
        found = recorder.audit()
        assert (found.checked, found.failures, found.are_signatures_checked) == (30, [], True)
        stop(server)
    for name in ("ledger/w-main", "ledger/w-main"):
        shutil.rmtree(tmp_path / "data" / name, ignore_errors=True)
        shutil.copytree(tmp_path / "old" / name, tmp_path / "data" / name)
    with serving(tmp_path / "data", port=port) as server:
        status, _ = server.post_events(b'{"id":"x","ts":"2026-03-01T00:00:00Z","model_id":"m"}\n' * 40, secret)
        assert status == 200
        found = recorder.audit()
        assert not found.is_sound
        assert any("are not what they were" in each or "does not" in each for each in found.failures)
        recorder.close()


def made_token(data):
    done = andon("token", "create", "--data", str(data), "--name", "x", "--role", "admin")
    time.sleep(0.5)  # a running server looks four times a second
    return done.stdout.splitlines()[-1]


async def fail_in(recorder):
    async with recorder.decision("m") as decision:
        await recorder.step("m", decision.id, "look")
        raise KeyError("x")


def test_asyncio(server, tmp_path):
    async def decide():
        settings = {"linger_seconds": 0.01}
        async with AsyncRecorder(server.url, server.secret, tmp_path / "spool", **settings) as recorder:
            name = await recorder.prediction("m", prediction=1)
            await asyncio.gather(*(recorder.outcome("m", name, n) for n in range(5)))
            await recorder.review("m", name, "r", 1)
            with pytest.raises(KeyError):
                await fail_in(recorder)
            assert await recorder.flush()
            assert (await recorder.audit()).checked == 9

    run(decide())
    assert [each["kind"] for each in ended(server)].count("outcome") == 5


# The examples of the documentation


class Completions(BaseHTTPRequestHandler):
    """A server of the OpenAI form, which always answers the same."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        message = {"role": "assistant", "content": "At your neighbour's."}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        answer = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "small-2026-03",
            "choices": [choice],
        }
        body = json.dumps({**answer, "choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def completions():
    with ThreadingHTTPServer(("127.0.0.1", 0), Completions) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}/v1"
        made.shutdown()
        thread.join()


def test_the_examples_run_and_record(server, tmp_path, completions):
    environment = ENVIRONMENT | {"ANDON_SERVER": server.url, "ANDON_TOKEN": server.secret, "HOME": str(tmp_path)}
    environment |= {"OPENAI_BASE_URL": completions, "OPENAI_API_KEY": "none"}
    assert len(BLOCKS) == 6
    for block in BLOCKS:
        words = [sys.executable, "-c", block]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        assert done.returncode == 0, f"{block}\n{done.stderr}"
    found = ended(server)
    by_model = {each["model_id"] for each in found}
    assert by_model == {"recovery-priority", "greeting", "triage", "tumours", "support-bot", "audited"}
    tumours = [each for each in found if each["model_id"] == "tumours"]
    assert [each["kind"] for each in tumours] == ["prediction"] * 20 + ["outcome"] * 20
    assert all(0.5 <= each["score"] <= 1 for each in tumours[:20])
    [chat] = [each for each in found if each["model_id"] == "support-bot"]
    assert (chat["model_version"], chat["inputs"]["model"], chat["id"]) == ("small-2026-03", "small", "chatcmpl-1")
    assert chat["output"]["content"] == "At your neighbour's."


def test_it_installs_alone(server, tmp_path):
    built = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path / "dist"]
    subprocess.run(built, cwd=ROOT / "sdk", check=True, capture_output=True)  # noqa: S603
    [wheel] = (tmp_path / "dist").glob("andon_sdk-*.whl")
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    shutil.unpack_archive(wheel, site, "zip")
    program = f"""
from andon_sdk.recorder import Recorder
with Recorder({server.url!r}, {server.secret!r}, {str(tmp_path / "spool")!r}) as recorder:
    recorder.prediction("alone", prediction=1)
    assert recorder.flush()
    found = recorder.audit()
    assert found.is_sound and found.checked == 1 and not found.are_signatures_checked, found
import sys
assert "andon" not in sys.modules
"""
    done = subprocess.run([python, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert [each["model_id"] for each in ended(server)] == ["alone"]
