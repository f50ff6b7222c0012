"""What requests about signals, alerts, silences and maps hold, and their answers."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from andon.base.moment import Moment
from andon.interfaces.api.bodies import Asked, Name, Reason

Matcher = Annotated[str, StringConstraints(min_length=3, max_length=4_300)]
Limit = Annotated[int, Query(ge=1, le=1_000)]
Cursor = Annotated[str | None, Query(max_length=300, pattern=r"^[0-9TZ:.-]{20,40}:\w{1,200}$")]
Matchers = Annotated[list[Matcher], Field(min_length=1, max_length=20)]


class SignalTaken(BaseModel):
    """A signal that is durable; its alerts are made within a second."""

    model_config = ConfigDict(extra="allow")

    signal_id: str
    alerts: int
    was_known: bool
    left_out: int


class SignalShown(BaseModel):
    """What became of a signal."""

    signal_id: str
    channel: str
    at: str
    alerts: int
    state: Literal["waiting", "grouped"]


class AlertShown(BaseModel):
    """An alert: `hold` says what keeps it from an incident."""

    id: str
    source: str | None
    fingerprint: str | None
    title: str | None
    state: str
    starts_at: str
    ends_at: str | None
    environment: str | None
    model_id: str | None
    is_registered: bool
    incident_type: str | None
    severity: str | None
    model_version: str | None
    group_key: str | None
    url: str | None
    hold: str | None
    incident_id: str | None
    first_at: str
    last_at: str
    labels: dict[str, str]
    annotations: dict[str, str]


class AlertList(BaseModel):
    """Alerts, the newest first."""

    items: list[AlertShown]
    next: str | None = None


class AlertsWanted(Asked):
    """Which alerts to list."""

    state: Literal["firing", "resolved"] | None = None
    hold: Literal["unmapped", "silenced"] | None = None
    model: Name | None = None
    incident: Name | None = None
    limit: Limit = 100
    after: Cursor = None


class UnmappedShown(BaseModel):
    """Alerts of one group of which nothing says the model; `proposal` is the map that their labels suggest."""

    group_key: str
    source: str
    alerts: int
    firing: int
    title: str
    labels: dict[str, str]
    proposal: dict[str, str | None] | None


class UnmappedList(BaseModel):
    """Groups, the largest first."""

    items: list[UnmappedShown]
    next: str | None = None


class SilenceAsked(Asked):
    """Let alerts with these labels (`name=value`, all of them) open nothing for a while."""

    matchers: Matchers
    lasting_seconds: Annotated[int, Field(gt=0, le=90 * 86_400)]
    reason: Reason
    starts_at: Moment | None = None


class SilenceShown(BaseModel):
    """A silence."""

    id: str
    matchers: list[str]
    starts_at: str
    ends_at: str
    reason: str | None
    actor: str
    is_active: bool


class SilenceList(BaseModel):
    """A list of silences."""

    items: list[SilenceShown]
    next: str | None = None


class MapAsked(Asked):
    """What alerts with these labels (`name=value`, all of them) are about; what is left out is as the labels say."""

    matchers: Matchers
    model_id: Name | None = None
    incident_type: Name | None = None
    environment: Name | None = None


class MapShown(BaseModel):
    """A map."""

    id: str
    matchers: list[str]
    model_id: str | None
    incident_type: str | None
    environment: str | None
    actor: str
    made_at: str


class MapList(BaseModel):
    """The maps that hold, in the order in which they are tried."""

    items: list[MapShown]
    next: str | None = None
