"""Rows of a log as events, and events as rows again: every type that a file can hold, and what cannot be an event."""

import json

import duckdb
import orjson
import pytest

from andon.adapters.duckdb.events import events_of, label_of, row_of
from andon.base.errors import BadInput
from andon.inventory.model_file import parse_model

NAMES = {"id_column": "id", "time_column": "ts", "prediction_column": "prediction", "score_column": "score"}
MODEL = parse_model({"model_id": "m"} | NAMES)
ROW = (
    "i::varchar as id, timestamptz '2026-03-01 00:00:00+01' + i * interval 1 hour as ts, 1 as prediction, 0.5 as score"
)


def log(tmp_path, sql):
    path = tmp_path / "log.parquet"
    duckdb.sql(f"copy ({sql}) to '{path}'")
    return str(path)


def events(path):
    return [json.loads(line) for line in events_of([path], MODEL)]


def test_times_with_a_zone_are_utc_wherever_they_stand(tmp_path):
    at = "timestamptz '2026-03-01 00:00:00+02'"
    made = f"{at} as seen, [{at}] as all_seen, {{'at': {at}}} as told"
    [event] = events(log(tmp_path, f"select {ROW}, {made} from range(1) t(i)"))
    assert event["ts"] == "2026-02-28T23:00:00.000000Z"
    assert event["inputs"] == {
        "seen": "2026-02-28T22:00:00.000000Z",
        "all_seen": ["2026-02-28 22:00:00+00"],
        "told": {"at": "2026-02-28 22:00:00+00"},
    }


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("'nan'::double", None),
        ("'-infinity'::double", None),
        ("['inf'::double, 1]", [None, 1.0]),
        ("1.10::decimal(5, 2)", 1.1),
        ("[1.5::decimal(5, 2)]", [1.5]),
        ("12345678901234567890123456789.5::decimal(30, 1)", 12345678901234567890123456789.5),
        ("18446744073709551615::ubigint", 18446744073709551615),
        ("map([1, 2], ['a', 'b'])", {"1": "a", "2": "b"}),
        ("date '2026-03-01'", "2026-03-01"),
        ("[date '2026-03-01']", ["2026-03-01"]),
        ("[interval 1 day]", ["1 day, 0:00:00"]),
        ("[uuid '00000000-0000-4000-8000-000000000000']", ["00000000-0000-4000-8000-000000000000"]),
        ("['x'::blob]", ["b'x'"]),
        ("true", True),
        ("null", None),
    ],
)
def test_a_value_of_any_type_becomes_json(tmp_path, sql, said):
    [event] = events(log(tmp_path, f"select {ROW}, {sql} as x from range(1) t(i)"))
    assert event["inputs"] == {"x": said}
    assert event["score"] == 0.5


@pytest.mark.parametrize("blank", ["null", "''", "'  '", "chr(9)"])
def test_a_row_without_an_id_is_counted_and_refused(tmp_path, blank):
    row = ROW.replace("i::varchar", f"case when i < 2 then {blank} else i::varchar end")
    path = log(tmp_path, f"select {row} from range(5) t(i)")
    with pytest.raises(BadInput, match=r"^2 rows of .*log\.parquet have no id, .* fill it in; nothing was recorded$"):
        events(path)


@pytest.mark.parametrize("blank", ["null", "''", "' '"])
def test_a_row_without_its_model_is_counted_and_refused(tmp_path, blank):
    path = log(tmp_path, f"select {ROW}, case when i < 1 then {blank} else 'north' end as which from range(5) t(i)")
    model = parse_model({"model_id": "m", "model_column": "which"} | NAMES)
    with pytest.raises(BadInput, match=r"^1 row of .*log\.parquet has no which, .* fill it in; nothing was recorded$"):
        list(events_of([path], model))


@pytest.mark.parametrize("role", ["score", "prediction", "version", "latency", "status", "subject", "model"])
def test_a_column_that_the_model_names_and_the_log_lacks_is_refused(tmp_path, role):
    """Without it the events would lack it for ever."""
    model = parse_model({"model_id": "m"} | NAMES | {f"{role}_column": "nowhere"})
    with pytest.raises(BadInput, match=f"has no column 'nowhere', which the model names as `{role}_column`: mend"):
        list(events_of([log(tmp_path, f"select {ROW} from range(5) t(i)")], model))


def test_labels_may_come_later_and_from_elsewhere(tmp_path):
    model = parse_model({"model_id": "m", "label_column": "later", "label_time_column": "then"} | NAMES)
    assert len(list(events_of([log(tmp_path, f"select {ROW} from range(5) t(i)")], model))) == 5


PAYLOAD = b'{"id":"p","ts":"2026-03-01T00:00:00Z","model_id":"m","prediction":1,"inputs":%s}'


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (b'{"x":1}', {"x": 1}),
        (b"7", {}),
        (b"[1]", {}),
        (b'"ab"', {}),
        (b"null", {}),
        (b'{"":1,"x":2}', {"x": 2}),  # a column has a name
        (b'{"id":1,"ts":2,"prediction":3}', {}),
        (b'{"x":1e999,"y":2}', {"x": None, "y": 2}),
        (b'{"x":-1e999}', {"x": None}),
        (b'{"x":' + b"9" * 400 + b"}", {"x": None}),
        (b'{"x":' + b"9" * 5_000 + b"}", {"x": None}),
        (b'{"x":123456789012345678901234567890}', {"x": 1.2345678901234568e29}),
        (b'{"x":"\xff"}', {"x": "\ufffd"}),  # earlier versions took it
        (b'{"x":' + b"[" * 900 + b"]" * 900 + b',"y":2}', {"x": None, "y": 2}),
    ],
)
def test_an_event_with_odd_inputs_is_a_row_again(inputs, said):
    row = orjson.loads(orjson.dumps(row_of(PAYLOAD % inputs, MODEL)))
    assert row == {"id": "p", "ts": "2026-03-01T00:00:00Z", "prediction": 1, "score": None} | said


def test_segments_are_columns_beside_inputs():
    event = PAYLOAD % b'{"x":1,"region":"n"}'
    row = row_of(event[:-1] + b',"segments":{"channel":"web","region":"s","id":"q"}}', MODEL)
    assert {name: row[name] for name in ("id", "x", "channel", "region")} == {
        "id": "p",
        "x": 1,
        "channel": "web",
        "region": "n",
    }


def test_the_label_of_an_outcome_that_says_more_than_doubles_hold():
    assert label_of(b'{"kind":"outcome","id":"p","ts":"2026-03-01T00:00:00Z","model_id":"m","label":1,"x":1e999}') == 1


def test_names_that_few_lines_have_are_columns_too(tmp_path):
    rows = [{"id": f"p{n}", "ts": "2026-03-01T00:00:00Z", "prediction": 1, "score": 0.5} for n in range(500)]
    rows[3] |= {f"n{name}": name for name in range(3_000)}
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = events(str(path))
    assert [each["id"] for each in found] == sorted(f"p{n}" for n in range(500))
