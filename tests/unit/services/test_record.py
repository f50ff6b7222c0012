"""Recording: a batch whole or not at all, commitments, and a clock that steps back."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from andon.adapters.duckdb.events import row_of
from andon.adapters.memory_ledger import MemoryLedger
from andon.adapters.segments.analysis import tables_of
from andon.base.errors import BadInput
from andon.inventory.model_file import parse_model
from andon.ledger.entry import check_payload, make_entry, parse_header
from andon.services.ingest import Ingest
from andon.services.record import EVENT_BYTES_MAX, Record, check_lines, utc_text, utc_texts
from ledgers import SIGNER

AT = datetime(2026, 3, 1, tzinfo=UTC)


def line(number, **more):
    return json.dumps({"id": f"p{number}", "ts": "2026-03-01T01:00:00+01:00", "model_id": "m"} | more).encode()


def recorder(now=lambda: AT):
    return Record(MemoryLedger(SIGNER), now, lambda count: bytes(n % 256 for n in range(count)))


def recorded(record, lines, producer=None):
    ingest = Ingest(record.log, record.entries, lambda: AT)
    ingest.resume()
    return record.record(lines, ingest, producer=producer)


def events_in(log):
    return [entry for _, entry in log.read() if parse_header(entry.header)["kind"] == "prediction"]


def test_header_names_nobody_and_commits_to_the_bytes():
    record = recorder()
    event = line(1, subject="person-1", model_version="2", inputs={"age": 41})
    recorded(record, [event + b"\n", b"\n"])
    [entry] = events_in(record.log)
    assert entry.payload == event
    check_payload(entry)
    fields = parse_header(entry.header)
    assert set(fields) == {"v", "kind", "id", "ts", "at", "model_id", "model_version", "c", "n"}
    assert fields["ts"] == "2026-03-01T00:00:00.000000Z"


def test_a_batch_with_a_bad_line_is_not_recorded():
    record = recorder()
    with pytest.raises(BadInput, match=r"1 line is no event: line 3: id is missing.*nothing was recorded"):
        recorded(record, [line(1), line(2), b"{}", line(4)])
    assert record.log.size == 0


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"{}", "id is missing: write it"),
        (line(1, id=""), "id is empty"),
        (line(1, id="\u2003 "), "id is blank"),
        (line(1, model_id=""), "model_id is empty"),
        (line(1, model_id=" "), "model_id is blank"),
        (line(1, id=7), "id is a whole number: write a text"),
        (line(1, subject="xx").replace(b"xx", b"\xff"), "is not UTF-8 at byte"),
        (b'{"inputs": ' + b"[" * 100_000, "is nested more than 100 deep"),
        (line(1, inputs=0).replace(b": 0}", b":" + b"[" * 100 + b"]" * 100 + b"}"), "nested more than 100 deep"),
        (line(1, ts="2026-03-01"), "has no zone"),
        (line(1, ts="0001-01-01T00:00:00+14:00"), "outside the years"),
        (line(1, ts="soon"), r"ts 'soon' is no time: write it like 2026-02-09T06:00:00Z"),
        (line(1, ts=""), r"ts '' is no time: write it like"),
        (line(1, ts="2" * 1_000), rf"ts '{'2' * 60}…' is no time"),
        (line(1, ts="0000-01-01T00:00:00Z"), r"is no time \(year 0 is out of range\)"),
        (line(1, ts="10000-01-01T00:00:00Z"), "is no time: write"),
        (line(1, ts="2026-02-30T00:00:00Z"), r"is no time \(day is out of range for month\)"),
        (line(1, ts="2026-06-30T23:59:60Z"), r"is no time \(second must be in 0..59\)"),
        (line(1, ts="2026-03-01T00:00:00 Mars"), "is no time: write"),
        (line(1, ts="9999-12-31T23:59:59-14:00"), "outside the years"),
        (line(1, kind="moon"), "kind is 'moon'"),
        (line("x" * 70_000), "over 65535"),
        (line(1, subject="x" * EVENT_BYTES_MAX), "over the limit of 1 MiB"),
    ],
)
def test_what_is_refused(bad, said):
    record = recorder()
    for batch in ([bad], [line(2), bad]):
        with pytest.raises(BadInput, match=said) as found:
            record.entries(batch)
        assert "1 line is no event: line" in str(found.value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "nan"])
@pytest.mark.parametrize("key", ["score", "inputs"])
def test_a_line_with_what_is_no_number_is_refused(key, number):
    with pytest.raises(BadInput, match="JSON has no word for: write null"):
        recorder().entries([line(1, **{key: 7}).replace(b"7", number.encode())])


def test_a_number_beyond_all_doubles_is_refused_where_it_is_read_and_kept_elsewhere():
    with pytest.raises(BadInput, match="score is a number beyond what a double holds"):
        recorder().entries([line(1, score=7).replace(b"7", b"1e999")])
    kept = line(1, inputs={"x": 7}).replace(b"7", b"1e999")
    assert recorder().entries([kept])[0].payload == kept


def test_of_a_key_that_stands_twice_the_last_counts_for_every_reader():
    twice = (
        b'{"id":"p","id":"q","ts":"2026-03-01T00:00:00Z","model_id":"a","model_id":"b","prediction":1,"prediction":2}'
    )
    [entry] = recorder().entries([twice])
    header = parse_header(entry.header)
    assert (header["id"], header["model_id"], entry.payload) == ("q", "b", twice)
    [(model, table)] = tables_of([(0, entry)], bytes(32)).items()
    assert (model, table["id"].to_pylist(), table["prediction"].to_pylist()) == ("b", ["q"], [2.0])
    columns = {"id_column": "id", "time_column": "ts", "prediction_column": "prediction"}
    row = row_of(entry.payload, parse_model({"model_id": "b"} | columns))
    assert (row["id"], row["prediction"]) == ("q", 2)


def test_twenty_bad_lines_are_named():
    with pytest.raises(BadInput, match=r"25 lines.*line 20: .*and 5 more"):
        check_lines([b"{}"] * 25)


def test_a_clock_that_steps_back_is_noted():
    times = iter([AT + timedelta(hours=1)] * 4 + [AT] * 100)
    record = recorder(lambda: next(times))
    recorded(record, (line(i) for i in range(3_000)))
    kinds = [parse_header(entry.header)["kind"] for _, entry in record.log.read()]
    assert kinds.count("clock_step") == 1
    assert kinds.count("prediction") == 3_000


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00.000000Z"),
        ("2026-03-01T01:00:00.5+01:00", "2026-03-01T00:00:00.500000Z"),
        ("2026-03-01T00:00:00.123456Z", "2026-03-01T00:00:00.123456Z"),
    ],
)
def test_times_are_of_one_form(text, utc):
    assert utc_text(text) == utc


def test_events_of_all_kinds_in_one_batch():
    lines = [
        line(1),
        line(1, kind="outcome", label=0),
        line(2, kind="prediction"),
        line(3, kind="action", actor="a", action="x"),
    ]
    kinds = [parse_header(entry.header)["kind"] for entry in recorder().entries(lines)]
    assert kinds == ["prediction", "outcome", "prediction", "action"]


@pytest.mark.parametrize(
    "lines",
    [
        [line(1) + line(2), line(3)],
        [line(1) + b"\n" + line(2), line(3)],
        [line(1) + line(2), b" "],
        [line(1)[:-1], b"}"],
    ],
)
def test_one_line_is_one_event(lines):
    """Many lines are read in one go; what stands on them has to be what each says by itself."""
    with pytest.raises(BadInput, match=r"(line is no event|lines are no events): line 1"):
        recorder().entries(lines)


def test_headers_are_those_of_make_entry():
    record = recorder()
    event = json.dumps({"id": '\u00fc"\u0001\U0001f600', "ts": "2026-03-01T00:00:00Z", "model_id": "m/\u2028"}).encode()
    (entry,) = record.entries([event], [8])
    rest = {key: value for key, value in parse_header(entry.header).items() if key not in ("v", "c", "n")}
    assert make_entry(rest, entry.salt, entry.payload) == entry


def test_what_a_producer_sends_again_is_left_out():
    record = recorder()
    first = [line(i) for i in range(5)]
    assert recorded(record, first, "a").events == 5
    again = recorded(record, [*first, line(5)], "a")
    assert (again.events, again.repeated) == (1, 5)
    assert recorded(record, first, "b").events == 5
    assert recorded(record, first).events == 5
    ids = [parse_header(entry.header)["id"] for entry in events_in(record.log)]
    assert ids.count("p4") == 3


def test_large_batches_are_cut():
    record = recorder()
    recorded(record, [line(i, subject="x" * 900_000) for i in range(40)])
    assert len(events_in(record.log)) == 40
    assert record.log.size == 43


FORMS = (
    "2026-02-09T06:00:00.000000Z",
    "2026-02-09T06:00:00Z",
    "2026-02-09T06:00:00,000000Z",
    "2026-02-09T07:00:00+01:00",
)


@pytest.mark.parametrize("texts", [FORMS[:1] * 3, FORMS, FORMS[1:2] * 2, (f"{FORMS[0][:-1]}00Z", FORMS[0][:-3] + "Z")])
def test_times_looked_at_together_are_those_looked_at_one_by_one(texts):
    assert list(utc_texts(texts)) == [utc_text(text) for text in texts]


@pytest.mark.parametrize(
    "bad", ["2026-02-30T06:00:00.000000Z", "2026-02-09T06-00-00.000000Z", "2026-02-09T06:00:00.00000"]
)
def test_times_looked_at_together_are_times(bad):
    with pytest.raises(ValueError, match=r"is no time|no zone"):
        utc_texts([FORMS[0], bad, FORMS[0]])
