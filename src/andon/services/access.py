"""Access: give and take tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from andon.base.errors import BadInput, Conflict, NotFound, Refused
from andon.base.ids import new_id
from andon.ledger.journal import Command, Fact, Journal, View
from andon.people.permission import Permissions
from andon.people.token import (
    PAGERDUTY,
    SECRET_BYTES,
    TABLE,
    Token,
    digest_of,
    new_routing_key,
    new_secret,
    token_of,
)

FIRST: Final = "first-administrator"
NAME_LENGTH_MAX: Final = 200
SIGNALLER: Final = "signaller"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a new token is to be: whose, which role, for which models (none: all), until when (None: for good).

    `kind`: `pagerduty` makes a routing key, for a signaller only.
    """

    name: str
    role: str
    models: Sequence[str] = ()
    expires_at: datetime | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token and its secret, which is shown this once."""

    token: Token
    secret: str


@dataclass(frozen=True, slots=True)
class Access:
    """Tokens, by commands of the journal.

    Attributes:
        journal: where to.
        permissions: the roles that exist.
        now, chance: time and randomness.
        actor: who acts, as a pseudonym.
    """

    journal: Journal
    permissions: Permissions
    now: Callable[[], datetime]
    chance: Callable[[int], bytes]
    actor: str = "local"

    def create_token(self, grant: Grant, request: str | None = None) -> NewToken:
        """Make a token.

        Raises:
            BadInput: the role does not exist, or the name or the time is none.
            Conflict: this request made one already.
        """
        self.permissions.require_role(grant.role)
        if not 0 < len(grant.name.strip()) <= NAME_LENGTH_MAX:
            raise BadInput(f"a token needs a name of 1 to {NAME_LENGTH_MAX} letters: say who or what will hold it")
        if any("\n" in model or not model for model in grant.models):
            raise BadInput("a model's id is not empty and has no line break: mend the list of models")
        if grant.expires_at is not None and grant.expires_at <= self.now():
            raise BadInput(f"the token would have expired already, at {grant.expires_at}: give a later time")
        if grant.kind not in (None, PAGERDUTY):
            raise BadInput(f"there is no kind of token {grant.kind}: write {PAGERDUTY}, or leave it out")
        if grant.kind == PAGERDUTY and grant.role != SIGNALLER:
            raise BadInput(f"a routing key only brings signals: give it the role {SIGNALLER}")
        make = new_secret if grant.kind is None else new_routing_key
        token_id, secret = new_id("tok", self.now(), self.chance(10)), make(self.chance(SECRET_BYTES))
        expires_at = None if grant.expires_at is None else _text(grant.expires_at)
        data = {"role": grant.role, "digest": digest_of(secret), "models": list(grant.models), "expires_at": expires_at}
        data |= {} if grant.kind is None else {"kind": grant.kind}
        fact = Fact("token_created", token_id, self.actor, data, {"name": grant.name.strip()})
        done = self.journal.commit(Command(request or token_id, lambda _: fact))
        if done.was_done:
            raise Conflict(
                f"this request made {done.fact.stream} already, and its secret was shown then: revoke that one, and ask"
                " anew with another Idempotency-Key"
            )
        return NewToken(self._get(token_id), secret)

    def revoke_token(self, token_id: str) -> Token:
        """Take a token; what it opens is closed within a second.

        Raises:
            NotFound: there is none of this id.
            Conflict: it was revoked before.
            Refused: it is the last administrator's.
        """

        def decide(view: View) -> Fact:
            found = view.find(TABLE, token_id)
            if found is None:
                raise NotFound(f"there is no token {token_id}: `andon token list` lists them")
            token = token_of(found)
            if token.revoked_at is not None:
                raise Conflict(f"{token_id} was revoked at {token.revoked_at} already")
            self._require_another_admin(view, token)
            return Fact("token_revoked", token_id, self.actor, {})

        self.journal.commit(Command(f"revoke_{token_id}_{self.chance(8).hex()}", decide))
        return self._get(token_id)

    def list_tokens(self) -> list[Token]:
        """All tokens, revoked and expired ones too."""
        return [token_of(row) for row in self.journal.list_rows(TABLE)]

    def start(self) -> NewToken | None:
        """The first administrator's token, the first time; afterwards None."""
        if self.journal.list_rows(TABLE):
            return None
        try:
            return replace(self, actor="first-start").create_token(Grant("administrator", "admin"), FIRST)
        except Conflict:  # another server was first
            return None

    def _require_another_admin(self, view: View, leaving: Token) -> None:
        now = _text(self.now())
        others = [token_of(row) for row in view.list_rows(TABLE) if row["id"] != leaving.id]
        if leaving.role == "admin" and not any(each.role == "admin" and each.is_valid(now) for each in others):
            raise Refused(f"{leaving.id} is the last administrator's token: make another one first")

    def _get(self, token_id: str) -> Token:
        found = self.journal.find(TABLE, token_id)
        if found is None:
            raise NotFound(f"there is no token {token_id}")
        return token_of(found)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
