"""What requests and answers hold."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from andon.base.moment import Moment
from andon.services.retain import DAYS_MAX

NO_NUL = r"^[^\x00]*$"
"""PostgreSQL keeps no text with a NUL."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=NO_NUL)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=10_000, strip_whitespace=True, pattern=NO_NUL)]


class Asked(BaseModel):
    """A request; a key that nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid")


class SealAsked(Asked):
    """What to hold: a model's events in `[since, until)`; without a bound, all."""

    model_id: Name
    reason: Reason
    since: Moment | None = None
    until: Moment | None = None
    facts: dict[str, Any] | None = Field(None, description="What a command on the server's machine pinned.")


class SealMade(BaseModel):
    """The receipt of a seal: keep the checkpoint elsewhere.

    `other_logs`: those of other servers and how many of their entries it pins; their entries are in no bundle of it.
    `model_known`: whether a decision of the model is known to be recorded.
    """

    seal_id: str
    checkpoint: str
    size: int
    root: str
    entry: int
    vkey: str
    other_logs: dict[str, int] = {}
    model_known: bool = True


class HoldShown(BaseModel):
    """A hold."""

    id: str
    seq: int
    model_id: str
    since: str | None
    until: str | None
    reason: str
    releasers: tuple[str, ...]
    is_released: bool


class Holds(BaseModel):
    """A list of holds."""

    items: list[HoldShown]
    next: str | None = None


class ReleaseAsked(Asked):
    """Why a hold may end."""

    reason: Reason
    by: Name | None = Field(None, description="Who asks, where a command on the server's machine does.")


class RetentionAsked(Asked):
    """Keep what was recorded in the last so many days; `dry_run` only says what would be deleted."""

    days: Annotated[int, Field(ge=0, le=DAYS_MAX)]
    dry_run: bool = False


class RetentionDone(BaseModel):
    """What was deleted; where the log begins now; which segment stays, and for which seal."""

    entries: int
    segments: int
    first: int
    held_segment: str | None
    held_by: str | None


class NoteAsked(Asked):
    """A checkpoint that was kept."""

    checkpoint: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


class Compared(BaseModel):
    """The log still begins with what the checkpoint covers."""

    size: int


class Checkpoint(BaseModel):
    """The newest checkpoint; `consistency` proves growth from the size that was asked about."""

    size: int
    checkpoint: str
    vkey: str
    consistency: list[str]


class Proof(BaseModel):
    """That an entry is in the log."""

    model_config = ConfigDict(populate_by_name=True)

    schema_: str = Field(alias="schema")
    seq: int
    size: int
    header: str
    leaf: str
    proof: list[str]
    checkpoint: str
    vkey: str
    salt: str | None = None


class TokenAsked(Asked):
    """A token to make."""

    name: Name
    role: Name
    models: Annotated[list[Name], Field(max_length=1_000)] = []
    expires_at: Moment | None = None
    kind: Literal["pagerduty"] | None = None


class TokenShown(BaseModel):
    """A token, without its secret."""

    id: str
    name: str
    role: str
    models: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    kind: str | None = None


class TokenMade(TokenShown):
    """A token and its secret, this once."""

    token: str


class Tokens(BaseModel):
    """A list of tokens."""

    items: list[TokenShown]
    next: str | None = None


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    fix: str


class Recorded(BaseModel):
    """What became of a request of events."""

    events: int
    repeated: int
    first: int
    end: int
    log: str


Document = dict[str, Any]
