"""PagerDuty's Events API v2, as any monitor with a PagerDuty button speaks it (PagerDuty/api-schema, events-v2)."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from andon.adapters.signals.body import object_of, scalars, text
from andon.alert.alert import Alert
from andon.alert.signal import Delivery, InvalidEvent
from andon.base.errors import BadInput

SOURCE: Final = "pagerduty"
ACTIONS: Final = ("trigger", "acknowledge", "resolve")
SEVERITIES: Final = ("critical", "error", "warning", "info")
DEDUP_KEY_MAX: Final = 255
SUMMARY_MAX: Final = 1_024
_LABELS: Final = ("source", "component", "group", "class", "severity")


def read(body: bytes, _: Mapping[str, str]) -> Delivery:
    """An event as an alert, named by its `dedup_key`; the API has no start, so events count in their order.

    An acknowledgement makes no alert: whoever is at work says so on the incident.

    Raises:
        InvalidEvent: it is none; all that is wrong is named.
    """
    try:
        event = object_of(body)
    except BadInput as error:
        raise InvalidEvent([str(error)]) from None
    errors = list(_errors(event))
    if errors:
        raise InvalidEvent(errors)
    key = event.get("dedup_key") or sha256(body).hexdigest()[:32]
    reply = {"status": "success", "message": "Event processed", "dedup_key": key}
    action, payload = event["event_action"], event.get("payload") or {}
    if action == "acknowledge":
        return Delivery((), reply=reply)
    details = payload.get("custom_details")
    labels = {name: text(payload[name]) for name in _LABELS if payload.get(name)}
    labels = {**(scalars(details) if isinstance(details, dict) else {}), **labels}
    if payload.get("class") and "incident_type" not in labels:
        labels["incident_type"] = text(payload["class"])
    origin = labels.pop("source", "")
    alert = Alert(
        SOURCE,
        key,
        text(payload.get("summary")) or f"event {key}",
        is_resolved=action == "resolve",
        labels={**labels, **({"pagerduty_source": origin} if origin else {})},
        annotations={name: text(payload[name]) for name in ("timestamp",) if payload.get(name)},
        group_key=f"pagerduty:{labels.get('group') or key}",
        url=text(event.get("client_url")),
    )
    return Delivery((alert,), reply=reply)


def _errors(event: Mapping[str, Any]) -> list[str]:
    """What is wrong, in the words of that API."""
    action, key = event.get("event_action"), event.get("dedup_key")
    wrong = []
    if action not in ACTIONS:
        wrong.append(f"'event_action' is missing or not one of {', '.join(ACTIONS)}")
    if key is not None and (not isinstance(key, str) or len(key) > DEDUP_KEY_MAX or not key.isprintable()):
        wrong.append(f"'dedup_key' is not a string of up to {DEDUP_KEY_MAX} printable characters")
    if action in ACTIONS[1:] and not key:
        wrong.append("'dedup_key' is missing or blank")
    if action == "trigger":
        wrong += _payload_errors(event.get("payload"))
    elif event.get("payload") is not None and not isinstance(event["payload"], dict):
        wrong.append("'payload' is not an object")
    return wrong


def _payload_errors(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or not an object"]
    wrong = [f"'payload.{name}' is missing or blank" for name in ("summary", "source") if not payload.get(name)]
    if len(text(payload.get("summary"))) > SUMMARY_MAX:
        wrong.append(f"'payload.summary' is over {SUMMARY_MAX} characters")
    if payload.get("severity") not in SEVERITIES:
        wrong.append(f"'payload.severity' is missing or not one of {', '.join(SEVERITIES)}")
    return wrong
