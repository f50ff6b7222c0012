"""Which files the places stand for that a command reads."""

from andon.adapters.duckdb import place


def files_named(given: str) -> tuple[str, ...]:
    """The files on a disk that a path, glob, folder or URL stands for; none where nothing is to be found."""
    return place.files_named(given)
