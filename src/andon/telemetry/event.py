"""Events as they come in: predictions, outcomes, reviews, steps, actions; msgspec checks them while it reads them."""

from typing import Any, Final

import msgspec

Answer = str | float | bool | None


def _absent() -> msgspec.Raw:
    return msgspec.Raw(b"null")


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    ts: str
    model_id: str
    model_version: str | None = None


class Prediction(_Event, frozen=True, kw_only=True):
    """What a model answered, when, to what; `ts` is ISO 8601 with a zone."""

    kind: str = "prediction"
    subject: str | None = None
    inputs: msgspec.Raw = msgspec.field(default_factory=_absent)
    output: msgspec.Raw = msgspec.field(default_factory=_absent)
    prediction: Answer = None
    score: float | None = None
    latency_ms: float | None = None
    status_code: int | str | None = None
    flags: list[str] = []
    prompt_version: str | None = None
    segments: dict[str, Answer] = {}


class Outcome(_Event, frozen=True, kw_only=True):
    """What turned out to be true of the prediction `id`, known since `ts`."""

    kind: str
    label: Answer


class Review(_Event, frozen=True, kw_only=True):
    """A person's look at the prediction `id`."""

    kind: str
    reviewer: str
    decision: Answer
    override: bool = False
    decide_seconds: float | None = None


class Step(_Event, frozen=True, kw_only=True):
    """A step on the way to an answer: preprocess, prompt, retrieval, tool, model, output."""

    kind: str
    trace: str
    name: str
    input_commitment: str | None = None
    output_commitment: str | None = None
    input: msgspec.Raw = msgspec.field(default_factory=_absent)
    output: msgspec.Raw = msgspec.field(default_factory=_absent)


class Action(_Event, frozen=True, kw_only=True):
    """What a responder did."""

    kind: str
    actor: str
    action: str
    reason: str | None = None


class _Kind(msgspec.Struct, frozen=True):
    kind: str = "prediction"


KINDS: Final[dict[str, type[_Event]]] = {
    "prediction": Prediction,
    "outcome": Outcome,
    "review": Review,
    "step": Step,
    "action": Action,
}
_DECODERS: Final = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}
_KIND: Final = msgspec.json.Decoder(_Kind)
_PREDICTION: Final = msgspec.json.Decoder(Prediction)


def parse_event(line: bytes) -> tuple[str, _Event]:
    """The kind and the event on a line of JSON.

    Raises:
        ValueError: it is no event; the message says which key is wrong.
    """
    if b'"kind"' not in line:
        return "prediction", _PREDICTION.decode(line)
    kind = _KIND.decode(line).kind
    if kind not in _DECODERS:
        raise ValueError(f"kind is {kind!r}, not one of {', '.join(KINDS)}")
    return kind, _DECODERS[kind].decode(line)


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
