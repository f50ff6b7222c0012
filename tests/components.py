"""Real components that tests need beside Python: started on loopback in a temporary folder, stopped afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
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
