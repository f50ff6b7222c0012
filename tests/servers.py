"""A real server as a process of its own: `andon serve`, on loopback."""

import json
import re
import resource
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import components
from journals import prepare

ANDON = Path(sys.executable).with_name("andon")
SECRET = re.compile(r"andon_[A-Za-z0-9_-]{43}")


@dataclass
class Server:
    """A server that answers; `said` is what it printed before."""

    process: "subprocess.Popen[str]"
    url: str
    said: str
    data: Path

    @property
    def secret(self) -> str:
        return SECRET.search(self.said)[0]

    def ask(
        self, method: str, path: str, body: bytes | None = None, token: str = "", **headers: str
    ) -> tuple[int, Any]:
        """Status and body; a body of JSON as an object."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(self.url + path, body, named, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return answer.status, _body(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _body(error)

    def post_events(self, body: bytes, token: str, **headers: str) -> tuple[int, Any]:
        return self.ask("POST", "/api/v1/events", body, token, content_type="application/x-ndjson", **headers)


def _body(answer: Any) -> Any:
    content = answer.read()
    return json.loads(content) if "json" in answer.headers.get("content-type", "") else content


@contextmanager
def serving(data: Path, *words: str, port: int = 0, cold: bool = False, **environment: str) -> Iterator[Server]:
    """A server that is ready; killed at the end if it still runs. A cold one makes its database itself."""
    if not cold and "--database" not in words and not (data / "database.url").exists():
        prepare(data)
    port = port or components.free_port()
    command = [str(ANDON), "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}", *words]
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment or None
    )
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C ends it" in line:
                break
        else:
            raise AssertionError(f"it did not start: {process.stderr.read()}")
        yield Server(process, f"http://127.0.0.1:{port}", "".join(said), data)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def stop(server: Server) -> tuple[int, str]:
    """End it as an operator does; exit code, and what it wrote to stderr."""
    server.process.terminate()
    code = server.process.wait(timeout=30)
    return code, server.process.stderr.read()


def andon(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A command, to its end; `environment` is added to that of the tests."""
    command = ["env", *(f"{name}={value}" for name, value in environment.items()), str(ANDON), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)  # noqa: S603


INCIDENT = {"model_id": "loans", "incident_type": "harmful_output", "title": "Names of other customers are shown"}


def on(server, *words, token=None, folder=None):
    """A command with a server; exit code, stdout, stderr."""
    environment = {"ANDON_SERVER": server.url, "ANDON_TOKEN": token or server.secret, "COLUMNS": "120"}
    done = subprocess.run(  # noqa: S603
        [ANDON, *words], capture_output=True, text=True, check=False, timeout=180, env=environment, cwd=folder
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def declare(server, secret, **more):
    body = json.dumps(INCIDENT | more).encode()
    return server.ask("POST", "/api/v1/incidents", body, secret, content_type="application/json")[0]


def eventually(holds, seconds=15.0):
    """What is asked for until it holds; with a pause, so that asking takes no processor from what is waited for."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def resident_bytes(pid: int) -> int:
    """What a process and all that it started hold in memory."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue  # it ended meanwhile
    family, size = {pid}, 0
    while size != len(family):
        size = len(family)
        family |= {child for child, parent in parents.items() if parent in family}
    pages = [int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in family]
    return sum(pages) * resource.getpagesize()
