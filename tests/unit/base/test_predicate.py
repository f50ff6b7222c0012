"""The safe subset of SQL: what parses, what is refused, and that what is built means what was asked."""

import math
from datetime import UTC, datetime, timedelta, timezone

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.base import predicate
from andon.base.errors import BadInput
from andon.base.interval import Interval
from andon.base.row_match import matches

COLUMNS = ("a", "b", "ts", "hour", "Score", 'we"ird')


@pytest.mark.parametrize(
    "text",
    [
        "ts >= '2026-02-09 06:00:00' and ts < '2026-02-16 10:30:00'",
        "a and b = 'B' or not (a is not null)",
        "a in (1, -2, 3.5) and b not in ('x') and a between 1 and 2e3",
        "ts >= TIMESTAMP '2026-01-01' and ts < '2027-01-01'::timestamptz and ts > date '2020-01-01'",
        "isnan(a) or a + 1 > -b * 2 - 3 / 4",
        "b like 'x%' and hour >= 3 -- a remark",
        "\"we\"\"ird\" = 'it''s'",
        "a = cast('inf' as double)",
    ],
)
def test_allowed(text: str) -> None:
    parsed = predicate.parse(text, COLUMNS)
    assert predicate.parse(parsed.sql, COLUMNS) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(",
        "select 1",
        "a = (select 1)",
        "a in (select 1)",
        "exists (select 1)",
        "a = 1; drop table log",
        "a = 1, b",
        "a = 1 as x",
        "a = 1 order by a",
        "lower(b) = 'x'",
        "read_text('/etc/passwd') = 'x'",
        "getenv('HOME') = 'x'",
        "current_date > ts",
        "a = random()",
        "count(*) > 1",
        "a over () > 1",
        "case when a then b end",
        "a[1] = 2",
        "log.a = 1",
        "a::int = 1",
        "b = 'x'::blob",
        "ts > '2026-01-01'::timestamp(3)",
        "try_cast('1' as double) = a",
        "b like 'x' escape '!'",
        "b ilike 'x'",
        "b = 'x' collate nocase",
        "a is distinct from 1",
        "a = ?",
        "a = $1",
        "a = :x",
        "b = e'\\n'",
        "b = $$x$$",
        "b || b = 'xx'",
        "a // 2 = 1",
        "a % 2 = 1",
        "a ** 2 = 1",
        "b ~ 'x'",
        "ts > interval 1 day",
        "a in ()",
        "*",
        "columns(*) > 1",
        "if = 1",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(BadInput) as error:
        predicate.parse(text, COLUMNS)
    assert "\n" not in str(error.value)


def test_an_unknown_column_is_named_with_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"names `hours`.*did you mean `hour`"):
        predicate.parse("hours = 3", COLUMNS)
    with pytest.raises(BadInput, match="it has `Score, a, b"):
        predicate.parse("zzz = 3", COLUMNS)


def test_columns_are_found_whatever_their_case_where_that_is_no_guess() -> None:
    assert predicate.parse("SCORE > 1 and a > 1 and score < 2", COLUMNS).columns == ("Score", "a")
    with pytest.raises(BadInput):
        predicate.parse("SCORE > 1", ("Score", "score"))


@pytest.mark.parametrize("text", ["(" * 5000 + "a" + ")" * 5000, "not " * 5000 + "a", "a = '" + "x" * 200_000 + "'"])
def test_what_is_too_long_or_deep_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        predicate.parse(text, COLUMNS)


def test_a_long_list_is_not_too_deep() -> None:
    assert predicate.parse(predicate.one_of("b", map(str, range(5000))), COLUMNS).columns == ("b",)


