"""The figures of a page are those that a query of the log gives."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from andon.bootstrap.model_files import read_model
from andon.bootstrap.wiring import scan_log
from andon.incident.figures import Bars, Values

DATA = Path(__file__).parents[1] / "data"


def scanned(name, **options):
    folder = DATA / name
    model = read_model(str(folder / "model.yaml"))
    return scan_log([str(folder / "log.parquet")], model, str(folder / "reference.parquet"), illustrate=True, **options)


def one(file, what, where):
    [row] = duckdb.execute(f"select {what} from '{file}' where {where}").fetchall()
    return row


@pytest.fixture(scope="module")
def flights():
    return scanned("o11_flights_region_deprioritised")


LOG, REFERENCE = (DATA / "o11_flights_region_deprioritised" / f"{name}.parquet" for name in ("log", "reference"))


def during(incident):
    end = f" and ts < '{incident.ended_at:%Y-%m-%d %H:%M:%S.%f}'" if incident.ended_at else ""
    return f"ts >= '{incident.started_at:%Y-%m-%d %H:%M:%S.%f}'{end}"


def test_the_waterfall_counts_rows(flights):
    [incident], [figures] = flights.incidents, flights.figures.incidents
    part = incident.slice.predicate
    assert one(LOG, "count(*)", during(incident)) == (figures.since,)
    assert one(LOG, "count(*)", f"{during(incident)} and {part}") == (figures.in_part,)
    assert flights.rows >= figures.since >= figures.in_part >= incident.affected.count > 0


def test_the_contrast_counts_the_part_and_the_rest(flights):
    [incident], [figures] = flights.incidents, flights.figures.incidents
    part, mark = incident.slice.predicate, incident.findings[0].mark
    assert [each.what for each in figures.contrasts][::2] == [
        incident.findings[0].what,
        "prediction is 0",
        "the prediction is wrong",
    ]
    lead, rest = figures.contrasts[:2]
    hits = f"count(*) filter (where {mark}), count(*) filter (where ({mark}) is not null)"
    for contrast, where in ((lead, part), (rest, f"not ({part})")):
        assert (contrast.during.hits, contrast.during.of) == one(LOG, hits, f"{during(incident)} and {where}")
        assert (contrast.before.hits, contrast.before.of) == one(REFERENCE, hits, where)
    assert (lead.is_rest, rest.is_rest) == (False, True)


def test_values_of_the_column_of_the_slice_are_told_apart(flights):
    [incident], [figures] = flights.incidents, flights.figures.incidents
    mark = incident.findings[0].mark
    assert figures.by_column == "dest_region"
    assert [each.value for each in figures.by_value if not each.is_rest] == ["Mountain"]
    for each in figures.by_value:
        where = f"{during(incident)} and dest_region = '{each.value}'"
        assert one(LOG, f"count(*) filter (where {mark})", where) == (each.during.hits,)


def test_the_courses_hold_every_row_once(flights):
    [incident], [figures] = flights.incidents, flights.figures.incidents
    part, mark = incident.slice.predicate, incident.findings[0].mark
    lead = figures.courses[0]
    hits = f"count(*) filter (where {mark}), count(*) filter (where ({mark}) is not null)"
    assert (sum(p.part.hits for p in lead.points), sum(p.part.of for p in lead.points)) == one(LOG, hits, part)
    inside = [point for point in lead.points if point.inside]
    assert sum(p.part.of for p in inside) == one(LOG, hits, f"{part} and {during(incident)}")[1]
    assert all(point.at.start >= incident.started_at for point in inside)
    assert sum(n for _, n in figures.traffic) == flights.rows


def test_distributions_are_those_of_the_part(flights):
    [incident], [figures] = flights.incidents, flights.figures.incidents
    moved = figures.distributions[0]
    assert (moved.column, moved.moved) == ("dest_delay_index", True)
    assert isinstance(moved.shape, Bars)
    part = incident.slice.predicate
    [before] = one(REFERENCE, "quantile_disc(dest_delay_index, 0.5)", part)
    [now] = one(LOG, "quantile_disc(dest_delay_index, 0.5)", f"{part} and {during(incident)}")
    assert moved.shape.median_before == pytest.approx(before, rel=0.02)
    assert moved.shape.median_during == pytest.approx(now, rel=0.02)
    assert moved.n_during == figures.in_part
    [answer] = [each for each in figures.distributions if each.is_answer]
    assert isinstance(answer.shape, Values)
    still = [each for each in figures.distributions if not each.moved and not each.is_answer]
    assert [each.distance for each in still] == sorted(each.distance for each in still)
    assert all(each.distance < moved.distance for each in still)


def test_a_quiet_log_is_compared_whole():
    scan = scanned("o05_taiwan_control_strict")
    assert scan.incidents == ()
    assert scan.figures.incidents == ()
    whole = scan.figures.whole
    assert whole.since == scan.rows
    assert [course.what for course in whole.courses] == ["prediction is 1"]
    assert {each.column for each in whole.distributions} >= {"limit_bal", "prediction"}
    assert all(each.distance < 0.1 for each in whole.distributions)


def test_nothing_is_drawn_unless_asked():
    folder = DATA / "o10_bikes_temperature_unit"
    model = read_model(str(folder / "model.yaml"))
    scan = scan_log([str(folder / "log.parquet")], model, str(folder / "reference.parquet"))
    assert scan.figures is None


def test_what_is_drawn_knows_nothing_from_after_the_end_of_the_replay():
    now = datetime(2011, 10, 1, tzinfo=UTC)
    scan = scanned("o10_bikes_temperature_unit", now=now)
    for figures in (*scan.figures.incidents, scan.figures.whole):
        if figures is not None:
            assert all(point.at.end <= now for course in figures.courses for point in course.points)
            assert sum(n for _, n in figures.traffic) == scan.rows


def test_labels_that_had_not_arrived_are_not_known():
    now = datetime(2026, 2, 20, tzinfo=UTC)
    scan = scanned("o01_taiwan_renamed_feature", now=now)
    folder = DATA / "o01_taiwan_renamed_feature"
    what = "count(*) filter (where prediction <> label), count(*)"
    known = "ts < '2026-02-20' and label_ts < '2026-02-20'"
    figures = scan.figures.incidents[0]
    [wrong] = [course for course in figures.courses if course.what == "the prediction is wrong"]
    assert (sum(p.part.hits for p in wrong.points), sum(p.part.of for p in wrong.points)) == one(
        folder / "log.parquet", what, known
    )
    assert (wrong.usual.hits, wrong.usual.of) == one(folder / "reference.parquet", what, "label is not null")
