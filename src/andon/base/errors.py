"""Errors that a caller acts on; each message says what is wrong, where, and how to mend it."""

from typing import Final


class AndonError(Exception):
    """Base of the errors that Andon raises on purpose; its text is one sentence for a person."""


class BadInput(AndonError):
    """What was given cannot be used as it is: exit 2, HTTP 422."""


class NotFound(AndonError):
    """The thing named does not exist: exit 2, HTTP 404."""


class Unavailable(AndonError):
    """A component or a server cannot be reached: exit 4, HTTP 503."""


class Busy(Unavailable):
    """There is more work than can be taken now; the same request later is right: exit 4, HTTP 503 with Retry-After."""


class Full(Unavailable):
    """There is no room on the disk; nothing acknowledged is lost: exit 4, HTTP 507."""


class Refused(AndonError):
    """A rule forbids it: exit 3, HTTP 422."""


class Denied(Refused):
    """The caller may not do this: exit 3, HTTP 403."""


class Unauthenticated(Refused):
    """Nobody knows who is calling: exit 3, HTTP 401."""


class Conflict(Refused):
    """It was changed or done by somebody else meanwhile: exit 3, HTTP 409."""


class Stale(Conflict):
    """It is not what the caller looked at any more: exit 3, HTTP 412."""


class Tampered(AndonError):
    """Evidence is not what was recorded; the text names the place: exit 1, HTTP 500 and a page."""


OVER_HTTP: Final[tuple[tuple[type[AndonError], int, str], ...]] = (
    (Unauthenticated, 401, "no valid token"),
    (Denied, 403, "not permitted"),
    (Stale, 412, "changed meanwhile"),
    (Conflict, 409, "conflict"),
    (Refused, 422, "refused by a rule"),
    (NotFound, 404, "not found"),
    (BadInput, 422, "bad input"),
    (Full, 507, "no room on the disk"),
    (Busy, 503, "busy"),
    (Unavailable, 503, "unavailable"),
    (Tampered, 500, "evidence is not what was recorded"),
)
"""How each error is said over HTTP: its status and the title of its problem; the more special first."""
_TOO_MANY: Final = 429
_BROKEN: Final = 500


def kind_over_http(status: int, title: str) -> type[AndonError]:
    """The error that an answer is: by its title, or by its status where something else than Andon answered."""
    for kind, _, said in OVER_HTTP:
        if said == title:
            return kind
    if status == _TOO_MANY or status >= _BROKEN:
        return Unavailable
    return next((kind for kind, code, _ in OVER_HTTP if code == status and kind is not Refused), BadInput)