@pytest.mark.parametrize(
    ("built", "text"),
    [
        (predicate.equals("hour", 3), "hour = 3"),
        (predicate.equals("a", None), "a is null"),
        (predicate.equals("a", value=True), "a = true"),
        (predicate.equals("a", math.nan), "isnan(a)"),
        (predicate.equals("a", -math.inf), "a = cast('-inf' as double)"),
        (predicate.equals("select", "it's"), "\"select\" = 'it''s'"),
        (predicate.equals('we"ird', ""), '"we""ird" = \'\''),
        (predicate.equals("Score", 50.0), '"Score" = 50'),
        (predicate.at_least("age", 50), "age >= 50"),
        (predicate.below("x", 0.5), "x < 0.5"),
        (predicate.below("x", 0.26397084992508013), "x < 0.26397084992508013e0"),
        (predicate.below("x", 1e-7), "x < 1e-07"),
        (predicate.one_of("a", ["x", None, "y", "x"]), "a in ('x', 'y') or a is null"),
        (predicate.one_of("a", ["x"]), "a = 'x'"),
        (predicate.one_of("a", []), "false"),
        (predicate.all_of(), "true"),
        (predicate.all_of("a = 1"), "a = 1"),
        (predicate.all_of("true", "a = 1", "b = 1 or c = 2"), "a = 1 and (b = 1 or c = 2)"),
        (predicate.any_of("a = 1 AND b = 2", "c = 3"), "(a = 1 AND b = 2) or c = 3"),
        (predicate.any_of(), "false"),
    ],
)
def test_built_for_people(built: str, text: str) -> None:
    assert built == text


def test_times_are_utc_and_say_so() -> None:
    start = datetime(2026, 2, 9, 8, tzinfo=timezone(timedelta(hours=2)))
    built = predicate.within("ts", Interval(start, datetime(2026, 2, 16, 10, 30, 0, 500_000, tzinfo=UTC)))
    assert built == "ts >= '2026-02-09 06:00:00+00:00' and ts < '2026-02-16 10:30:00.500000+00:00'"
    assert predicate.equals("ts", datetime(99, 1, 2, tzinfo=UTC)) == "ts = '0099-01-02 00:00:00+00:00'"


@pytest.mark.parametrize("session", ["UTC", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize("kind", ["timestamp", "timestamptz", "timestamp_ns", "timestamp_ms", "timestamptz_ns"])
def test_times_compare_with_naive_and_zoned_columns_in_any_session(kind: str, session: str) -> None:
    connection = duckdb.connect()
    connection.execute(f"set TimeZone = '{session}'")
    zone = "+00" if "tz" in kind else ""
    values = f"(values ('2026-02-09 06:00:00{zone}'), ('2026-02-09 05:59:59{zone}')) v(t)"
    connection.execute(f"create table log as select cast(t as {kind}) as ts from {values}")
    interval = Interval(datetime(2026, 2, 9, 6, tzinfo=UTC), datetime(2026, 2, 10, tzinfo=UTC))
    sql = predicate.parse(predicate.within("ts", interval), ["ts"]).sql
    assert connection.execute(f"select count(*) from log where {sql}").fetchall() == [(1,)]


def test_every_keyword_of_duckdb_can_be_a_column() -> None:
    connection = duckdb.connect()
    for (word,) in connection.execute("select keyword_name from duckdb_keywords()").fetchall():
        built = predicate.all_of(
            predicate.equals(word, "x"), predicate.any_of(predicate.one_of(word, ["x", "y"]), "false")
        )
        assert predicate.parse(built, [word]).columns == (word,)
        quoted = word.replace('"', '""')
        assert connection.execute(f"select count(*) from (select 'x' as \"{quoted}\") where {built}").fetchall() == [
            (1,)
        ]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | TEXTS


@given(name=TEXTS.filter(bool), value=VALUES, other=VALUES)
def test_what_is_built_is_safe_and_true_of_its_value(name: str, value: predicate.Value, other: predicate.Value) -> None:
    for built in (predicate.equals(name, value), predicate.one_of(name, [value, None])):
        tree = predicate.parse_tree(built, [name])
        assert matches(tree, {name: value})
        if type(value) is type(other) and not _same(value, other):
            assert not matches(predicate.parse_tree(predicate.equals(name, value), [name]), {name: other})


def _same(value: predicate.Value, other: predicate.Value) -> bool:
    both_nan = isinstance(value, float) and isinstance(other, float) and math.isnan(value) and math.isnan(other)
    return both_nan or value == other


@given(name=TEXTS.filter(bool), value=TEXTS | st.floats(allow_nan=False) | st.integers(-(2**53), 2**53))
def test_duckdb_reads_what_is_built(name: str, value: predicate.Value) -> None:
    sql = predicate.parse(predicate.equals(name, value), [name]).sql
    quoted = name.replace('"', '""')
    assert _CONNECTION.execute(f'select {sql} from (select $1 as "{quoted}")', [value]).fetchall() == [(True,)]


_CONNECTION = duckdb.connect()
