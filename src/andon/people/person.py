"""People: whoever holds a token; several tokens of one name are one person."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from andon.base.errors import BadInput
from andon.base.nearest import nearest
from andon.people.token import Token, token_of

RESPONDERS: Final = frozenset({"responder", "commander", "reviewer", "compliance", "admin"})
"""Roles of tokens whose holders work on incidents."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody: `id` is the pseudonym that the journal names, `name` is for people."""

    id: str
    name: str


def persons_of(rows: Iterable[Mapping[str, Any]], now: str) -> dict[str, Person]:
    """Who may work on incidents, by name: the newest of each name."""
    tokens = [token_of(row) for row in rows]
    able = sorted((each for each in tokens if _is_able(each, now)), key=lambda each: each.created_at)
    return {each.name: Person(each.id, each.name) for each in able}


def get_person(rows: Iterable[Mapping[str, Any]], named: str, now: str) -> Person:
    """Somebody by name, or by the id of a token.

    Raises:
        BadInput: nobody of this name may work on incidents.
    """
    rows = list(rows)
    known = persons_of(rows, now)
    found = known.get(named) or next((each for each in known.values() if each.id == named), None)
    if found is None:
        near = nearest(named, known)
        meant = f"did you mean {near}?" if near else "`andon token create --name NAME --role responder` adds them"
        raise BadInput(f"nobody called {named} may work on incidents: {meant}")
    return found


def name_of(row: Mapping[str, Any] | None, pseudonym: str) -> str:
    """The name behind a pseudonym, from the row of its token; else the pseudonym."""
    return pseudonym if row is None else str(row["name"])


def _is_able(each: Token, now: str) -> bool:
    return each.role in RESPONDERS and each.is_valid(now)
