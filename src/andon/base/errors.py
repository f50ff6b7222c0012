"""Errors that a caller acts on; each message says what is wrong, where, and how to mend it."""


class AndonError(Exception):
    """Base of the errors that Andon raises on purpose; its text is one sentence for a person."""


class BadInput(AndonError):
    """What was given cannot be used as it is: exit 2, HTTP 422."""


class NotFound(AndonError):
    """The thing named does not exist: exit 2, HTTP 404."""


class Unavailable(AndonError):
    """A component or a server cannot be reached: exit 4, HTTP 503."""


class Refused(AndonError):
    """A rule or a missing permission forbids it: exit 3, HTTP 422."""


class Tampered(AndonError):
    """Evidence is not what was recorded; the text names the place: exit 1, HTTP 500 and a page."""
