"""Any JSON by a mapping file: where in a body the alerts stand, and what in them means what.

A place is a JSON Pointer (RFC 6901): `/alert/title` in an alert, `body:/meta/run` in the whole body.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from andon.adapters.signals.body import digest, json_of, text, time, wrong
from andon.alert.alert import Alert
from andon.alert.signal import ALERTS_MAX, Delivery
from andon.base.errors import BadInput

BODY: Final = "body:"
_HOLE: Final = re.compile(r"\{([^{}]*)\}")
_NOTHING: Final = object()

Pointer = Annotated[str, StringConstraints(pattern=r"^(body:)?(/.*)?$", max_length=500)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,199}$")]
Source = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(_Strict):
    """Where a value comes from: the first of the places that has one, a text with places in braces, or a constant."""

    at: tuple[Pointer, ...] = ()
    format: str | None = None
    value: str | None = None
    words: dict[str, str] = {}
    """What values mean, in small letters; others stay as they are."""


def _value(found: object) -> object:
    if isinstance(found, str):
        return {"at": (found,)} if found.startswith(("/", BODY)) else {"value": found}
    if isinstance(found, dict) and isinstance(found.get("at"), str):
        return {**found, "at": (found["at"],)}
    return found


Valued = Annotated[Value, BeforeValidator(_value)]


class Condition(_Strict):
    """Whether a value is one of some words, in small letters."""

    at: Pointer
    one_of: tuple[str, ...] = Field(min_length=1)


class Mapping_(_Strict):  # noqa: N801  # the word is taken
    """A mapping file."""

    schema_: Literal["andon.mapping/1"] = Field(alias="schema")
    source: Source
    about: str
    items: Pointer = ""
    """Where the list of alerts stands; empty: the body is one alert, or a list of them."""
    only: Condition | None = None
    """Which items are alerts; none: all."""
    fingerprint: tuple[Valued, ...] = Field(min_length=1)
    """What identifies an alert; several values make one fingerprint."""
    title: Valued
    resolved: Condition | None = None
    starts_at: Valued | None = None
    ends_at: Valued | None = None
    group_key: Valued | None = None
    url: Valued | None = None
    labels: dict[Name, Valued] = {}
    annotations: dict[Name, Valued] = {}
    tags: Pointer | None = None
    """A list, or a text with commas, of `name:value`, that become labels."""


def parse(content: object, name: str) -> Mapping_:
    """A mapping from the content of its file.

    Raises:
        BadInput: it is none; the file and the key are named.
    """
    if not isinstance(content, dict):
        raise BadInput(
            f"{name} holds no keys: write `schema: andon.mapping/1` and the others, as docs/signals.md shows"
        )
    try:
        return Mapping_.model_validate(content)
    except ValidationError as error:
        raise BadInput(f"{name}: {wrong(error)}") from None


@dataclass(frozen=True, slots=True)
class Mapped:
    """Reads bodies by a mapping."""

    mapping: Mapping_

    def __call__(self, body: bytes, _: Mapping[str, str]) -> Delivery:
        """The alerts of a body.

        Raises:
            BadInput: it does not fit the mapping; the place is named.
        """
        whole = json_of(body)
        items = _at(whole, self.mapping.items)
        if items is _NOTHING:
            raise BadInput(
                f"the body has nothing at {self.mapping.items}, where {self.mapping.source} lists its alerts: send"
                " the list there"
            )
        items = items if isinstance(items, list) else [items]
        if len(items) > ALERTS_MAX:
            raise BadInput(f"{len(items):,} alerts are over the limit of {ALERTS_MAX:,}: send them in parts")
        wanted = self.mapping.only
        kept = [each for each in items if wanted is None or _holds(wanted, each, whole)]
        return Delivery(tuple(self._alert(each, whole) for each in kept))

    def _alert(self, item: Any, whole: Any) -> Alert:
        mapping = self.mapping

        def said(value: Value | None) -> str:
            return "" if value is None else _said(value, item, whole)

        names = [said(each) for each in mapping.fingerprint]
        if not any(names):
            places = ", ".join(place for each in mapping.fingerprint for place in each.at)
            raise BadInput(f"an alert of {mapping.source} has nothing at {places}: send what identifies it")
        is_resolved = mapping.resolved is not None and _holds(mapping.resolved, item, whole)
        labels = {**self._tags(item, whole), **{name: said(value) for name, value in mapping.labels.items()}}
        return Alert(
            mapping.source,
            names[0] if len(names) == 1 else digest(*names),
            said(mapping.title) or f"an alert of {mapping.source}",
            time(said(mapping.starts_at), "starts_at"),
            is_resolved,
            time(said(mapping.ends_at), "ends_at") if is_resolved else None,
            {name: value for name, value in labels.items() if value},
            {name: found for name, value in mapping.annotations.items() if (found := said(value))},
            said(mapping.group_key) or f"{mapping.source}:{names[0]}",
            said(mapping.url),
        )

    def _tags(self, item: Any, whole: Any) -> dict[str, str]:
        found = _NOTHING if self.mapping.tags is None else _place(self.mapping.tags, item, whole)
        listed = found.split(",") if isinstance(found, str) else found if isinstance(found, list) else []
        pairs = (text(each).partition(":") for each in listed)
        return {name.strip(): value.strip() for name, colon, value in pairs if colon and name.strip()}


def _said(value: Value, item: Any, whole: Any) -> str:
    if value.value is not None:
        return value.value
    if value.format is not None:
        return _HOLE.sub(lambda hole: _text(_place(hole[1], item, whole)), value.format)
    found = next((said for place in value.at if (said := _text(_place(place, item, whole)))), "")
    return value.words.get(found.strip().lower(), found)


def _holds(condition: Condition, item: Any, whole: Any) -> bool:
    return _text(_place(condition.at, item, whole)).strip().lower() in condition.one_of


def _text(found: Any) -> str:
    return "" if found is _NOTHING else text(found)


def _place(pointer: str, item: Any, whole: Any) -> Any:
    return _at(whole, pointer.removeprefix(BODY)) if pointer.startswith(BODY) else _at(item, pointer)


def _at(found: Any, pointer: str) -> Any:
    """What stands at a JSON Pointer; `_NOTHING` where nothing does."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name, _NOTHING)
        elif isinstance(found, list) and name.isascii() and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return _NOTHING
    return found
