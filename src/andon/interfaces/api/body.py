"""Reads the body of a request up to a limit, of the kinds that are taken."""

from collections.abc import Collection
from typing import Final

from starlette.requests import ClientDisconnect, Request

from andon.base.errors import BadInput
from andon.interfaces.api.problems import HttpProblem

JSON: Final = frozenset({"application/json"})
MIB: Final = 1 << 20


def kind_of(request: Request) -> str:
    """The content type, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def require_kind(request: Request, kinds: Collection[str]) -> None:
    """Refuse what is of another kind, or compressed.

    Raises:
        HttpProblem: it is; 415.
    """
    kind = kind_of(request)
    if kind not in kinds:
        detail = f"the content type {kind or 'that is missing'} is not taken here: send {' or '.join(sorted(kinds))}"
        raise HttpProblem(415, "unsupported media type", detail)
    if request.headers.get("content-encoding", "identity") != "identity":
        detail = "compressed bodies are not read: send it without Content-Encoding"
        raise HttpProblem(415, "unsupported encoding", detail)


async def body_of(request: Request, limit: int) -> bytes:
    """The body.

    Raises:
        HttpProblem: it is over the limit; 413.
        BadInput: the sender went away.
    """
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced) > limit:
        raise too_large(limit)
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise too_large(limit)
            parts.append(part)
    except ClientDisconnect:
        raise BadInput("the request ended before its body did: send it again") from None
    return b"".join(parts)


def too_large(limit: int) -> HttpProblem:
    """The problem of a body that is over a limit."""
    said = f"{limit // MIB} MiB" if limit >= MIB else f"{limit >> 10} KiB"
    return HttpProblem(413, "body too large", f"a body is over {said}: send less at once")
