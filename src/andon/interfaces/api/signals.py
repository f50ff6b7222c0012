"""Signals in; alerts, silences and maps."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from andon.alert.signal import BODY_BYTES_MAX
from andon.alert.tables import alert_of
from andon.interfaces.api.body import JSON, body_of, require_kind
from andon.interfaces.api.guard import Caller, Here, RequestId, SignalId
from andon.interfaces.api.problems import PROBLEMS, HttpProblem
from andon.interfaces.api.signal_bodies import (
    AlertList,
    AlertShown,
    AlertsWanted,
    MapAsked,
    MapList,
    MapShown,
    SignalShown,
    SignalTaken,
    SilenceAsked,
    SilenceList,
    SilenceShown,
    UnmappedList,
    UnmappedShown,
)
from andon.services.receive import Accepted, Prepared
from andon.services.sift import Mapped, Wanted

TOO_MUCH: Final[dict[int | str, dict[str, Any]]] = {
    413: {**PROBLEMS[422], "description": "the body is too large"},
    415: {**PROBLEMS[422], "description": "the content type is not taken"},
}
ROUTER = APIRouter(prefix="/api/v1", tags=["signals"], responses={**PROBLEMS, **TOO_MUCH})
REPORT_BYTES_MAX: Final = 128 << 10
CLOUDEVENTS: Final = frozenset({"application/cloudevents+json", "application/cloudevents-batch+json"})
BODY: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
ANY_BODY: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}}
EVENT_BODY: Final = {
    "requestBody": {"required": True, "content": {kind: {"schema": {}} for kind in sorted(CLOUDEVENTS)}},
}


AT_ONCE_BYTES: Final = 64 << 10
"""A body up to this is read where the request is: a hundred alerts take some milliseconds."""


async def recorded(asked: Request, body: bytes, prepare: Callable[[], Prepared]) -> Accepted:
    """A signal, once it is durable: many that come at once are recorded together."""
    prepared = prepare() if len(body) <= AT_ONCE_BYTES else await run_in_threadpool(prepare)
    return prepared.accepted(await asked.app.state.commits.do(prepared.command, len(body)))


def _shown(done: Accepted) -> SignalTaken:
    told: dict[str, Any] = {
        "signal_id": done.signal_id,
        "alerts": done.alerts,
        "was_known": done.was_known,
        "left_out": done.left_out,
    }
    return SignalTaken(**told, **done.reply)


@ROUTER.post("/signals/alertmanager", status_code=202, operation_id="receive.alertmanager", openapi_extra=BODY)
async def take_alertmanager(asked: Request, caller: Caller, house: Here, request: SignalId) -> SignalTaken:
    """Take a webhook of Alertmanager (version 4, up to 16 MiB and 10,000 alerts)."""
    require_kind(asked, JSON)
    body = await body_of(asked, BODY_BYTES_MAX)
    service = house.signals.receive(caller)
    return _shown(await recorded(asked, body, lambda: service.prepare("alertmanager", body, request=request)))


@ROUTER.post("/signals/cloudevents", status_code=202, operation_id="receive.cloudevents", openapi_extra=EVENT_BODY)
async def take_cloudevents(asked: Request, caller: Caller, house: Here, request: SignalId) -> SignalTaken:
    """Take a CloudEvent 1.0: structured, binary (`ce-` headers), or a batch."""
    if "ce-specversion" not in asked.headers:
        require_kind(asked, CLOUDEVENTS)
    body = await body_of(asked, BODY_BYTES_MAX)
    headers, service = dict(asked.headers), house.signals.receive(caller)
    return _shown(await recorded(asked, body, lambda: service.prepare("cloudevents", body, headers, request)))


@ROUTER.post("/signals/webhook/{source}", status_code=202, operation_id="receive.webhook", openapi_extra=ANY_BODY)
async def take_webhook(source: str, asked: Request, caller: Caller, house: Here, request: SignalId) -> SignalTaken:
    """Take JSON of a source that a mapping file describes: datadog, great_expectations, or your own."""
    require_kind(asked, JSON)
    body = await body_of(asked, BODY_BYTES_MAX)
    service = house.signals.receive(caller)
    return _shown(await recorded(asked, body, lambda: service.prepare_mapped(source, body, request)))


@ROUTER.post("/signals/report", status_code=202, operation_id="receive.report", openapi_extra=BODY)
async def take_report(asked: Request, caller: Caller, house: Here, request: SignalId) -> SignalTaken:
    """Take a report in words (up to 20,000 letters); the answer says how it was classified."""
    require_kind(asked, JSON)
    if not asked.app.state.reports.take(caller.id, time.monotonic()):
        raise HttpProblem(
            429,
            "too many requests",
            "too many reports with this token: wait as long as Retry-After says, then send it again",
        )
    body = await body_of(asked, REPORT_BYTES_MAX)
    return _shown(await run_in_threadpool(house.signals.receive(caller).report, body, request))


@ROUTER.post("/signals/scan", status_code=202, operation_id="receive.scan", openapi_extra=BODY)
async def take_scan(asked: Request, caller: Caller, house: Here, request: SignalId) -> SignalTaken:
    """Take what `andon scan` found (`andon.scan/1`): `andon scan --send` does this."""
    require_kind(asked, JSON)
    body = await body_of(asked, BODY_BYTES_MAX)
    return _shown(await run_in_threadpool(house.signals.receive(caller).scan, body, request))


@ROUTER.get("/signals/{signal_id}", operation_id="sift.get_signal")
def get_signal(signal_id: str, caller: Caller, house: Here) -> SignalShown:
    """What became of a signal."""
    return SignalShown(**house.signals.sift(caller).get_signal(signal_id))


@ROUTER.get("/alerts", operation_id="sift.list_alerts")
def list_alerts(caller: Caller, house: Here, wanted: Annotated[AlertsWanted, Query()]) -> AlertList:
    """Alerts that signals made, the newest first; those too that wait for a map, or are silenced."""
    asked = Wanted(wanted.state, wanted.hold, wanted.model, wanted.incident)
    rows = house.signals.sift(caller).list_alerts(asked, wanted.limit + 1, wanted.after)
    shown = rows[: wanted.limit]
    following = shown[-1]["place"] if len(rows) > wanted.limit else None
    return AlertList(items=[_alert(row) for row in shown], next=following)


def _alert(row: dict[str, Any]) -> AlertShown:
    alert = None if row["content"] is None else alert_of(row)
    texts = {"labels": dict(alert.labels) if alert else {}, "annotations": dict(alert.annotations) if alert else {}}
    known = {**row, **texts}
    return AlertShown(**{name: known[name] for name in AlertShown.model_fields})


@ROUTER.get("/unmapped", operation_id="sift.list_unmapped")
def list_unmapped(caller: Caller, house: Here) -> UnmappedList:
    """Alerts of which nothing says the model, by group, each with a proposal."""
    return UnmappedList(items=[UnmappedShown(**asdict(each)) for each in house.signals.sift(caller).list_unmapped()])


@ROUTER.post("/silences", status_code=201, operation_id="sift.silence")
def silence(asked: SilenceAsked, caller: Caller, house: Here, request: RequestId) -> SilenceShown:
    """Silence alerts: they are kept, and what outlasts the silence opens an incident."""
    lasting = timedelta(seconds=asked.lasting_seconds)
    made = house.signals.sift(caller).silence(asked.matchers, lasting, asked.reason, asked.starts_at, request)
    return _silence(made)


@ROUTER.get("/silences", operation_id="sift.list_silences")
def list_silences(caller: Caller, house: Here) -> SilenceList:
    """All silences, those that are over too."""
    return SilenceList(items=[_silence(row) for row in house.signals.sift(caller).list_silences()])


@ROUTER.delete("/silences/{silence_id}", operation_id="sift.lift")
def lift_silence(silence_id: str, caller: Caller, house: Here) -> SilenceShown:
    """End a silence now."""
    return _silence(house.signals.sift(caller).lift(silence_id))


def _silence(row: dict[str, Any]) -> SilenceShown:
    return SilenceShown(**{**row, "matchers": row["matchers"].split("\n")})


@ROUTER.post("/maps", status_code=201, operation_id="sift.map_alerts")
def map_alerts(asked: MapAsked, caller: Caller, house: Here, request: RequestId) -> MapShown:
    """Say what alerts with certain labels are about; those that wait go to their incident."""
    wanted = Mapped(asked.matchers, asked.model_id, asked.incident_type, asked.environment)
    return _map(house.signals.sift(caller).map_alerts(wanted, request))


@ROUTER.get("/maps", operation_id="sift.list_maps")
def list_maps(caller: Caller, house: Here) -> MapList:
    """The maps that hold."""
    return MapList(items=[_map(row) for row in house.signals.sift(caller).list_maps()])


@ROUTER.delete("/maps/{map_id}", operation_id="sift.unmap")
def remove_map(map_id: str, caller: Caller, house: Here) -> MapShown:
    """Take a map away; what it mapped stays where it is."""
    return _map(house.signals.sift(caller).unmap(map_id))


def _map(row: dict[str, Any]) -> MapShown:
    return MapShown(**{**row, "matchers": row["matchers"].split("\n")})
