"""Events: what is one, what is not, and the published schema says the same."""

import json
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from andon.telemetry.event import KINDS, event_schema, parse_event, parse_events
from andon.telemetry.event_refusal import refusal_of
from andon.telemetry.readable import DEPTH_MAX
from andon.telemetry.readable import require_readable as require_all_readable

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
    {**BASE, "id": ""},
    {**BASE, "model_id": ""},
    {**BASE, "id": " \t"},
    {**BASE, "model_id": "\u2003"},
    {**BASE, "kind": "outcome", "label": 1, "model_id": ""},
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


def test_a_kind_that_is_written_with_an_escape_is_read():
    assert (
        parse_event(rb'{"k\u0069nd": "outcome", "label": 1, "id": "p", "ts": "t", "model_id": "m"}').kind == "outcome"
    )


def require_readable(lines):
    require_all_readable(lines, max(map(len, lines)))


def nested(depth, brackets="[]"):
    """An event that is nested so deep, itself counted."""
    event = json.dumps({**BASE, "inputs": 0}).encode()
    inner = brackets[0] * (depth - 1) + brackets[-1] * (depth - 1)
    return event.replace(b'"inputs": 0', b'"inputs": ' + inner.encode())


def test_how_deep_an_event_may_be_nested():
    require_readable([nested(DEPTH_MAX), json.dumps({**BASE, "subject": "[{" * 500 + '\\"'}).encode()])
    parse_events([nested(DEPTH_MAX)])
    flat = json.dumps({**BASE, "inputs": [[number] for number in range(1_000)]}).encode()
    require_readable([flat])
    for line in (nested(DEPTH_MAX + 1), nested(100_000), b'{"inputs": ' + b"[" * 100_000, b'{"a":' * 5_000):
        with pytest.raises(ValueError, match="is nested more than 100 deep: "):
            require_readable([flat, line])
        with pytest.raises(ValueError, match="is nested more than 100 deep: "):
            require_readable([json.dumps(BASE).encode()] * 45 + [line, *[json.dumps(BASE).encode()] * 45])


@pytest.mark.parametrize("size", [0, 1, 7, 500, 900, 5_000])
def test_a_line_that_is_too_deep_is_found_wherever_it_stands(size):
    """They are counted in windows, eight bytes at once; the first and the last of them too."""
    plain = json.dumps({**BASE, "subject": "x" * size}).encode()
    deep = nested(DEPTH_MAX + 1)[:-1] + b',"subject":"' + b"x" * size + b'"}'
    for before in range(12):
        require_readable([plain] * 12)
        with pytest.raises(ValueError, match="is nested more than 100 deep: "):
            require_readable([plain] * before + [deep] + [plain] * (11 - before))


@pytest.mark.parametrize("text", [b"\xff", b"\xed\xa0\x80", b"\xc3"])
def test_bytes_that_are_no_text_are_refused_wherever_they_stand(text):
    line = json.dumps({**BASE, "inputs": {"a": "x"}}).encode().replace(b"x", text)
    with pytest.raises(UnicodeDecodeError):
        require_readable([json.dumps(BASE).encode(), line])
    require_readable([json.dumps({**BASE, "subject": "\u00e9"}, ensure_ascii=False).encode()])


def refused(line):
    try:
        require_readable([line])
        parse_event(line)
    except ValueError as error:
        return refusal_of(line, error)
    return None


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"id": 7}, "id is a whole number: write a text"),
        ({"id": None}, "id is null: write a text"),
        ({"id": ""}, "id is empty: write a text that names it"),
        ({"model_id": " "}, "model_id is blank: write a text that names it"),
        ({"score": "high"}, "score is a text: write a number or null"),
        ({"latency_ms": [1]}, "latency_ms is a list: write a number or null"),
        ({"flags": ["late", 3]}, "flags[1] is a whole number: write a text"),
        ({"segments": {"a": [1]}}, "a value of segments is a list: write true or false, a number, a text or null"),
        ({"prediction": {}}, "prediction is an object: write true or false, a number, a text or null"),
        ({"kind": "outcome"}, "label is missing: write it"),
        ({"kind": 3}, "kind is a whole number: write a text"),
        ({"kind": "m" * 500}, f"kind is '{'m' * 60}…', not one of prediction, outcome, review, step, action"),
    ],
)
def test_a_refusal_names_the_key_what_it_is_and_what_it_has_to_be(event, said):
    assert refused(json.dumps({**BASE, **event}).encode()) == said


SCORE = json.dumps({**BASE, "score": 0}).encode()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"[]", "is a list: write one JSON object"),
        (b"3", "is a whole number: write one JSON object"),
        (b"1e999", "is a number: write one JSON object"),
        (b"9" * 5_000, "is a number: write one JSON object"),
        (b"{}", "id is missing: write it"),
        (b"nonsense", "is no JSON, near byte 4: invalid character"),
        (b'{"id": "p"', "is no JSON: it ends before it is whole"),
        (SCORE + b" {}", f"is no JSON, near byte {len(SCORE) + 2}: trailing characters"),
        (b"\xef\xbb\xbf{}", "begins with a byte order mark: save it as UTF-8 without one"),
        (b'{"id": "\xff"}', "is not UTF-8 at byte 8: save it as UTF-8"),
        (b'{\0"\0', "holds a zero byte, as UTF-16 does: save it as UTF-8"),
        (rb'{"id": "\ud800"}', "holds half of a surrogate pair: write the whole pair, or leave it out"),
        (SCORE.replace(b" 0}", b" NaN}"), "holds NaN, which JSON has no word for: write null"),
        (SCORE.replace(b" 0}", b" -Infinity}"), "holds Infinity, which JSON has no word for: write null"),
        (
            SCORE.replace(b" 0}", b" 1e999}"),
            "score is a number beyond what a double holds: write a smaller one or null",
        ),
    ],
)
def test_a_refusal_of_what_is_no_json_says_where_and_why(line, said):
    assert refused(line) == said


def test_the_published_schema_is_the_present_one():
    published = (files("andon") / "packs" / "schemas" / "event.schema.json").read_text(encoding="utf-8")
    assert json.loads(published) == event_schema()
    assert set(KINDS) == {"prediction", "outcome", "review", "step", "action"}
