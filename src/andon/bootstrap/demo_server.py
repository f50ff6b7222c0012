"""The demo's own server: `andon serve` on loopback, in a folder of its own, which ends with whoever started it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from andon.base.errors import Unavailable
from andon.bootstrap.beside import server_in
from andon.bootstrap.client import Server

PROGRAM: Final = """\
import os, signal, sys, threading
from andon.interfaces.cli.app import main

def end_with_the_demo():
    sys.stdin.read()  # ends when the demo does, however that ends
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=end_with_the_demo, daemon=True).start()
main()
"""
READY: Final = "Ctrl-C ends it"
ENDING_SECONDS: Final = 20
OWN: Final = "ANDON_"


@contextmanager
def serving(data: Path) -> Iterator[Server]:
    """A server on a folder.

    What the environment says of other servers, databases and trackers is not for this one: nobody is told of a demo.

    Raises:
        Unavailable: it does not start.
    """
    command = [sys.executable, "-c", PROGRAM, "serve", "--data", str(data), "--listen", f"127.0.0.1:{_free_port()}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    process = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,  # Ctrl-C is for the demo, which then ends it
    )
    with process:
        try:
            yield _ready(process, data)
        finally:
            assert process.stdin is not None  # noqa: S101  # a pipe, see above
            process.stdin.close()
            try:
                process.wait(ENDING_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _ready(process: "subprocess.Popen[str]", data: Path) -> Server:
    assert process.stdout is not None  # noqa: S101  # pipes, see above
    assert process.stderr is not None  # noqa: S101
    is_ready = any(READY in line for line in process.stdout)
    server = server_in(data) if is_ready else None
    if server is None:
        said = "" if is_ready else process.stderr.read().strip().rpartition("\n")[2]
        raise Unavailable(f"the demo's server does not start: {said or 'it does not answer'}")
    return server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
