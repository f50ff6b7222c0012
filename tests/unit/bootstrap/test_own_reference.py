"""A log judged by its own beginning: which part of it that is, and that nothing later has a say in it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from andon.adapters.duckdb.log import open_log
from andon.adapters.duckdb.tables import Part
from andon.base.errors import BadInput
from andon.base.interval import Interval
from andon.bootstrap.own_reference import ATTEMPTS, SPAN, earliest_stable_part
from andon.bootstrap.wiring import scan_log
from synthetic import DAY, FAULTS, MODEL, START, make_log

FAULT = FAULTS["income_null_for_ten_days"]


def part_of(log: str, restless: dict[int, Interval] | None = None) -> tuple[Interval, bool]:
    asked: list[tuple[Interval, Interval]] = []

    def unrest(first: Interval, second: Interval) -> Interval | None:
        asked.append((first, second))
        assert first.end == second.start
        return (restless or {}).get(len(asked))

    with open_log([log], MODEL) as rows:
        return earliest_stable_part(rows, MODEL, "log.parquet", unrest)


def cut(log: str, folder: Path, days: float) -> str:
    short = folder / f"cut{days}.parquet"
    end = (START + days * DAY).replace(tzinfo=None)
    duckdb.sql(f"from '{log}' where ts < '{end}'").write_parquet(str(short))
    return str(short)


def test_it_is_two_weeks_of_a_busy_log_however_long_the_log_is(tmp_path: Path) -> None:
    log = make_log(tmp_path)
    part, is_stable = part_of(log)
    assert is_stable
    assert part.length == SPAN
    assert part.start - START < timedelta(hours=1)
    assert part_of(cut(log, tmp_path, 20)) == (part, True)


def test_it_begins_anew_where_it_was_restless(tmp_path: Path) -> None:
    log = make_log(tmp_path)
    upset = Interval(START + 10 * DAY, START + 12 * DAY)
    part, is_stable = part_of(log, {1: upset})
    assert (part, is_stable) == (Interval(upset.start, upset.start + SPAN), True)


def test_what_never_settles_is_taken_and_said(tmp_path: Path) -> None:
    log = make_log(tmp_path)
    always = {n: Interval(START + 10 * n * DAY, START + 60 * DAY) for n in range(1, ATTEMPTS + 1)}
    part, is_stable = part_of(log, always)
    assert not is_stable
    assert part.end < START + 60 * DAY


def test_a_log_that_ends_within_it_is_refused(tmp_path: Path) -> None:
    short = cut(make_log(tmp_path), tmp_path, 13)
    with pytest.raises(BadInput, match="name known-good rows with --reference"):
        part_of(short)


def test_a_half_without_rows_shows_nothing_so_the_part_begins_anew(tmp_path: Path) -> None:
    log = str(tmp_path / "gap.parquet")
    first, again = ((START + days * DAY).replace(tzinfo=None) for days in (6.9, 20))
    duckdb.execute(f"copy (from '{make_log(tmp_path)}' where ts < '{first}' or ts >= '{again}') to '{log}'")
    part, is_stable = part_of(log)
    assert is_stable
    assert part.start > START + 7 * DAY
    assert part.start + part.length / 2 > START + 20 * DAY


def test_a_stretch_of_a_log_has_its_rows_and_the_labels_known_by_its_end(tmp_path: Path) -> None:
    log = make_log(tmp_path)
    stretch = Interval(START + 5 * DAY, START + 15 * DAY)
    with open_log([log], MODEL, part=Part(stretch=stretch)) as rows:
        assert stretch.start <= rows.period().start
        assert rows.period().end <= stretch.end
        labelled = rows.profile_category("label")
        bounds = [f"timestamp '{at.replace(tzinfo=None)}'" for at in (stretch.start, stretch.end)]
        where = f"ts >= {bounds[0]} and ts < {bounds[1]}"
        [(number, known)] = duckdb.sql(
            f"select count(*), count(*) filter (where label_ts < {bounds[1]}) from '{log}' where {where}"
        ).fetchall()
        assert rows.rows() == number
        assert 0 < sum(count for _, count in labelled.values) == known < number


def test_a_scan_without_a_reference_finds_what_came_after_its_beginning(tmp_path: Path) -> None:
    log = make_log(tmp_path, FAULT)
    scan = scan_log([log], MODEL)
    [incident] = scan.incidents
    assert incident.incident_type == FAULT.type
    assert abs(incident.started_at - FAULT.started_at) < timedelta(hours=6)
    assert (scan.warnings[0].code, scan.is_of_whole_log) == ("own_reference", False)
    assert scan.period.start >= START + SPAN
    cut_short = scan_log([log], MODEL, now=incident.detected_at)
    assert [each.detected_at for each in cut_short.incidents] == [incident.detected_at]


def test_a_quiet_log_is_quiet_by_its_own_beginning(tmp_path: Path) -> None:
    assert scan_log([make_log(tmp_path, seed=3)], MODEL).incidents == ()


def test_a_log_cut_short_is_judged_by_the_same_part_and_finds_what_was_known(tmp_path: Path) -> None:
    """Its beginning is restless, so that real incidents move the part: nothing after it may have a say in that."""
    early = replace(FAULT, start=9.0, end=None)  # from then on it is usual: the part begins anew with it
    log = make_log(tmp_path, early)
    whole = scan_log([log], MODEL)
    [chosen] = [warning.text for warning in whole.warnings if warning.code == "own_reference"]
    short = scan_log([cut(log, tmp_path, 33)], MODEL)
    assert [warning.text for warning in short.warnings if warning.code == "own_reference"] == [chosen]
    then = [each.detected_at for each in whole.incidents if each.detected_at < START + 33 * DAY]
    assert [each.detected_at for each in short.incidents] == then
    assert f"{START.day} {START:%b %Y}" not in chosen
