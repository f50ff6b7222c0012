"""Files of incidents: bodies are taken in parts, and handed out so that no browser opens them."""

import asyncio
import base64
import hmac
import logging
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final
from urllib.parse import quote, unquote

from fastapi import APIRouter, Depends, Header, Path, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Send
from typing_extensions import override

from andon.base.errors import AndonError, BadInput, Busy
from andon.base.moment import Moment
from andon.incident.attachment import Incoming, Told, safe_name
from andon.incident.desk import Ask
from andon.interfaces.api.body import require_kind, too_large
from andon.interfaces.api.guard import Asking, Caller, Here, SignalId, version_of
from andon.interfaces.api.incident_bodies import FileShown, Named, ReasonAsked, Written
from andon.interfaces.api.problems import PROBLEMS, HttpProblem
from andon.ledger.journal import RequestName

LOGGER: Final = logging.getLogger("andon.server")
OCTETS: Final = "application/octet-stream"
UPLOADS_MAX: Final = 16
UPLOAD_SECONDS: Final = 900.0
NAME_LETTERS_MAX: Final = 2_000
NOTE_LETTERS_MAX: Final = 1_000
UTF8: Final = r"^[!-~]*$"
"""A header's text: UTF-8, percent-encoded."""
OF_FILES: Final[dict[int | str, dict[str, Any]]] = {
    code: {**PROBLEMS[422], "description": text}
    for code, text in (
        (408, "the body took too long"),
        (413, "the file is too large"),
        (415, "the content type is not taken"),
        (507, "no room on the disk"),
    )
}
BODY: Final = {
    "requestBody": {"required": True, "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}
}
CONTENT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The content.", "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}
}
ROUTER = APIRouter(prefix="/api/v1/incidents/{incident}/files", tags=["incidents"], responses=PROBLEMS)
Number = Annotated[int, Path(ge=1, lt=10_000)]


@dataclass(frozen=True, slots=True)
class Said:
    """What the headers of an upload say, as they came."""

    name: str
    note: str
    at: Moment | None
    key: str | None
    version: int | None


class Download(StreamingResponse):
    """Content in parts; where it ends early, as it does when it is erased meanwhile, the connection is cut."""

    @override
    async def stream_response(self, send: Send) -> None:
        """Send the parts; without the last message the server closes the connection, so nobody takes a part for all."""
        try:
            await super().stream_response(send)
        except AndonError as error:
            LOGGER.warning("a download was cut: %s", error)


async def said(
    andon_file_name: Annotated[
        str, Header(min_length=1, max_length=3 * NAME_LETTERS_MAX, pattern=UTF8, description="Percent-encoded UTF-8.")
    ],
    andon_note: Annotated[
        str, Header(max_length=12 * NOTE_LETTERS_MAX, pattern=UTF8, description="Percent-encoded UTF-8.")
    ] = "",
    andon_at: Annotated[Moment | None, Header(description="When the file is from, if not now.")] = None,
    idempotency_key: Annotated[str | None, Header()] = None,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> Said:
    """What is said of a file beside its content."""
    note = unquote(andon_note)
    if len(note) > NOTE_LETTERS_MAX or "\0" in note:
        raise BadInput(f"Andon-Note is over {NOTE_LETTERS_MAX:,} letters or holds a NUL: shorten it, or write a note")
    return Said(unquote(andon_file_name), note, andon_at, idempotency_key, version_of(if_match))


@ROUTER.post("", status_code=201, operation_id="attach.add_file", openapi_extra=BODY, responses=OF_FILES)
async def add_file(
    incident: Named, request: Request, caller: Caller, house: Here, name: SignalId, told: Annotated[Said, Depends(said)]
) -> FileShown:
    """Add a file: its content, as it is (25 MiB at most, unless the server says otherwise)."""
    require_kind(request, {OCTETS})
    limit, service = house.settings.limits.file_bytes_max, house.attach(caller)
    async with _counted(request):
        incoming = await run_in_threadpool(service.begin, incident, _announced(request, limit))
        with ExitStack() as stack:
            stack.callback(incoming.drop)
            await _taken(request, incoming, limit)
            kept = await run_in_threadpool(incoming.keep)
        ask = Ask(_named(name, told, kept.sha256), told.version)
        what = Told(told.name, told.note, told.at)
        made = await run_in_threadpool(service.add_file, incident, kept, what, ask)
    return FileShown(
        incident=incident, number=made.number, name=safe_name(told.name), bytes=kept.size, sha256=kept.sha256
    )


@ROUTER.get("/{number}", operation_id="attach.get_file", response_class=Download, responses=CONTENT)
def get_file(incident: Named, number: Number, caller: Caller, house: Here) -> Download:
    """The content of a file, with its digest (`Repr-Digest`); 404 once it was erased."""
    found = house.attach(caller).get_file(incident, number)
    plain = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in found.name)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name, safe='')}",
        "Content-Length": str(found.size),
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(found.sha256)).decode()}:",
    }
    return Download(found.parts, media_type=OCTETS, headers=headers)


@ROUTER.post("/{number}/erase", operation_id="attach.erase_file")
def erase_file(
    incident: Named, number: Number, asked: ReasonAsked, caller: Caller, house: Here, ask: Asking
) -> Written:
    """Destroy the content of a file; its name, note and digest stay in the timeline, with the reason."""
    house.attach(caller).erase_file(incident, number, asked.reason, ask)
    return Written(incident=incident, number=number)


@asynccontextmanager
async def _counted(request: Request) -> AsyncIterator[None]:
    """One of the uploads at a time that there may be; one that takes too long is ended.

    Raises:
        Busy: there are too many.
        HttpProblem: it takes too long; 408.
    """
    state = request.app.state
    if state.uploads >= UPLOADS_MAX:
        raise Busy("too many files are on their way: wait as long as Retry-After says, and send it again")
    state.uploads += 1
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            yield
    except TimeoutError:
        raise HttpProblem(408, "too slow", f"the file took over {UPLOAD_SECONDS:.0f} s: send it again") from None
    finally:
        state.uploads -= 1


def _announced(request: Request, limit: int) -> int:
    """How many bytes are to come, as far as it is said."""
    text = request.headers.get("content-length", "0")
    size = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(limit)) else limit + 1
    if size > limit:
        raise too_large(limit)
    return size


async def _taken(request: Request, incoming: Incoming, limit: int) -> None:
    """Write a body, part by part.

    Raises:
        HttpProblem: it is over the limit; 413.
        BadInput: the sender went away.
    """
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise too_large(limit)
            await run_in_threadpool(incoming.write, part)
    except ClientDisconnect:
        raise BadInput("the request ended before its body did: send it again") from None


def _named(name: str | None, told: Said, digest: str) -> str | None:
    """The id of a request that carries a key, with what it asks for: the same key for another file is refused."""
    if name is None or told.key is None:
        return None
    content = "\n".join((told.name, told.note, str(told.at), digest))
    return RequestName(name, hmac.new(told.key.encode(), content.encode("utf-8", "replace"), sha256).hexdigest()[:32])
