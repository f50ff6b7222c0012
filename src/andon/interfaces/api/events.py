"""`POST /api/v1/events`: a request of events, as JSON lines or Arrow; answered once it is on the disk."""

import asyncio
import re
import string
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from andon.base.errors import AndonError, BadInput
from andon.bootstrap.house import House
from andon.interfaces.api.intake import Intake
from andon.interfaces.api.metrics import Metrics
from andon.interfaces.api.problems import HttpProblem, problem_of
from andon.people.token import LOCAL, Token
from andon.services.ingest import Accepted, Batch
from andon.telemetry.producer import KEY_PREFIX, Range, is_name

ACT: Final = "ingest.accept"
PATH: Final = "/api/v1/events"
BODY_BYTES_MAX: Final = 16 << 20
NDJSON: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
ARROW: Final = "application/vnd.apache.arrow.stream"
_KEY: Final = re.compile(f"[{re.escape(string.printable.strip())}]{{1,255}}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NUMBER_MAX: Final = 2**53


Headers = Mapping[str, str]


def _headers(scope: Scope) -> Headers:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


class Events:
    """The endpoint, without a framework between: it is the one that is hot."""

    act = ACT

    def __init__(self, house: House, intake: Intake, metrics: Metrics) -> None:
        self._house, self._intake, self._metrics = house, intake, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request."""
        try:
            answer = await self._take(scope["state"]["caller"], _headers(scope), receive)
        except AndonError as error:
            answer = problem_of(error)
        self._metrics.answered(answer.status_code)
        await answer(scope, receive, send)

    async def _take(self, caller: Token, headers: Headers, receive: Receive) -> Response:
        self._house.permissions.require(caller.role, ACT)
        kind = _kind(headers)
        self._intake.require_room(_announced(headers))
        body = await _read(receive)
        lines = await asyncio.to_thread(_lines_of_arrow, body) if kind == ARROW else _lines(body)
        place = _place(headers, caller, body)
        batch: Batch = self._house.ingest.prepare(lines, caller.id, place, caller.models)
        done = await self._intake.submit(batch, len(body))
        self._metrics.recorded(batch, done)
        return Response(_receipt(done, self._house.signer.verifier.name), 200, media_type="application/json")


def _receipt(done: Accepted, log: str) -> bytes:
    fields = {"events": done.events, "repeated": done.repeated, "first": done.first, "end": done.end, "log": log}
    return orjson.dumps(fields)


def _kind(headers: Headers) -> str:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in NDJSON and kind != ARROW:
        detail = (
            f"the content type {kind or 'that is missing'} is no stream of events: send application/x-ndjson or {ARROW}"
        )
        raise HttpProblem(415, "unsupported media type", detail)
    if headers.get("content-encoding", "identity") != "identity":
        raise HttpProblem(
            415, "unsupported encoding", "compressed bodies are not read: send it without Content-Encoding"
        )
    return kind


def _announced(headers: Headers) -> int:
    """The length that the request claims, refused where it is over the limit."""
    text = headers.get("content-length", "0")
    size = int(text) if text.isascii() and text.isdigit() else 0
    if size > BODY_BYTES_MAX:
        raise _too_large()
    return size


async def _read(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadInput("the request ended before its body did: send it again")
        if part := message.get("body", b""):
            parts.append(part)
            size += len(part)
            if size > BODY_BYTES_MAX:
                raise _too_large()
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large() -> HttpProblem:
    return HttpProblem(413, "body too large", f"a body is over {BODY_BYTES_MAX >> 20} MiB: send the events in parts")


def _lines(body: bytes) -> list[bytes]:
    lines = body.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.rstrip(b"\r") for line in lines] if b"\r" in body else lines


def _lines_of_arrow(body: bytes) -> list[bytes]:
    """Rows as JSON lines; nulls are left out, times become ISO 8601."""
    import pyarrow as pa  # noqa: PLC0415  # only who sends Arrow needs it

    try:
        with pa.ipc.open_stream(body) as stream:
            rows = stream.read_all().to_pylist()
    except (pa.ArrowException, OSError, ValueError, UnicodeDecodeError):
        raise BadInput(
            "the body is no Arrow stream: write it with RecordBatchStreamWriter (IPC streaming format)"
        ) from None
    try:
        return [orjson.dumps(_present(row), option=orjson.OPT_UTC_Z) for row in rows]
    except (TypeError, orjson.JSONEncodeError):
        fix = "use text, numbers, booleans, times, lists and structs"
        raise BadInput(f"a column of the Arrow stream holds values that JSON has no word for: {fix}") from None


def _present(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _place(headers: Headers, caller: Token, body: bytes) -> Range | None:
    """Where the lines stand among those of their producer, so that a repeated request is known."""
    producer, key = headers.get("andon-producer"), headers.get("idempotency-key")
    if producer is None:
        if key is None:
            return None
        if not _KEY.fullmatch(key):
            raise BadInput("Idempotency-Key is not 1 to 255 printable ASCII letters: send a UUID, for instance")
        name = sha256(f"{caller.id}\n{key}".encode()).hexdigest()[:32]
        return Range(f"{KEY_PREFIX}{name}", 0, 0, sha256(body).hexdigest())
    if not is_name(producer):
        raise BadInput("Andon-Producer is no name: send 1 to 100 letters, digits, _ . : or -")
    name = producer if caller.id == LOCAL else f"{producer}@{caller.id}"
    start = headers.get("andon-start")
    if start is not None and not _DIGEST.fullmatch(start):
        raise BadInput(
            "Andon-Start is no digest: send the SHA-256 of the producer's first line in hexadecimal, or none"
        )
    return Range(name, _number(headers, "andon-epoch"), _number(headers, "andon-first"), start)


def _number(headers: Headers, name: str) -> int:
    text = headers.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) >= _NUMBER_MAX:  # noqa: PLR2004
        raise BadInput(f"{name.title()} is no number: send a whole number from 0 beside Andon-Producer")
    return int(text)
