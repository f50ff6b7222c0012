"""Analysis tables: types by what a segment holds, people as pseudonyms, and two ways of reading that agree."""

import hashlib
import json
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.adapters.segments.analysis import Tables, folder_name, tables_of
from andon.adapters.segments.columns import NAMES_MAX, Payloads, Reader, columns_by_hand
from andon.adapters.segments.verify import verify_folder
from andon.base.errors import Tampered
from andon.ledger.entry import make_entry
from ledgers import SIGNER, Hasty, open_log

KEY = b"key of the test"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def entry(number, kind="prediction", **fields):
    head = {"kind": kind, "id": f"p{number}", "ts": "2026-03-01T00:00:00.000000Z", "at": "2026-03-01T00:00:01.000000Z"}
    payload = {"id": f"p{number}", "ts": "2026-03-01", "model_id": fields.pop("model_id", "m"), "kind": kind, **fields}
    return make_entry({**head, "model_id": payload["model_id"]}, bytes(16), json.dumps(payload).encode())


def shouted(names):
    """Pseudonyms of the length that pseudonyms have."""
    return [name.upper().encode()[:12].ljust(12, b".") for name in names]


def columns(*events):
    return {
        name: values.to_pylist()
        for name, values in Reader(shouted).read(Payloads.of([json.dumps(e).encode() for e in events])).items()
    }


def test_a_number_is_a_double_and_what_changes_is_text():
    inputs = [{"age": 41, "ok": True, "mixed": 1, "deep": {"a": [1]}, "t": "2026-03-01T00:00:00Z"}, {"age": 4.5}]
    inputs += [{"mixed": "x", "ok": None}]
    found = columns(*({"inputs": each} for each in inputs))
    assert found["inputs.age"] == [41.0, 4.5, None]
    assert found["inputs.ok"] == [True, None, None]
    assert found["inputs.mixed"] == ["1", None, "x"]
    assert found["inputs.deep"] == ['{"a":[1]}', None, None]
    assert found["inputs.t"] == ["2026-03-01T00:00:00Z", None, None]


def test_a_truth_value_is_no_number():
    assert columns({"prediction": 1.0}, {"prediction": True})["prediction"] == ["1.0", "true"]


VALUES = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6) | st.text(max_size=3)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "inputs": st.dictionaries(
            st.sampled_from(["a", "b", "c", "a0"]), VALUES | st.lists(VALUES, max_size=2), max_size=4
        ),
        "segments": st.dictionaries(st.sampled_from(["a", "x"]), VALUES, max_size=2),
        "prediction": VALUES,
        "score": st.none() | st.floats(0, 1),
        "subject": st.none() | st.text(max_size=3),
        "flags": st.lists(st.text(max_size=2), max_size=2),
        "strange": VALUES,
    },
)


@given(events=st.lists(EVENTS, min_size=1, max_size=5))
def test_both_ways_of_reading_agree(events):
    payloads = [json.dumps(event).encode() for event in events]
    by_hand = columns_by_hand(payloads, shouted)
    found = Reader(shouted).read(Payloads.of(payloads))
    assert found.keys() == by_hand.keys()
    assert all(found[name].equals(by_hand[name]) for name in found)


@given(events=st.lists(EVENTS, min_size=1, max_size=6), cut=st.integers(1, 5))
def test_parts_make_the_same_tables_as_the_whole(events, cut):
    rows = [(number, entry(number, **event)) for number, event in enumerate(events)]
    tables, parts = Tables(KEY), []
    for at in range(0, len(rows), cut):
        some = [each for _, each in rows[at : at + cut]]
        parts.append((at, [each.header for each in some], Payloads.of([each.payload for each in some])))
        tables.add(0, *parts[-1])
    assert tables.finish(lambda: parts)["m"].equals(tables_of(rows, KEY)["m"])


HEAD = '{"kind": "outcome", "label": 1, "id": "p", "ts": "2026-03-01T00:00:00Z", "model_id": "m"'
STRANGE = [
    '"score": "high"',
    '"subject": 5',
    '"flags": 5',
    '"flags": [1]',
    '"override": {}',
    '"inputs": [1]',
    '"inputs": null',
    '"inputs": {"a\\"b": 1, "": 2}',
    f'"inputs": {{"a": {"[" * 300}{"]" * 300}}}',
    f'"inputs": {{"a": {"[" * 900}{"]" * 900}}}',
    f'"inputs": {{"a": {"[" * 50_000}{"]" * 50_000}}}',
    f'"inputs": {{"a": {"9" * 400}}}',
    '"inputs": {"a": 1e400}',
    '"inputs": {"a": 1, "a": "x"}',
]


