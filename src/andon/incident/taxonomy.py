"""The types of incident and the severities, as a validated file says them."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from andon.base.errors import BadInput
from andon.base.interval import EPOCH
from andon.duty.calendar import due_at
from andon.incident.pack_file import parse_pack

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Sentence = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Severity = Literal["critical", "high", "medium", "low"]
PriorityLevel = Literal["P0", "P1", "P2", "P3"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class IncidentType(_Strict):
    """One type: what it means, what it is not, where its root-cause work begins, how bad it is taken to be."""

    title: Sentence
    means: Sentence
    excludes: Sentence
    cause_category: Slug
    default_severity: Severity


class Taxonomy(_Strict):
    """All types by slug, and the categories of cause they begin with."""

    schema_: Literal["andon.taxonomy/1"] = Field(alias="schema")
    cause_categories: dict[Slug, Sentence] = Field(min_length=1)
    types: dict[Slug, IncidentType] = Field(min_length=1)

    @model_validator(mode="after")
    def _categories_exist(self) -> "Taxonomy":
        for slug, kind in self.types.items():
            if kind.cause_category not in self.cause_categories:
                known = ", ".join(self.cause_categories)
                raise ValueError(f"{slug} names the cause category {kind.cause_category}, which is none of {known}")
        return self

    def titles(self) -> dict[str, str]:
        """The title of each type."""
        return {slug: kind.title for slug, kind in self.types.items()}


class Phase(_Strict):
    """A phase of the response: how long it may take, and what ends it."""

    name: Sentence
    within: Sentence
    until: Literal["acknowledged", "triaged", "cause", "contained", "resolved", "closed"]


class Action(_Strict):
    """What happens by itself at a priority."""

    does: Literal["notice", "escalation", "ticket", "task", "proposal"]
    text: Sentence
    within: Sentence | None = None


class SeverityLevel(_Strict):
    """One priority: its names on the other scales, the facts behind it, the time to respond, what happens by itself."""

    severity: Severity
    sev: Annotated[str, StringConstraints(pattern=r"^SEV-[1-4]$")]
    means: Sentence
    facts: tuple[Sentence, ...] = Field(min_length=1, strict=False)
    respond_within: Sentence
    phases: tuple[Phase, ...] = Field(strict=False)
    actions: tuple[Slug, ...] = Field(strict=False)


class Severities(_Strict):
    """The four priorities."""

    schema_: Literal["andon.severities/1"] = Field(alias="schema")
    severities: dict[PriorityLevel, SeverityLevel]
    actions: dict[Slug, Action]

    @model_validator(mode="after")
    def _all_are_known(self) -> "Severities":
        for name, level in self.severities.items():
            unknown = [each for each in level.actions if each not in self.actions]
            if unknown:
                raise ValueError(f"{name} names the action {unknown[0]}, which is none of {', '.join(self.actions)}")
            for length in (level.respond_within, *(phase.within for phase in level.phases)):
                _check_length(name, length)
        for slug, action in self.actions.items():
            if action.within is not None:
                _check_length(slug, action.within)
        return self


def _check_length(name: str, length: str) -> None:
    try:
        due_at(length, EPOCH)
    except BadInput as error:
        raise ValueError(f"{name}: {error}") from None


def parse_taxonomy(content: Mapping[str, object], name: str = "the taxonomy") -> Taxonomy:
    """A taxonomy from the content of its file."""
    return parse_pack(Taxonomy, content, name)


def extended(known: Taxonomy, content: Mapping[str, object], name: str) -> Taxonomy:
    """A taxonomy with what a user's file adds; a type or category of a known slug takes its place.

    Raises:
        BadInput: the file is not valid, or what it makes is not.
    """
    whole = known.model_dump(by_alias=True)
    for part in ("cause_categories", "types"):
        own = content.get(part, {})
        if not isinstance(own, Mapping):
            raise BadInput(f"{name} is not valid at {part}: write one entry a line below it, by its slug")
        whole[part] |= own
    rest = {key: value for key, value in content.items() if key not in ("cause_categories", "types")}
    return parse_taxonomy(whole | {"schema": None} | rest, name)


def parse_severities(content: Mapping[str, object], name: str = "the severities") -> Severities:
    """The severities from the content of their file."""
    return parse_pack(Severities, content, name)
