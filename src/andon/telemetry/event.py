"""Events as they come in: predictions, outcomes, reviews, steps, actions; msgspec checks them while it reads them."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec

_KIND_SHOWN: Final = 60
Answer = str | float | bool | None
Name = Annotated[str, msgspec.Meta(min_length=1, extra_json_schema={"pattern": r"\S"})]
"""A text that names something. That it is not blank `parse_event` looks at, and `Record` for many at once: with a
pattern, reading would take three times as long."""


class _Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What all events have."""

    id: Name
    ts: str
    model_id: Name
    model_version: str | None = None


class Prediction(_Event, frozen=True, kw_only=True, gc=False):
    """What a model answered, when, to what; `ts` is ISO 8601 with a zone."""

    kind: Literal["prediction"] = "prediction"
    subject: str | None = None
    inputs: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    output: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    prediction: Answer = None
    score: float | None = None
    latency_ms: float | None = None
    status_code: int | str | None = None
    flags: list[str] | msgspec.UnsetType = msgspec.UNSET
    prompt_version: str | None = None
    segments: dict[str, Answer] | msgspec.UnsetType = msgspec.UNSET


class Outcome(_Event, frozen=True, kw_only=True, gc=False):
    """What turned out to be true of the prediction `id`, known since `ts`."""

    kind: Literal["outcome"]
    label: Answer


class Review(_Event, frozen=True, kw_only=True, gc=False):
    """A person's look at the prediction `id`."""

    kind: Literal["review"]
    reviewer: str
    decision: Answer
    override: bool = False
    decide_seconds: float | None = None


class Step(_Event, frozen=True, kw_only=True, gc=False):
    """A step on the way to an answer: preprocess, prompt, retrieval, tool, model, output."""

    kind: Literal["step"]
    trace: str
    name: str
    input_commitment: str | None = None
    output_commitment: str | None = None
    input: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    output: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


class Action(_Event, frozen=True, kw_only=True, gc=False):
    """What a responder did."""

    kind: Literal["action"]
    actor: str
    action: str
    reason: str | None = None


Event = Prediction | Outcome | Review | Step | Action


class _Kind(msgspec.Struct, frozen=True):
    kind: str = "prediction"


KINDS: Final[dict[str, type[Event]]] = {
    "prediction": Prediction,
    "outcome": Outcome,
    "review": Review,
    "step": Step,
    "action": Action,
}


def _decoder(kind: type[Event]) -> msgspec.json.Decoder[Event]:
    """Checks all fields and makes no object for those that take any JSON."""
    fields: list[Any] = [
        (each.name, each.type) if each.required else (each.name, each.type, each.default)
        for each in msgspec.structs.fields(kind)
        if each.type is not msgspec.Raw
    ]
    return msgspec.json.Decoder(msgspec.defstruct(kind.__name__, fields, kw_only=True, frozen=True, gc=False))


_DECODERS: Final = {name: _decoder(kind) for name, kind in KINDS.items()}
_KIND: Final = msgspec.json.Decoder(_Kind)
_PREDICTION: Final = _DECODERS["prediction"]


def parse_events(lines: Sequence[bytes]) -> list[Event]:
    """The events on lines of JSON; predictions alone are read in one go.

    Raises:
        ValueError: one of them is no event; `parse_event` says which.
    """
    try:
        return list(map(_PREDICTION.decode, lines))
    except ValueError:
        return [parse_event(line) for line in lines]


def parse_event(line: bytes) -> Event:
    """The event on a line of JSON.

    Raises:
        ValueError: it is no event; the message says which key is wrong.
    """
    event = _event_on(line)
    for name in ("id", "model_id"):
        if getattr(event, name).isspace():
            raise ValueError(f"{name} is blank: write a text that names it")
    return event


def _event_on(line: bytes) -> Event:
    if b'"kind"' not in line and b"\\" not in line:  # a key can be written with escapes
        return _PREDICTION.decode(line)
    kind = _KIND.decode(line).kind
    if kind not in _DECODERS:
        shown = kind if len(kind) <= _KIND_SHOWN else f"{kind[:_KIND_SHOWN]}…"
        raise ValueError(f"kind is {shown!r}, not one of {', '.join(KINDS)}")
    return _DECODERS[kind].decode(line)


def event_schema() -> dict[str, Any]:
    """The JSON Schema of an event."""
    names = list(KINDS)
    refs, parts = msgspec.json.schema_components(list(KINDS.values()), ref_template="#/$defs/{name}")
    for name in names:
        part = parts[KINDS[name].__name__]
        part["properties"]["kind"] = {"const": name}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "andon event",
        "anyOf": list(refs),
        "$defs": parts,
    }
