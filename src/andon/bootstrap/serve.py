"""Runs the server: opens the house, then hands the application to uvicorn."""

import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from types import FrameType
from typing import Final

import uvicorn

from andon.base.errors import BadInput
from andon.bootstrap.house import House, open_house
from andon.bootstrap.journal import now
from andon.bootstrap.settings import Settings

FACE: Final = "andon.interfaces.api.app"
"""Named, not imported: faces stand above this room."""
BACKLOG: Final = 512
ENDING_SECONDS: Final = 10
CUT: Final = "returned without completing response"
"""Of uvicorn's line about an answer that ended early."""
SWITCH_SECONDS: Final = 0.001
"""A command changes hands with each statement of the database; Python's 5 ms each time are long for an answer."""


def serve(settings: Settings, ready: Callable[[House], None]) -> None:
    """Serve until a signal ends it; `ready` is called once requests are answered.

    Raises:
        BadInput: the address cannot be listened on.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # who cuts an answer short says why; that it was cut needs no line of its own
    logging.getLogger("uvicorn.error").addFilter(lambda record: CUT not in str(record.msg))
    with _listening(settings.host, settings.port) as listener, open_house(settings) as house:
        app = import_module(FACE).create(house, now, version("andon"))
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=ENDING_SECONDS,
            ws="none",
        )
        server = uvicorn.Server(config)
        original = server.startup

        async def startup(sockets: list[socket.socket] | None = None) -> None:
            await original(sockets)
            gc.collect()
            gc.freeze()  # what is loaded now stays: to look through it again stops every request for 0.1 s
            gc.enable()
            if server.started:
                ready(house)

        on_signal = server.handle_exit

        def handle_exit(number: int, frame: FrameType | None) -> None:
            house.is_ending = True
            on_signal(number, frame)

        server.handle_exit = handle_exit  # type: ignore[method-assign,assignment]  # streams would hold the end up
        server.startup = startup  # type: ignore[method-assign]  # uvicorn has no other hook after it listens
        # uvicorn ends on SIGTERM and then raises it again: by then it must not end the process before the house closes
        signal.signal(signal.SIGTERM, lambda *_: None)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise BadInput(
            f"cannot listen on {host}:{port}: {error.strerror}; name another address with --listen"
        ) from None
    return listener
