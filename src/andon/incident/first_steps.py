"""What to do first, by type of incident: a page for whoever an alert has just woken."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from andon.base.errors import NotFound
from andon.base.nearest import nearest
from andon.incident.checklist import Checklists
from andon.incident.pack_file import parse_pack
from andon.incident.priority import SEVERITIES
from andon.incident.taxonomy import Sentence, Slug, Taxonomy


class Step(BaseModel):
    """A step in a sentence, and the command that does it; ID and MODEL in it stand for the incident and its model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    do: Sentence
    run: Sentence | None = None


class FirstSteps(BaseModel):
    """The steps of each type, and those that stand before and after them whatever the type."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["andon.first_steps/1"] = Field(alias="schema")
    before: tuple[Step, ...]
    types: dict[Slug, tuple[Step, ...]]
    after: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Playbook:
    """The page of a type; `questions` are those of the triage checklist at its default priority."""

    incident_type: str
    title: str
    means: str
    excludes: str
    look_first: str
    priority: str
    steps: tuple[Step, ...]
    questions: tuple[str, ...]


def parse_first_steps(content: Mapping[str, object]) -> FirstSteps:
    """First steps from the content of their file."""
    return parse_pack(FirstSteps, content, "first_steps.yaml")


def playbook_of(incident_type: str, taxonomy: Taxonomy, steps: FirstSteps, checklists: Checklists) -> Playbook:
    """The page of a type.

    Raises:
        NotFound: there is no such type.
    """
    kind = taxonomy.types.get(incident_type)
    if kind is None:
        near = nearest(incident_type, taxonomy.types)
        meant = f"did you mean {near}?" if near else f"it is one of {', '.join(taxonomy.types)}"
        raise NotFound(f"there is no type of incident {incident_type[:60]}: {meant}")
    priority = next(each for each in checklists.priorities if SEVERITIES[each] == kind.default_severity)
    return Playbook(
        incident_type,
        kind.title,
        kind.means,
        kind.excludes,
        taxonomy.cause_categories[kind.cause_category],
        priority,
        (*steps.before, *steps.types.get(incident_type, ()), *steps.after),
        tuple(checklists.items[each].question for each in checklists.priorities[priority]),
    )
