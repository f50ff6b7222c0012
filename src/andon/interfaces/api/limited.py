"""No body over the limit is read, whatever a route would make of it."""

import re
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX: Final = 16 << 20
TOO_LARGE: Final = f"a body is over {BODY_BYTES_MAX >> 20} MiB: send less at once"
OWN_LIMIT: Final = re.compile(r"/api/v1/incidents/[^/]+/files")
"""What counts its body itself, and keeps none of it in memory."""


class Limited:
    """Wraps the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, as long as its body is not too long."""
        size = 0

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > BODY_BYTES_MAX:
                raise HTTPException(413, TOO_LARGE)
            return message

        is_limited = scope["type"] == "http" and not OWN_LIMIT.fullmatch(scope["path"])
        await self._app(scope, limited if is_limited else receive, send)
