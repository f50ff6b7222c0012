"""The incident record `andon.record/1`: S1's schema, and what Andon knows besides under one key, `andon`."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from andon.base.errors import BadInput
from andon.base.moment import Moment
from andon.incident.opening import place_in_time

SCHEMA: Final = "andon.record/1"
OWN: Final = "andon"
"""The key under which stands what S1's schema has no word for."""
PARTS: Final = ("impact", "root_cause", "corrective_actions")
"""What people fill in."""
TIMES: Final = {"detected_at", "acknowledged_at", "resolved_at"}
_TIME: Final[TypeAdapter[Moment]] = TypeAdapter(Moment)

NO_NUL: Final = r"^[^\x00]*$"
"""PostgreSQL keeps no text with a NUL."""
Text = Annotated[str, StringConstraints(max_length=10_000, pattern=NO_NUL)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]
Time = Annotated[str, StringConstraints(max_length=40), Field(json_schema_extra={"format": "date-time"})]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Impact(_Strict):
    """What it did."""

    affected_predictions: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    false_positive_increase: Text | None = None
    user_impact: Text | None = None
    financial_impact_estimate: Text | None = None


class RootCause(_Strict):
    """Why it happened."""

    category: Name
    description: Text
    contributing_factors: list[Text] = Field(default=[], max_length=100)


class CorrectiveAction(_Strict):
    """What is done so that it does not happen again."""

    action: Text
    owner: Name
    due_date: Day
    status: Literal["open", "in_progress", "completed", "cancelled"]


class Event(_Strict):
    """A line of the timeline."""

    time: Time
    event: Text


class Record(_Strict):
    """An incident's record."""

    incident_id: Annotated[str, StringConstraints(pattern=r"^AI-INC-[0-9]{4}-[0-9]{4,9}$")]
    incident_type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,99}$")]
    severity: Literal["critical", "high", "medium", "low"]
    status: Literal["declared", "contained", "resolved", "closed", "merged"]
    model_id: Name
    model_version: Name | None = None
    detected_at: Time
    detected_by: Name
    acknowledged_at: Time | None = None
    resolved_at: Time | None = None
    duration_minutes: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="From the detection to the resolution."
    )
    impact: Impact = Impact()
    root_cause: RootCause | None = None
    timeline: list[Event] = Field(default=[], max_length=10_000)
    corrective_actions: list[CorrectiveAction] = Field(default=[], max_length=1_000)
    andon: dict[str, Any] | None = Field(default=None, description="What Andon knows besides; S1's profile omits it.")


class Parts(_Strict):
    """The parts that people write; what is left out stays as it is."""

    impact: Impact | None = None
    root_cause: RootCause | None = None
    corrective_actions: list[CorrectiveAction] | None = Field(default=None, max_length=1_000)


def record_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a record."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "incident-record.schema.json"}
    return {**head, **Record.model_json_schema(), "title": SCHEMA}


def parse_record(document: object) -> Record:
    """A record from a document.

    Raises:
        BadInput: it is none; the place is named.
    """
    try:
        record = Record.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the top"
        mend = "`andon show record` prints the schema"
        raise BadInput(f"this is no incident record, at {place}: {first['msg']}; {mend}") from None
    events = (("timeline", each.time) for each in record.timeline)
    for name, text in (*record.model_dump(include=TIMES).items(), *events):
        if text is not None:
            instant(text, name)
    return record


def instant(text: str, name: str) -> str:
    """A time as the tables hold it.

    Raises:
        BadInput: it is none, or has no zone.
    """
    try:
        at = _TIME.validate_python(text)
    except ValidationError:
        raise BadInput(f"{name} is {text!r}, which is no time with a zone: write it as 2026-04-22T08:15:00Z") from None
    return place_in_time(at) or ""


def kept(original: Any, computed: Any) -> Any:
    """What is computed, in the original's own writing wherever both say the same: order of keys, forms of times."""
    if isinstance(original, Mapping) and isinstance(computed, Mapping):
        both = {name: kept(original[name], computed[name]) for name in original if name in computed}
        new = {name: value for name, value in computed.items() if name not in original and not _is_empty(value)}
        return {**both, **new}
    if isinstance(original, list) and isinstance(computed, list):
        pairs = [kept(*each) for each in zip(original, computed, strict=False)]
        return [*pairs, *computed[len(original) :]]
    return original if original == computed or _same_instant(original, computed) else computed


def _is_empty(value: Any) -> bool:
    """Whether a computed value says nothing."""
    return value in (None, [], {}) or (isinstance(value, Mapping) and all(map(_is_empty, value.values())))


def _same_instant(one: Any, other: Any) -> bool:
    try:
        return bool(_TIME.validate_python(one) == _TIME.validate_python(other))
    except ValidationError:
        return False
