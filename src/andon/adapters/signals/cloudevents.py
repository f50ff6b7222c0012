"""CloudEvents 1.0 over HTTP: structured, binary and batched (github.com/cloudevents/spec, v1.0.2)."""

import base64
import binascii
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import unquote

from andon.adapters.signals.body import digest, json_of, object_of, scalars, text, time
from andon.alert.alert import Alert
from andon.alert.signal import ALERTS_MAX, Delivery
from andon.base.errors import BadInput

SOURCE: Final = "cloudevents"
STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
PREFIX: Final = "ce-"
REQUIRED: Final = ("id", "source", "type", "specversion")
KNOWN: Final = {*REQUIRED, "time", "subject", "datacontenttype", "dataschema", "data", "data_base64"}
OVER: Final = ("resolved", "recovered", "ok", "closed", "success")
"""What `status`, or the end of the type, says when it is over."""


def read(body: bytes, headers: Mapping[str, str]) -> Delivery:
    """One event or a batch as alerts.

    `data` says what it is about: `model_id`, `incident_type`, `title`, `severity`, `status`, `fingerprint`,
    `starts_at`; each may be left out.

    Raises:
        BadInput: it is no event.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == BATCH:
        return _batch(body)
    event = object_of(body) if kind == STRUCTURED else _binary(body, headers, kind)
    return Delivery((_alert(event, "the event"),), event=f"{event['source']}\n{event['id']}")


def _batch(body: bytes) -> Delivery:
    events = json_of(body)
    if not isinstance(events, list) or not all(isinstance(each, dict) for each in events):
        raise BadInput("a batch is a JSON array of events: send [{…}]")
    if len(events) > ALERTS_MAX:
        raise BadInput(f"{len(events):,} events are over the limit of {ALERTS_MAX:,}: send them in parts")
    alerts = tuple(_alert(each, f"event {place}") for place, each in enumerate(events))
    return Delivery(alerts, event=f"batch\n{sha256(body).hexdigest()}")


def _binary(body: bytes, headers: Mapping[str, str], kind: str) -> dict[str, Any]:
    """The attributes stand in headers, percent-encoded; the body is the data."""
    event: dict[str, Any] = {
        name.removeprefix(PREFIX): unquote(value) for name, value in headers.items() if name.startswith(PREFIX)
    }
    if not event:
        raise BadInput(
            f"the content type {kind or 'that is missing'} is no CloudEvent: send {STRUCTURED}, {BATCH}, or the"
            " attributes as ce- headers"
        )
    if body:
        is_json = kind in ("", "application/json") or kind.endswith("+json")
        event["data"] = json_of(body) if is_json else body.decode("utf-8", "replace")
    return event


def _alert(event: dict[str, Any], named: str) -> Alert:
    for name in REQUIRED:
        if not isinstance(event.get(name), str) or not event[name]:
            raise BadInput(f"{named} has no {name}: a CloudEvent names {', '.join(REQUIRED)}")
    if event["specversion"] != "1.0":
        raise BadInput(f"{named} is of specversion {event['specversion'][:20]!r}: send 1.0")
    data = _data(event, named)
    more = {name: text(value) for name, value in event.items() if name not in KNOWN and isinstance(value, str | int)}
    labels = {**more, **scalars(data), "type": event["type"]}
    if event.get("subject"):
        labels["subject"] = text(event["subject"])
    labels.pop("source", None)
    said = text(data.get("status") or event["type"].rpartition(".")[2]).lower()
    title = text(data.get("title") or data.get("summary") or data.get("message"))
    at, starts_at = time(event.get("time"), f"{named}: time"), time(data.get("starts_at"), f"{named}: data.starts_at")
    return Alert(
        SOURCE,
        text(data.get("fingerprint")) or digest(event["source"], event["type"], text(event.get("subject"))),
        title or f"{event['type']} from {event['source']}",
        starts_at,
        said in OVER,
        time(data.get("ends_at"), f"{named}: data.ends_at") or (at if said in OVER else None),
        {**labels, "event_source": event["source"]},
        {"event_id": event["id"]},
        digest(event["source"], event["type"]),
        text(data.get("url")),
        {} if at is None else {"noticed_at": at.isoformat()},
    )


def _data(event: Mapping[str, Any], named: str) -> dict[str, Any]:
    """The data where it is an object; other data stand in the title's place."""
    if "data_base64" in event:
        try:
            found = json_of(base64.b64decode(event["data_base64"], validate=True))
        except (binascii.Error, ValueError, TypeError):
            raise BadInput(f"{named}: data_base64 is not Base64: mend it, or send data") from None
    else:
        found = event.get("data")
    if isinstance(found, dict):
        return found
    return {"message": found} if isinstance(found, str) else {}
