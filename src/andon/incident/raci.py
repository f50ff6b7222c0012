"""Who does what on an incident: for each piece of work who answers for it, does it, is asked, is told."""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from andon.incident.pack_file import parse_pack
from andon.incident.taxonomy import Sentence, Slug
from andon.incident.work import ROLE_NAMES

PARTS: Final = ("responsible", "consulted", "informed")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RoleMeaning(_Strict):
    """A role in words."""

    title: Sentence
    does: Sentence


class Work(_Strict):
    """A piece of work: `accountable` is one role, and nobody is both asked and told, or does it and is asked."""

    what: Sentence
    accountable: Slug
    responsible: tuple[Slug, ...] = Field(min_length=1)
    consulted: tuple[Slug, ...]
    informed: tuple[Slug, ...]

    @model_validator(mode="after")
    def _each_role_once(self) -> "Work":
        named = [role for part in PARTS for role in getattr(self, part)]
        twice = sorted({role for role in named if named.count(role) > 1})
        if twice:
            raise ValueError(f"{self.what}: {twice[0]} stands there twice; name each role in one place")
        if self.accountable in (*self.consulted, *self.informed):
            raise ValueError(f"{self.what}: {self.accountable} answers for it, so it is neither asked nor told")
        return self


class Raci(_Strict):
    """The roles by slug, and the work."""

    schema_: Literal["andon.roles/1"] = Field(alias="schema")
    roles: dict[Slug, RoleMeaning]
    work: tuple[Work, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _roles_are_those_of_incidents(self) -> "Raci":
        if set(self.roles) != set(ROLE_NAMES):
            raise ValueError(f"the roles of an incident are {', '.join(ROLE_NAMES)}: describe these, no others")
        for each in self.work:
            unknown = {each.accountable, *each.responsible, *each.consulted, *each.informed} - set(self.roles)
            if unknown:
                raise ValueError(f"{each.what} names {min(unknown)}, which is no role")
        return self


def parse_raci(content: Mapping[str, object]) -> Raci:
    """Roles from the content of their file."""
    return parse_pack(Raci, content, "roles.yaml")
