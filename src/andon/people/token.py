"""Bearer tokens: `andon_` and 43 letters of chance; only their SHA-256 is kept."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from andon.base.fold import Change, Fold, Posting

PREFIX: Final = "andon_"
SECRET_BYTES: Final = 32
TABLE: Final = "tokens"
PAGERDUTY: Final = "pagerduty"
REPORTER: Final = "reporter"
"""The role of somebody outside (a regulator, a journalist, a form on a web page): they report, nothing else."""
ROUTING_KEY_LENGTH: Final = 32
_SMALL: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_KEY_FORM: Final = re.compile(r"[a-z0-9]{32}")
LOCAL: Final = "local"
"""The id of the token for commands on the server's own machine; it lives as long as the server, and in no journal."""
_FORM: Final = re.compile(r"andon_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept.

    Attributes:
        id: its pseudonym, which the journal names as actor.
        name: who or what holds it.
        role: what it may do.
        digest: SHA-256 of the secret, hexadecimal.
        models: the models it is limited to; empty: all.
        created_at, expires_at, revoked_at: ISO 8601, UTC; None: never.
        kind: `pagerduty`: a routing key of PagerDuty's Events API, which opens nothing else; None: a bearer token.
    """

    id: str
    name: str
    role: str
    digest: str
    models: tuple[str, ...]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    kind: str | None = None

    def is_valid(self, now: str) -> bool:
        """Whether it opens doors at a time (the same form as `expires_at`, so that texts compare)."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def covers(self, model_id: str) -> bool:
        """Whether it may touch a model."""
        return not self.models or model_id in self.models


def new_secret(chance: bytes) -> str:
    """The text of a token from 32 random bytes."""
    return PREFIX + base64.urlsafe_b64encode(chance).rstrip(b"=").decode()


def new_routing_key(chance: bytes) -> str:
    """A routing key: 32 small letters and digits, as PagerDuty's are, from 32 random bytes."""
    number, letters = int.from_bytes(chance, "big"), []
    for _ in range(ROUTING_KEY_LENGTH):
        number, place = divmod(number, len(_SMALL))
        letters.append(_SMALL[place])
    return "".join(letters)


def local_token(secret: str, at: str) -> Token:
    """Who can read the data folder may do all that the folder can: it would do the same without the server."""
    return Token(LOCAL, LOCAL, "admin", digest_of(secret), (), at, None, None)


def digest_of(secret: str) -> str:
    """What is kept of a token. A plain hash suffices: nobody guesses 256 random bits."""
    return sha256(secret.encode()).hexdigest()


def is_well_formed(secret: str) -> bool:
    """Whether a text can be a token at all."""
    return _FORM.fullmatch(secret) is not None


def is_routing_key(secret: str) -> bool:
    """Whether a text can be a routing key at all."""
    return _KEY_FORM.fullmatch(secret) is not None


def token_of(row: Mapping[str, Any]) -> Token:
    """A token from its row."""
    models = tuple(row["models"].split("\n")) if row["models"] else ()
    return Token(**{**row, "models": models})


def _created(posting: Posting) -> Sequence[Change]:
    values = {
        "id": posting.stream,
        "name": posting.private["name"],
        "role": posting.data["role"],
        "digest": posting.data["digest"],
        "models": "\n".join(posting.data["models"]),
        "created_at": posting.at,
        "expires_at": posting.data["expires_at"],
        "revoked_at": None,
        "kind": posting.data.get("kind"),
    }
    return [Change(TABLE, posting.stream, values)]


def _revoked(posting: Posting) -> Sequence[Change]:
    return [Change(TABLE, posting.stream, {"revoked_at": posting.at})]


FOLDS: Final[Mapping[str, Fold]] = {"token_created": _created, "token_revoked": _revoked}
