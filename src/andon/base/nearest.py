"""What was probably meant by a name that does not exist."""

import difflib
from collections.abc import Iterable

_ALIKE = 0.7


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name most like this one; None when none is alike."""
    return next(iter(difflib.get_close_matches(name, list(names), n=1, cutoff=_ALIKE)), None)
