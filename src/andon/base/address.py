"""Addresses of data as a person may see them: a secret in a URL is neither shown nor logged."""

import re

_URL = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_USER = re.compile(r"^(?P<scheme>[^:]+://)(?P<user>[^:/?@]*)(?P<secret>:.*)?@(?P<rest>[^@]*)$", re.DOTALL)
_SECRET_KEY = re.compile(r"(?i)([?&][^=&]*(?:pass|secret|token|key|credential)[^=&]*=)[^&]*")


def is_url(text: str) -> bool:
    """Whether a place is named by a URL such as `postgresql://…`; else it is a path."""
    return _URL.match(text) is not None


def shown(place: str) -> str:
    """The place without passwords: what may stand in messages, results and commands to repeat."""
    if not is_url(place):
        return place
    head, sign, query = place.partition("?")
    found = _USER.match(head)
    if found is not None:
        head = f"{found['scheme']}{found['user']}@{found['rest']}"
    return _SECRET_KEY.sub(r"\1…", head + sign + query)
