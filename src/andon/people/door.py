"""The door: which token a secret is, from memory."""

from collections.abc import Iterable

from andon.base.errors import Unauthenticated
from andon.people.token import PAGERDUTY, Token, digest_of, is_routing_key, is_well_formed

_MEND = "send `Authorization: Bearer andon_…`; `andon token create` makes a token"


class Door:
    """Knows the tokens; `learn` replaces all that it knows, but the one for commands on this machine."""

    def __init__(self, tokens: Iterable[Token] = (), local: Token | None = None) -> None:
        self._local = () if local is None else (local,)
        self._by_digest: dict[str, Token] = {}
        self.learn(tokens)

    def learn(self, tokens: Iterable[Token]) -> None:
        """From now on these are the tokens."""
        self._by_digest = {token.digest: token for token in (*self._local, *tokens)}

    def knows(self, token: Token, now: str) -> bool:
        """Whether a token that was admitted still opens doors."""
        found = self._by_digest.get(token.digest)
        return found is not None and found.is_valid(now)

    def admit(self, secret: str | None, now: str) -> Token:
        """The token of a secret.

        Raises:
            Unauthenticated: there is none, or it opens nothing any more.
        """
        if secret is None:
            raise Unauthenticated(f"this needs a token: {_MEND}")
        token = self._by_digest.get(digest_of(secret)) if is_well_formed(secret) else None
        if token is None or token.kind is not None:
            raise Unauthenticated(f"this token is not known here: {_MEND}")
        if token.revoked_at is not None:
            raise Unauthenticated(f"the token {token.id} was revoked at {token.revoked_at}: {_MEND}")
        if not token.is_valid(now):
            raise Unauthenticated(f"the token {token.id} expired at {token.expires_at}: {_MEND}")
        return token

    def admit_key(self, secret: object, now: str) -> Token:
        """The token of a routing key, which opens PagerDuty's Events API and nothing else.

        Raises:
            Unauthenticated: it is none, or opens nothing any more.
        """
        if secret is None:
            raise Unauthenticated(
                "the body names no routing_key: send a JSON object with one; `andon token create --kind pagerduty`"
                " makes one"
            )
        is_key = isinstance(secret, str) and is_routing_key(secret)
        token = self._by_digest.get(digest_of(str(secret))) if is_key else None
        if token is None or token.kind != PAGERDUTY or not token.is_valid(now):
            raise Unauthenticated("the routing key opens nothing here: `andon token create --kind pagerduty` makes one")
        return token
