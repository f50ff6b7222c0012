"""Why a line is no event, in words: which key, what it is, what it has to be; made of what msgspec says.

Values are not repeated, but for the kind: they may be hostile, or personal.
"""

import re
from typing import Final

_KINDS: Final = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_MISFIT: Final = re.compile("Expected `(?P<wanted>[^`]+)`, got `(?P<found>[^`]+)`(?: - at `(?P<path>[^`]+)`)?")
_OTHERS: Final = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        ("Expected `str` of length >= 1 - at `(?P<path>[^`]+)`", "{place} is empty: write a text that names it"),
        ("(?P<path>Number|Integer value) out of range", "is a number: write one JSON object"),
        ("Object missing required field `(?P<path>[^`]+)`.*", "{place} is missing: write it"),
        (
            "(Number|Integer value) out of range - at `(?P<path>[^`]+)`",
            "{place} is a number beyond what a double holds: write a smaller one or null",
        ),
    )
)
_BROKEN: Final = re.compile(r"JSON is malformed: (?P<why>.+) \(byte (?P<at>\d+)\)|Input data was truncated")
_NO_NUMBER: Final = re.compile(rb"(?<![\w\"])-?(nan|inf)(?:inity)?(?![\w\"])", re.IGNORECASE)
_NEAR: Final = 4
"""So far before the place that the decoder names the word may begin: it takes `nan` for a `null` at first."""
_NO_NUMBERS: Final = {b"nan": "NaN", b"inf": "Infinity"}
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_BOM: Final = b"\xef\xbb\xbf"


def refusal_of(line: bytes, error: ValueError) -> str:
    """Why a line is no event; what is no sentence of msgspec or Python is one of Andon already."""
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8 at byte {error.start}: save it as UTF-8"
    text = str(error)
    if found := _BROKEN.fullmatch(text):
        return _coding(line) or _broken(line, found)
    if found := _MISFIT.fullmatch(text):
        return _misfit(found)
    others = ((pattern.fullmatch(text), said) for pattern, said in _OTHERS)
    return next((said.format(place=_place(found["path"])) for found, said in others if found), text)


def _misfit(found: re.Match[str]) -> str:
    kind = _KINDS.get(found["found"], found["found"])
    if found["path"] is None:
        return f"is {kind}: write one JSON object"
    *first, last = (_KINDS.get(each, each) for each in found["wanted"].split(" | "))
    others = f"{', '.join(first)} or " if first else ""
    return f"{_place(found['path'])} is {kind}: write {others}{last}"


def _place(path: str) -> str:
    """A place as msgspec writes it (`$.flags[1]`, `$.segments[...]`) in words."""
    name = path.removeprefix("$.")
    return f"a value of {name.removesuffix('[...]')}" if name.endswith("[...]") else name


def _coding(line: bytes) -> str | None:
    """What is wrong with how a line's text is saved, if that is what is wrong with it."""
    if line.startswith(_BOM):
        return "begins with a byte order mark: save it as UTF-8 without one"
    return "holds a zero byte, as UTF-16 does: save it as UTF-8" if b"\0" in line else None


def _broken(line: bytes, found: re.Match[str]) -> str:
    """Why a line is no JSON."""
    why, at = found["why"] or "", int(found["at"] or 0)
    if _SURROGATE.search(line) and (not why or "surrogate" in why):
        return "holds half of a surrogate pair: write the whole pair, or leave it out"
    if not why:
        return "is no JSON: it ends before it is whole"
    word = _NO_NUMBER.search(line, max(0, at - _NEAR))
    if word is not None and word.start() <= at:
        return f"holds {_NO_NUMBERS[word[1].lower()]}, which JSON has no word for: write null"
    return f"is no JSON, near byte {at}: {why}"
