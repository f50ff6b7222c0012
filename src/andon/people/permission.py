"""Permissions: which role may do which act, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from andon.base.errors import BadInput, Denied


@dataclass(frozen=True, slots=True)
class Permissions:
    """The roles with what they are, and the roles that each act (`service.method`) is open to."""

    roles: Mapping[str, str]
    acts: Mapping[str, frozenset[str]]

    def allows(self, role: str, act: str) -> bool:
        """Whether a role may do an act; an act that is not listed is nobody's."""
        return role in self.acts.get(act, frozenset())

    def require(self, role: str, act: str) -> None:
        """Refuse what a role may not do.

        Raises:
            Denied: it may not; the roles that may are named.
        """
        if not self.allows(role, act):
            may = ", ".join(sorted(self.acts.get(act, ()))) or "nobody"
            raise Denied(f"the role {role} may not do {act}: use a token of {may}")

    def require_role(self, name: str) -> None:
        """Refuse a role that does not exist.

        Raises:
            BadInput: there is none of this name.
        """
        if name not in self.roles:
            raise BadInput(f"there is no role {name}: it is one of {', '.join(self.roles)}")


def permissions_from(content: Mapping[str, Any]) -> Permissions:
    """Permissions as the pack writes them."""
    acts = {act: frozenset(roles) for act, roles in content["acts"].items()}
    unknown = {role for roles in acts.values() for role in roles} - content["roles"].keys()
    if unknown:
        raise BadInput(f"permissions name roles that do not exist: {', '.join(sorted(unknown))}")
    return Permissions(content["roles"], acts)
