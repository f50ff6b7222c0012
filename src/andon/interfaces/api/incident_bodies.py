"""What requests and answers about incidents hold."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, Field, StringConstraints

from andon.base.moment import Moment
from andon.interfaces.api.bodies import NO_NUL, Asked, Name

Title = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True, pattern=NO_NUL)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=10_000, strip_whitespace=True, pattern=NO_NUL)]
Place = r"^[ -~]*$"
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,99}$")]
Level = Literal["P0", "P1", "P2", "P3"]
Named = Annotated[str, Path(examples=["AI-INC-2026-0001"])]
Count = Annotated[int, Field(ge=0, lt=2**53)]
Limit = Annotated[int, Query(ge=1, le=1_000)]
Cursor = Annotated[str | None, Query(max_length=200, pattern=Place)]


class WantedAsked(Asked):
    """Which incidents to list."""

    status: Slug | None = None
    priority: Level | None = None
    model: Name | None = None
    type: Slug | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    after: Annotated[str, StringConstraints(max_length=200, pattern=Place)] | None = None


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
    detected_at: Moment | None = None
    started_at: Moment | None = None
    started_low: Moment | None = None
    started_high: Moment | None = None
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
    triaged_at: str | None
    cause_at: str | None
    reopened_at: str | None
    rose_at: str | None
    follows: str | None
    merged_into: str | None
    seal_id: str | None
    facts: dict[str, Any]
    proposed: str
    rule: str
    facts_missing: tuple[str, ...]
    alerts: int
    ended: int
    version: int


class IncidentList(BaseModel):
    """A page of incidents, the newest first."""

    items: list[IncidentShown]
    next: str | None


class StepShown(BaseModel):
    """Something to do now."""

    command: str
    does: str
    undo: str


class AnswersShown(BaseModel):
    """The six answers."""

    what: str
    since: str
    how_many: str
    may_do: list[StepShown]
    who: str
    deadline: str


class ClockShown(BaseModel):
    """A clock; `seconds_left` is negative once it was missed, null once it was met."""

    name: str
    starts_at: str
    due_at: str
    met_at: str | None
    state: str
    percent: int
    seconds_left: int | None


class CheckShown(BaseModel):
    """An item of the checklist: what was computed, what was answered."""

    item: str
    step: str
    question: str
    computed: str | None
    answer: str | None
    by: str | None
    at: str | None


class LineShown(BaseModel):
    """A line of a timeline; `place` is its cursor, `entry` its number in the journal."""

    at: str
    event: str
    kind: str
    by: str
    entry: int
    place: str


class Timeline(BaseModel):
    """A page of a timeline."""

    items: list[LineShown]
    next: str | None


class DossierShown(BaseModel):
    """All that is known of an incident."""

    incident: IncidentShown
    answers: AnswersShown
    clocks: list[ClockShown]
    roles: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    hypotheses: list[dict[str, Any]]
    facts: list[str]
    files: list[dict[str, Any]]
    checks: list[CheckShown]
    links: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    seal: dict[str, Any] | None
    alerts: list[dict[str, Any]]
    timeline: list[LineShown]
    handover: str | None


class MoveAsked(Asked):
    """Where an incident goes, why, and when that came true."""

    status: Slug
    reason: Text
    at: Moment | None = None


class ReasonAsked(Asked):
    """Why."""

    reason: Text


class PriorityAsked(Asked):
    """A priority, and why."""

    priority: Level
    reason: Text


class FactsLearned(Asked):
    """What became known, and how; null makes a fact unknown again."""

    facts: FactsAsked
    reason: Text


class MergeAsked(Asked):
    """Which incident takes this one in, and why."""

    into: Name
    reason: Text


class LinkAsked(Asked):
    """Which incident this one has to do with, how, and why."""

    other: Name
    relation: Slug = "related"
    reason: Text


class RemarkAsked(Asked):
    """A note, a fact, a link or a file; `at` is when it happened. A file that stays where it is has its SHA-256."""

    text: Text
    kind: Slug = "note"
    url: Annotated[str, StringConstraints(pattern=r"^(https?://[!-~]{1,2000}|sha256:[0-9a-f]{64})$")] | None = None
    at: Moment | None = None


class DecisionAsked(Asked):
    """A decision, why, and what else was considered."""

    choice: Title
    rationale: Text
    options: Annotated[list[Title], Field(min_length=1, max_length=50)]


class HypothesisAsked(Asked):
    """What may be the cause."""

    text: Text


class VerdictAsked(Asked):
    """What evidence says of a hypothesis."""

    state: Slug
    evidence: Text


class ChecksAsked(Asked):
    """Answers to items of the checklist; null confirms what was computed."""

    answers: Annotated[dict[Slug, Text | None], Field(min_length=1, max_length=50)]


class RoleAsked(Asked):
    """A role, and who takes it: a name, or the id of a token."""

    role: Slug
    to: Name


class HandoverAsked(RoleAsked):
    """Words on top of the brief."""

    words: Annotated[str, StringConstraints(max_length=10_000, pattern=NO_NUL)] = ""


class TaskAsked(Asked):
    """A task: what, which kind, whose, until when."""

    text: Text
    kind: Slug
    to: Name
    due_at: Moment


class TaskMoved(Asked):
    """What became of a task."""

    status: Slug
    reason: Text


class FileShown(BaseModel):
    """A file that was added: its number, the name it was given, its size in bytes and its SHA-256."""

    incident: str
    number: int
    name: str
    bytes: int
    sha256: str


class Written(BaseModel):
    """It is in the timeline; `number` of what is counted."""

    incident: str
    number: int | None = None


class RoleGiven(BaseModel):
    """Who has a role now, and the brief where it was handed over."""

    incident: str
    role: str
    name: str
    brief: str | None = None


class TaskMade(BaseModel):
    """A task, whether the commander debugs alone, and how to hand over."""

    incident: str
    number: int
    is_alone: bool
    hint: str | None


class Checked(BaseModel):
    """Whether every item that the priority asks is answered."""

    incident: str
    is_triaged: bool


class EvidenceSealed(BaseModel):
    """The receipt of a seal: keep the checkpoint elsewhere. `verify` checks a bundle without Andon."""

    incident: str
    seal_id: str
    checkpoint: str
    size: int
    root: str
    export: str
    verify: str


class FoundShown(BaseModel):
    """A place where the words stand: incident, timeline, alert, …; null where it is of no incident, or has no time."""

    kind: str
    incident_id: str | None
    at: str | None
    text: str


class FoundList(BaseModel):
    """Where the words stand, the closest first."""

    items: list[FoundShown]
    next: str | None = None
