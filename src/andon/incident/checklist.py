"""The triage checklist of an incident: items by priority, prefilled with what can be computed."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from andon.incident.clocks import spoken
from andon.incident.desk import Desk
from andon.incident.elsewhere import elsewhere, entries_beside, entry_in
from andon.incident.pack_file import parse_pack
from andon.incident.taxonomy import PriorityLevel, Sentence, Slug
from andon.inventory.register import CHANGES
from andon.ledger.journal import Page, View

Row = Mapping[str, Any]
CHANGES_SHOWN: Final = 3
CHANGES_READ: Final = 200
"""So many changes, the last ones, are looked through for versions that the register does not name."""


class Item(BaseModel):
    """One question."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: Sentence
    question: Sentence
    prefill: Slug | None


class Checklists(BaseModel):
    """All questions, and which of them each priority asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["andon.checklists/1"] = Field(alias="schema")
    items: dict[Slug, Item]
    priorities: dict[PriorityLevel, tuple[Slug, ...]]

    @model_validator(mode="after")
    def _all_are_known(self) -> "Checklists":
        for name, wanted in self.priorities.items():
            unknown = [each for each in wanted if each not in self.items]
            if unknown:
                raise ValueError(f"{name} asks {unknown[0]}, which is no item")
        for slug, item in self.items.items():
            if item.prefill is not None and item.prefill not in PREFILLS:
                raise ValueError(f"{slug} is prefilled by {item.prefill}, which is none of {', '.join(PREFILLS)}")
        return self


@dataclass(frozen=True, slots=True)
class Check:
    """An item as it stands: what Andon computed, and what a person answered."""

    item: str
    step: str
    question: str
    computed: str | None
    answer: str | None
    by: str | None
    at: str | None


def parse_checklists(content: Mapping[str, object]) -> Checklists:
    """Checklists from the content of their file."""
    return parse_pack(Checklists, content, "checklists.yaml")


def with_register(desk: Desk, view: View, row: Row) -> Row:
    """An incident's row with what the register says, as far as the reader may see it.

    `lately`: the last changes around its model before it was noticed, the newest first; `deployed`: the versions that
    the change log knows; `entry`: the model's, if it has one; `beside`: those of models that may rest on the same.
    """
    mine = {"model_id": row["model_id"], "environment": row["environment"]}
    page = Page(CHANGES_SHOWN, f"{row['detected_at']}~", is_newest_first=True, by="place")
    entry = entry_in(view, row["model_id"])
    beside = [] if entry is None else entries_beside(view, entry, desk.models)
    logged = view.list_rows(CHANGES, mine, Page(CHANGES_READ, is_newest_first=True, by="place"))
    deployed = list(dict.fromkeys(each["version"] for each in reversed(logged) if each["version"]))
    lately = view.list_rows(CHANGES, mine, page)
    return {**row, "lately": lately, "deployed": deployed, "entry": entry, "beside": beside}


def checks_of(row: Row, lists: Checklists, answered: Sequence[Row], roles: Sequence[Row]) -> tuple[Check, ...]:
    """The checklist of an incident's priority, from a row of `with_register`; what was answered beyond it is kept."""
    given = {each["item"]: each for each in answered}
    wanted = dict.fromkeys((*lists.priorities[row["priority"]], *given))
    checks = []
    for name in wanted:
        item, found = lists.items.get(name), given.get(name)
        computed = None if item is None or item.prefill is None else PREFILLS[item.prefill](row, roles)
        said = (None, None, None) if found is None else (found["answer"], found["actor"], found["at"])
        checks.append(Check(name, item.step if item else "", item.question if item else name, computed, *said))
    return tuple(checks)


def open_items(row: Row, lists: Checklists, answered: Sequence[str]) -> list[str]:
    """What is left to answer."""
    return [name for name in lists.priorities[row["priority"]] if name not in answered]


def _nature(row: Row, _: Sequence[Row]) -> str | None:
    return NATURES.get(row["incident_type"])


def _people(row: Row, _: Sequence[Row]) -> str | None:
    facts = json.loads(row["facts"])
    if facts.get("people") is None:
        return None
    return f"{facts['people']:,} people"


def _decisions(row: Row, _: Sequence[Row]) -> str | None:
    count = json.loads(row["facts"]).get("decisions")
    where = f" where {row['place']}" if row["place"] else ""
    return f"{count:,} decisions{where}" if count else None


def _since(row: Row, _: Sequence[Row]) -> str | None:
    if row["started_at"] is None:
        return None
    low, high = row["started_low"], row["started_high"]
    between = f" (between {spoken(low)} and {spoken(high)})" if low and high else ""
    return f"since {spoken(row['started_at'])}{between}, noticed {spoken(row['detected_at'])}"


def _version(row: Row, _: Sequence[Row]) -> str | None:
    said = [f"{row['model_version']}{_deployed(row)}"] if row["model_version"] else []
    for each in row["lately"]:
        version = f" {each['version']}" if each["version"] else ""
        said.append(f"{each['kind'].replace('_', ' ')}{version} {spoken(each['at'])}: {each['what']}")
    return "; ".join(said) or None


def _deployed(row: Row) -> str:
    """Since when a version is deployed, by the register."""
    versions = row["entry"]["versions"] if row["entry"] else ()
    at = next((each["deployed_at"] for each in versions if each["version"] == row["model_version"]), None)
    return f", deployed {spoken(at)}" if at else ""


def _elsewhere(row: Row, _: Sequence[Row]) -> str | None:
    if row["entry"] is None:
        return None
    named = [each["version"] for each in row["entry"]["versions"]]
    return elsewhere(row["entry"], row["model_version"], list(dict.fromkeys([*named, *row["deployed"]])), row["beside"])


def _who(_: Row, roles: Sequence[Row]) -> str | None:
    return ", ".join(dict.fromkeys(each["name"] for each in roles)) or None


NATURES: Final = {
    "harmful_output": "wrong generation",
    "resource_exhaustion": "model unavailable",
    "model_performance_degradation": "wrong classification",
    "data_pipeline_corruption": "wrong classification",
    "bias_and_fairness_violation": "wrong classification",
    "model_drift": "wrong classification",
}
PREFILLS: Final[Mapping[str, Callable[[Row, Sequence[Row]], str | None]]] = {
    "priority": lambda row, _: f"{row['priority']}; proposed {row['proposed']}: {row['rule']}",
    "nature": _nature,
    "people": _people,
    "system": lambda row, _: f"{row['model_id']} in {row['environment']}",
    "version": _version,
    "other_deployments": _elsewhere,
    "since": _since,
    "decisions": _decisions,
    "evidence": lambda row, _: row["seal_id"],
    "people_on_it": _who,
}
