"""Events: what is one, what is not, and the published schema says the same."""

import json
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from andon.telemetry.event import KINDS, event_schema, parse_event

BASE = {"id": "p1", "ts": "2026-03-01T00:00:00Z", "model_id": "m"}
GOOD = [
    BASE,
    {**BASE, "kind": "prediction", "inputs": {"age": 41, "x": [1.5, None]}, "score": 0.5, "flags": ["late"]},
    {**BASE, "kind": "outcome", "label": 1},
    {**BASE, "kind": "review", "reviewer": "r", "decision": "deny", "override": True, "decide_seconds": 2.5},
    {**BASE, "kind": "step", "trace": "t", "name": "retrieval", "input": {"q": "a"}},
    {**BASE, "kind": "action", "actor": "a", "action": "kill"},
]
BAD = [
    {},
    {**BASE, "id": 7},
    {**BASE, "score": "high"},
    {**BASE, "kind": "outcome"},
    {**BASE, "kind": "step", "name": "x"},
    {**BASE, "kind": "hold"},
    [],
]


@pytest.mark.parametrize("event", GOOD)
def test_events(event):
    parsed = parse_event(json.dumps(event).encode())
    assert parsed.kind == event.get("kind", "prediction")
    assert parsed.id == "p1"
    Draft202012Validator(event_schema()).validate(event)


@pytest.mark.parametrize("event", BAD)
def test_what_is_no_event(event):
    with pytest.raises(ValueError, match=r"."):
        parse_event(json.dumps(event).encode())
    assert not Draft202012Validator(event_schema()).is_valid(event)


@pytest.mark.parametrize("line", [b"", b"{", b'{"id": "\xff"}', b"NaN", b"[" * 5000])
def test_what_is_no_json(line):
    with pytest.raises((ValueError, RecursionError)):
        parse_event(line)


def test_the_published_schema_is_the_present_one():
    published = (files("andon") / "packs" / "schemas" / "event.schema.json").read_text(encoding="utf-8")
    assert json.loads(published) == event_schema()
    assert set(KINDS) == {"prediction", "outcome", "review", "step", "action"}
