"""What answers a stranger: whether the server lives, whether it takes requests, and its counts."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from andon.interfaces.api.guard import house_of
from andon.interfaces.api.metrics import CONTENT_TYPE

ROUTER = APIRouter(tags=["health"])


@ROUTER.get("/healthz", operation_id="health.live")
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok"}


@ROUTER.get("/readyz", operation_id="health.ready", responses={503: {"description": "It does not; and why."}})
async def readyz(request: Request) -> JSONResponse:
    """Whether it takes requests; if not, why."""
    reasons = _reasons(request)
    return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)


@ROUTER.get("/metrics", operation_id="health.metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Prometheus's text format."""
    house, state = house_of(request), request.app.state
    values: dict[str, Any] = {
        "andon_ingest_pending_bytes": state.intake.room.pending_bytes,
        "andon_ledger_entries": house.log.size,
        "andon_journal_entries": house.known,
        "andon_alerts_unmapped": house.signals.unmapped(),
        "andon_ready": 0 if _reasons(request) else 1,
    }
    return Response(state.metrics.text(**values), media_type=CONTENT_TYPE)


def _reasons(request: Request) -> list[str]:
    """Strangers read this: what is the matter, not where; the server's log and `andon doctor` say more."""
    house, intake = house_of(request), request.app.state.intake
    found = {
        "evidence is not what was recorded": house.tampered,
        "the journal is not followed": house.trouble,
        "the log takes no events": intake.failed,
        "signals are not grouped": house.ungrouped,
    }
    return [reason for reason, matter in found.items() if matter is not None]
