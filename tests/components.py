"""Real components that tests need beside Python: started on loopback in a temporary folder, stopped afterwards."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

USER = "postgres"
"""Who runs the server where the tests run as root, which PostgreSQL refuses."""


def missing(what: str) -> NoReturn:
    """Skip, naming what is missing; where CI runs, fail."""
    text = f"{what} is missing: run .ci/install-components as root (Debian, Ubuntu), or install it"
    if os.environ.get("CI", "").lower() in ("1", "true"):  # noqa: TID251  # the tests' own setting
        pytest.fail(text)
    pytest.skip(text)


def chromium() -> str:
    """The program that opens pages."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or missing("Chromium")


def promtool() -> str:
    """The program that checks and tests alert rules."""
    return shutil.which("promtool") or missing("Prometheus")


@contextmanager
def running(command: list[str], ready: str, cwd: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A program that runs until the end, once `ready` (a URL) answers 200; its words are in `log` beside it."""
    with (cwd / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=cwd)  # noqa: S603
        try:
            _await(process, ready, cwd)
            yield process
        finally:
            process.kill()
            process.wait()


def _await(process: "subprocess.Popen[bytes]", ready: str, cwd: Path) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(ready, timeout=5):  # noqa: S310
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                words = "".join(path.read_text() for path in cwd.glob("*.log"))
                raise AssertionError(f"it did not get ready: {words[-2000:]}") from None
            time.sleep(0.1)


@contextmanager
def alertmanager(folder: Path, receiver: dict[str, object]) -> Iterator[str]:
    """An Alertmanager that tells one webhook at once; gives its address."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager") or missing("Alertmanager")
    folder.mkdir()
    route = {"receiver": "andon", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"}
    route["repeat_interval"] = "1h"
    config = {"route": route, "receivers": [{"name": "andon", "webhook_configs": [receiver]}]}
    (folder / "alertmanager.yml").write_text(json.dumps(config))
    host = f"127.0.0.1:{free_port()}"
    words = [f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data"]
    words += [f"--web.listen-address={host}", "--cluster.listen-address="]
    with running([program, *words], f"http://{host}/-/ready", folder):
        yield host


@contextmanager
def prometheus(folder: Path, target: str, rules: str, alertmanager_at: str | None = None) -> Iterator[str]:
    """A Prometheus that scrapes a target each second and evaluates rules; gives its URL."""
    program = shutil.which("prometheus") or missing("Prometheus")
    folder.mkdir()
    (folder / "rules.yml").write_text(rules)
    config: dict[str, object] = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "scrape_configs": [{"job_name": "andon", "static_configs": [{"targets": [target]}]}],
        "rule_files": [str(folder / "rules.yml")],
    }
    if alertmanager_at is not None:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager_at]}]}]}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    host = f"127.0.0.1:{free_port()}"
    words = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    words += [f"--web.listen-address={host}"]
    with running([program, *words], f"http://{host}/-/ready", folder):
        yield f"http://{host}"


def _programs() -> Path | None:
    """The folder of PostgreSQL's programs: on the path, else where Debian puts it."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(found).parent if found else debian[-1].parent if debian else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL server of its own; gives the URL of its database, with a password that the server asks for."""
    programs = _programs()
    if programs is None:
        missing("PostgreSQL")
    assert programs is not None
    as_user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    # not pytest's own folder: every run on the machine closes that to other users anew
    with tempfile.TemporaryDirectory(prefix="andon-test-postgresql-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        (home / "password").write_text(PASSWORD)
        if as_user:
            for path in (home, home / "password"):
                shutil.chown(path, USER)

        def run(program: str, *words: str) -> None:
            command = [*as_user, str(programs / program), "-D", str(home / "data"), *words]
            subprocess.run(command, check=True, capture_output=True, cwd=home, timeout=60)  # noqa: S603

        run("initdb", "--auth=scram-sha-256", "--username=andon", f"--pwfile={home / 'password'}", "--no-sync")
        port = free_port()
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {home}"
        run("pg_ctl", "-w", "-l", str(home / "log"), "-o", settings, "start")
        try:
            yield f"postgresql://andon:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")


PASSWORD = "s3cr3t-of-the-tests"  # noqa: S105


@contextmanager
def object_store() -> Iterator[str]:
    """An S3 server with an empty bucket `bucket`; gives its URL."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  # takes a second

    server = ThreadedMotoServer("127.0.0.1", free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()
