"""Alertmanager's webhook, payload version 4 (prometheus.io/docs/alerting/latest/configuration/#webhook_config)."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, ValidationError

from andon.adapters.signals.body import Part, digest, object_of, time, wrong
from andon.alert.alert import Alert
from andon.alert.signal import ALERTS_MAX, Delivery
from andon.base.errors import BadInput

SOURCE = "alertmanager"
VERSION = "4"


class _Alert(Part):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: str = Field(alias="startsAt")
    ends_at: str | None = Field(None, alias="endsAt")
    generator_url: str = Field("", alias="generatorURL")
    fingerprint: str = ""


class _Webhook(Part):
    version: str
    group_key: str = Field("", alias="groupKey")
    truncated: int = Field(0, alias="truncatedAlerts", ge=0, lt=2**31)
    alerts: list[_Alert] = Field(max_length=ALERTS_MAX)


def read(body: bytes, _: Mapping[str, str]) -> Delivery:
    """A webhook as alerts; each is named by its fingerprint and start, so that redelivery adds nothing.

    Raises:
        BadInput: it is none.
    """
    found = object_of(body)
    try:
        hook = _Webhook.model_validate(found)
    except ValidationError as error:
        raise wrong(error) from None
    if hook.version != VERSION:
        raise BadInput(f"the payload version is {hook.version[:20]!r}: send {VERSION}, as Alertmanager since 0.12 does")
    alerts = tuple(_alert(each, hook.group_key, place) for place, each in enumerate(hook.alerts))
    return Delivery(alerts, hook.truncated)


def _alert(each: _Alert, group_key: str, place: int) -> Alert:
    name = each.labels.get("alertname", "")
    starts_at = time(each.starts_at, f"alerts.{place}.startsAt")
    if starts_at is None:
        raise BadInput(f"alerts.{place}.startsAt is empty: send when the alert began to fire")
    is_resolved = each.status == "resolved"
    return Alert(
        SOURCE,
        each.fingerprint or digest(*(f"{key}={value}" for key, value in sorted(each.labels.items()))),
        each.annotations.get("summary") or each.annotations.get("description") or name or "an alert without a name",
        starts_at,
        is_resolved,
        time(each.ends_at, f"alerts.{place}.endsAt") if is_resolved else None,
        each.labels,
        each.annotations,
        group_key,
        each.generator_url,
    )