@pytest.mark.parametrize("strange", STRANGE, ids=range(len(STRANGE)))
def test_whatever_was_ever_taken_as_an_event_is_closed(tmp_path, strange):
    """Earlier versions took what is refused today."""
    lines = [f"{HEAD}}}".encode(), f"{HEAD}, {strange}}}".encode()] * 5
    head = json.loads(entry(0, "outcome").header)
    with open_log(tmp_path, Hasty(), segment=10) as log:
        log.append([make_entry(head, bytes(16), line) for line in lines])
        assert log.closed == 10
    assert verified(tmp_path).segments == 1


def test_names_that_are_too_many_stay_in_the_evidence():
    rows = [(n, entry(n, inputs={f"user_{n:02d}_{i:03d}": i for i in range(100)})) for n in range(30)]
    names = tables_of(rows, KEY)["m"].column_names
    inputs = [name for name in names if name.startswith("inputs.")]
    assert inputs == [f"inputs.user_{n:02d}_{i:03d}" for n in range(10) for i in range(100)]
    assert len(inputs) == NAMES_MAX


def test_people_are_pseudonyms():
    rows = [(0, entry(0, subject="ada")), (1, entry(1, subject="bob")), (2, entry(2, subject="ada"))]
    names = tables_of(rows, KEY)["m"]["subject"].to_pylist()
    assert names[0] == names[2] != names[1]
    assert "ada" not in str(names)
    assert tables_of(rows, b"other")["m"]["subject"].to_pylist()[0] != names[0]


@pytest.mark.parametrize(("model", "name"), [("a b/c", "a%20b%2Fc"), ("..", "%2E%2E"), ("loan", "loan")])
def test_names_of_folders(model, name):
    assert folder_name(model) == name
    assert len(folder_name("x" * 5_000)) < 200


@pytest.fixture
def folder(tmp_path):
    with open_log(tmp_path, Hasty(), segment=30) as log:
        events = [
            entry(i, model_id="loan" if i % 3 else "other", inputs={"age": i, "job": f"j{i % 4}"}) for i in range(28)
        ]
        log.append([*events, entry(3, kind="outcome", model_id="other", label=1)])
        log.append([entry(i, model_id="loan") for i in range(30, 40)])
    return tmp_path


def verified(folder):
    with open_log(folder, Hasty(), segment=30) as log:
        return verify_folder(log, SIGNER.verifier)


def test_duckdb_reads_a_pair_side_by_side(folder):
    both = f"'{folder}/evidence/*.parquet' e join '{folder}/analysis/*/*.parquet' a using (seq)"
    sql = f"""select count(*), count(*) filter (where decode(e.payload) like '%"age": ' || a."inputs.age"::int || ',%')
        from {both} where a.kind = 'prediction'"""
    assert duckdb.sql(sql).fetchall() == [(29, 28)]
    assert verified(folder).segments == 1


def tables(folder):
    return sorted((folder / "analysis").glob("*/*.parquet"))


def test_a_pair_is_bound_by_its_digest(folder):
    (evidence,) = (folder / "evidence").glob("*.parquet")
    for path in tables(folder):
        told = pq.read_schema(path).metadata
        assert told[b"andon.evidence"].decode() == evidence.name
        assert told[b"andon.evidence_sha256"].decode() == hashlib.sha256(evidence.read_bytes()).hexdigest()


def test_an_edited_table_is_found_and_the_entry_named(folder):
    path = tables(folder)[0]
    table = pq.read_table(path)
    ages = table["inputs.age"].to_pylist()
    edited = table.set_column(
        table.schema.get_field_index("inputs.age"), "inputs.age", pa.array([ages[0], 99.0, *ages[2:]])
    )
    pq.write_table(edited, path)
    seq = table["seq"][1].as_py()
    with pytest.raises(Tampered, match=rf"was edited: inputs.age of entry {seq} is 99.0, recorded was {ages[1]}"):
        verified(folder)
    pq.write_table(table, path, compression="none")  # the same rows, but other bytes than were closed
    with pytest.raises(Tampered, match="not the files that were closed"):
        verified(folder)
    pq.write_table(table.slice(1), path)
    with pytest.raises(Tampered, match="was edited: it has"):
        verified(folder)
    path.unlink()
    with pytest.raises(Tampered, match="is missing"):
        verified(folder)


def test_a_table_of_nothing_is_found(folder):
    path = tables(folder)[0]
    (folder / "analysis" / "ghost").mkdir()
    (folder / "analysis" / "ghost" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(Tampered, match="ghost"):
        verified(folder)
