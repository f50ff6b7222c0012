"""What requests and answers about incidents hold."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from andon.interfaces.api.bodies import Asked, Name

Title = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=10_000, strip_whitespace=True)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,99}$")]
Level = Literal["P0", "P1", "P2", "P3"]
Count = Annotated[int, Field(ge=0, lt=2**53)]


class FactsAsked(Asked):
    """What is known of the harm; what is left out is not known."""

    decisions: Count | None = None
    wrong: Count | None = None
    people: Count | None = None
    risk: Literal["minimal", "limited", "high", "unknown"] | None = None
    defined_group: bool | None = None
    protected_group: bool | None = None
    physical_harm: bool | None = None
    confirmed_harm: bool | None = None
    loss_usd: Annotated[float, Field(ge=0, lt=2**53)] | None = None
    breach_of_law: bool | None = None
    compliance_gap: bool | None = None
    personal_data: bool | None = None
    attack_works: bool | None = None
    within_thresholds: bool | None = None


class IncidentAsked(Asked):
    """An incident to declare; without a priority it gets the one that the facts propose."""

    model_id: Name
    incident_type: Slug
    title: Title
    environment: Name = "production"
    priority: Level | None = None
    facts: FactsAsked = FactsAsked()
    detected_by: Title | None = None
    detected_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    started_low: AwareDatetime | None = None
    started_high: AwareDatetime | None = None
    model_version: Name | None = None
    place: Title | None = None


class IncidentShown(BaseModel):
    """An incident as it stands."""

    id: str
    environment: str
    model_id: str
    incident_type: str
    title: str
    detected_by: str
    origin: str
    status: str
    priority: str
    severity: str
    model_version: str | None
    place: str | None
    declared_at: str
    detected_at: str
    started_at: str | None
    started_low: str | None
    started_high: str | None
    acknowledged_at: str | None
    contained_at: str | None
    resolved_at: str | None
    closed_at: str | None
    follows: str | None
    merged_into: str | None
    seal_id: str | None
    facts: dict[str, Any]
    proposed: str
    rule: str
    facts_missing: tuple[str, ...]
    alerts: int
    version: int
