"""`POST /v2/enqueue`: PagerDuty's Events API v2, so that any monitor with a PagerDuty button can send here."""

import json
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from andon.alert.signal import InvalidEvent
from andon.base.errors import BadInput
from andon.interfaces.api.body import body_of
from andon.interfaces.api.guard import Here
from andon.interfaces.api.problems import PROBLEMS, HttpProblem
from andon.interfaces.api.signals import recorded

EVENT_BYTES_MAX: Final = 512 << 10
BODY: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    code: {"description": text, "content": {"application/json": {"schema": {"type": "object"}}}}
    for code, text in ((400, "invalid event"), (413, "payload too large"), (429, "throttle exceeded"))
}
ROUTER = APIRouter(tags=["signals"])


@ROUTER.post(
    "/v2/enqueue", status_code=202, operation_id="receive.pagerduty", responses=PROBLEMS | ANSWERS, openapi_extra=BODY
)
async def enqueue(asked: Request, house: Here) -> JSONResponse:
    """PagerDuty's Events API v2; `routing_key` is a token of the kind pagerduty.

    It answers as that API does, but a stranger, as every route does: 401.
    """
    try:
        body = await body_of(asked, EVENT_BYTES_MAX)
        key = _routing_key(body)
        address = asked.client.host if asked.client else ""
        caller = asked.app.state.admit(address, lambda at: house.door.admit_key(key, at))
        house.permissions.require(caller.role, "receive.pagerduty")
        service = house.signals.receive(caller)
        done = await recorded(asked, body, lambda: service.prepare("pagerduty", body))
    except HttpProblem as error:
        named = {429: "throttle exceeded", 413: "payload too large"}.get(error.status, "invalid event")
        return JSONResponse({"status": named, "message": str(error), "errors": [str(error)]}, error.status)
    except BadInput as error:
        errors = error.errors if isinstance(error, InvalidEvent) else [str(error)]
        invalid = {"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)}
        return JSONResponse(invalid, 400)
    return JSONResponse(dict(done.reply), 202)


def _routing_key(body: bytes) -> object:
    """The key that an event carries, whatever that is; None: it carries none."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return event.get("routing_key") if isinstance(event, dict) else None
