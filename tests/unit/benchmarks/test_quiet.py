"""The quiet-replay bench: blocks stay whole, nothing failed slips in, and what is reported is counted."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import quiet
from quiet_replays.blocks import Block, Rule, choices, draw, rule_for, slots
from quiet_replays.history import DAY_US, History, load_history
from quiet_replays.poisson import balanced_rate, gamma_cdf, poisson_interval, rate, share
from quiet_replays.replay import Replay, as_it_happened, judge, resampled
from quiet_replays.report import REMARKS, Result, Row, dispersion, to_text
from quiet_replays.run import Failure, Task, make_replay, run_task

MONDAY = datetime.fromisoformat("2026-01-05")
"""Logs hold UTC without a zone."""
DAY = timedelta(days=1)
CONTROL = {"incident": False, "onset": None, "background": "exchangeable"}


@dataclass(frozen=True)
class Wish:
    """What a test wants of a made-up log: `lag` is the labels' delay, `deploy` the day on which version b follows a."""

    days: int = 63
    per_day: int = 24
    start: datetime = MONDAY
    lag: timedelta = 2 * DAY
    deploy: int | None = None
    onset: datetime | None = None
    tolerated: Sequence[dict[str, Any]] = ()
    zone: str | None = None


def rows(wish: Wish, days: int, seed: int) -> pa.Table:
    """Rows with the day and the hour in which they were decided written beside them."""
    chance = np.random.default_rng(seed)
    count = days * wish.per_day
    step = DAY / wish.per_day
    at = [wish.start + step * n for n in range(count)]
    known = [time + wish.lag < at[-1] for time in at]
    deploy = days if wish.deploy is None else wish.deploy
    times = pa.timestamp("us", wish.zone)
    return pa.table(
        {
            "prediction_id": [f"p{n}" for n in range(count)],
            "trace": [f"t{n // 2}" for n in range(count)],
            "ts": pa.array([time.replace(tzinfo=UTC) for time in at] if wish.zone else at, times),
            "model_version": ["a" if time < wish.start + deploy * DAY else "b" for time in at],
            "x": chance.normal(size=count),
            "part": chance.choice(["p", "q"], count).tolist(),
            "prediction": chance.integers(2, size=count),
            "label": [int(chance.integers(2)) if there else None for there in known],
            "label_ts": pa.array(
                [t + wish.lag if there else None for t, there in zip(at, known, strict=True)], pa.timestamp("ns")
            ),
            "day": [n // wish.per_day for n in range(count)],
        }
    )


MODEL = """\
model_id: m
dataset: made-up
id_column: prediction_id
time_column: ts
trace_column: trace
prediction_column: prediction
label_column: label
label_time_column: label_ts
features: [x, part]
segments: [part]
versions:
- {{version: a, deployed_at: '{start}'}}
- {{version: b, deployed_at: '{deploy}'}}
changes:
- {{ts: '{start}', kind: infra, what: first}}
- {{ts: '2100-01-01', kind: infra, what: much later}}
"""

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a scenario's folder."""

    def write(wish: Wish, name: str = "log") -> Path:
        folder = tmp_path / "scenarios" / name
        folder.mkdir(parents=True)
        pq.write_table(rows(wish, wish.days, 1), folder / "log.parquet")
        pq.write_table(rows(replace(wish, deploy=None), max(1500 // wish.per_day, 1), 2), folder / "reference.parquet")
        deploy = wish.start + DAY * (wish.days + 1 if wish.deploy is None else wish.deploy)
        (folder / "model.yaml").write_text(MODEL.format(start=wish.start, deploy=deploy))
        truth = CONTROL if wish.onset is None else {**CONTROL, "incident": True, "onset": str(wish.onset)}
        (folder / "truth.json").write_text(json.dumps({**truth, "tolerated": list(wish.tolerated)}))
        return folder

    return write


def replayed(history: History, seed: int = 1, reach: int | None = None) -> Replay:
    return resampled(history, draw(choices(history, rule_for(history), reach), [seed]))


def source_days(replay: Replay) -> list[list[int]]:
    """Per block the days that its rows were decided on."""
    days, at = replay.table["day"].to_pylist(), np.array(replay.table["ts"].cast(pa.int64()).to_pylist()) // DAY_US
    return [
        sorted({day for day, now in zip(days, at, strict=True) if each.first <= now < each.first + each.source.count})
        for each in replay.placed
    ]


def test_weeks_stay_whole_and_on_their_weekdays(make: Make) -> None:
    history = load_history(make(Wish(days=63)))
    replay = replayed(history)
    assert rule_for(history) == Rule("week", 7, 7)
    blocks = source_days(replay)
    assert [len(block) for block in blocks] == [7] * 9
    assert all(block == list(range(block[0], block[0] + 7)) and block[0] % 7 == 0 for block in blocks)
    assert len({block[0] for block in blocks}) < 9, "drawn with replacement"


@pytest.mark.parametrize(("days", "cycle"), [(40, 7), (20, 1)])
def test_days_come_in_runs_and_keep_the_weekday_where_there_are_enough(make: Make, days: int, cycle: int) -> None:
    history = load_history(make(Wish(days=days)))
    replay = replayed(history)
    assert rule_for(history) == Rule("days", 3, cycle)
    for place, block in enumerate(source_days(replay)):
        assert block == list(range(block[0], block[0] + 3))
        assert (block[0] - 3 * place) % cycle == 0


def test_a_slow_log_of_many_years_is_drawn_by_years(make: Make) -> None:
    start = datetime.fromisoformat("2019-01-01")
    history = load_history(make(Wish(days=5 * 365 + 100, per_day=1, start=start)))
    replay = replayed(history)
    assert rule_for(history).unit == "year"
    assert len(replay.placed) == 5
    firsts = [replay.origin(datetime.fromtimestamp(each.first * DAY_US / 1e6, UTC)) for each in replay.placed]
    assert all(first is not None and (first.month, first.day) == (1, 1) for first in firsts)
    assert {each.source.count for each in replay.placed} <= {365, 366}


def test_a_slow_log_of_few_years_is_drawn_by_quarters_of_the_same_season(make: Make) -> None:
    history = load_history(make(Wish(days=3 * 365, per_day=1, start=datetime.fromisoformat("2021-01-01"))))
    rule = rule_for(history)
    assert rule == Rule("quarter", 3, 4)
    places = slots(history, rule)
    assert len(places) == 12
    for place, options in zip(places, choices(history, rule), strict=True):
        firsts = [(block.days.first - place.days.first) / 365.25 for block in options]
        assert len(firsts) == 3
        assert firsts == pytest.approx([round(years) for years in firsts], abs=0.01)


def test_hours_of_the_day_stay(make: Make) -> None:
    history = load_history(make(Wish(days=20)))
    of_day = np.array(replayed(history).table["ts"].cast(pa.int64()).to_pylist()) % DAY_US
    assert (of_day.reshape(-1, 24) == np.arange(24) * DAY_US // 24).all()


def test_the_replay_is_continuous_from_the_same_start(make: Make) -> None:
    history = load_history(make(Wish(days=63)))
    times = replayed(history).table["ts"].to_pylist()
    assert times[0] == MONDAY
    assert all(later - sooner == DAY / 24 for sooner, later in pairwise(times))
    assert len(times) == 63 * 24


def test_the_same_seed_draws_the_same_log(make: Make) -> None:
    folder = make(Wish(days=63))
    first, again = (make_replay(Task(folder, number, 1, None)).table for number in (0, 0))
    assert first.equals(again)
    others = [make_replay(Task(folder, number, seed, None)).table for number, seed in ((1, 1), (0, 2))]
    assert not any(first.equals(other) for other in others)


def test_no_row_of_the_onset_s_day_or_later_is_used(make: Make) -> None:
    onset = MONDAY + 60 * DAY + timedelta(hours=6)
    history = load_history(make(Wish(days=80, onset=onset)))
    assert history.days == 60
    for replay in (as_it_happened(history), *(replayed(history, seed) for seed in range(20))):
        assert max(replay.table["day"].to_pylist()) < 60


def test_a_gap_before_the_onset_is_no_quiet_history(make: Make) -> None:
    folder = make(Wish(days=80, onset=MONDAY + 70 * DAY))
    log = pq.read_table(folder / "log.parquet")
    pq.write_table(
        log.filter(pa.array([day < 30 or day >= 70 for day in log["day"].to_pylist()])), folder / "log.parquet"
    )
    assert load_history(folder).days == 30


def test_days_of_a_tolerated_event_are_cut_out(make: Make) -> None:
    event = {"from": str(MONDAY + 10 * DAY), "to": str(MONDAY + 12 * DAY + timedelta(hours=1)), "types": []}
    history = load_history(make(Wish(days=40, tolerated=[event])))
    gone = {10, 11, 12}
    assert history.days == 37
    for replay in (as_it_happened(history), *(replayed(history, seed) for seed in range(20))):
        assert not gone & set(replay.table["day"].to_pylist())
    assert len(replayed(history).placed) == 13, "the hole is filled with other days"


def test_a_day_that_hardly_began_is_no_quiet_day(make: Make) -> None:
    history = load_history(make(Wish(days=40, start=MONDAY + timedelta(hours=18))))
    assert history.days == 40, "of 41, the first one had six hours"
    assert replayed(history).table["ts"].to_pylist()[0] == MONDAY + DAY


def test_labels_move_with_their_rows_and_the_late_ones_are_not_there_yet(make: Make) -> None:
    history = load_history(make(Wish(days=80, onset=MONDAY + 63 * DAY)))
    table = replayed(history).table
    end = MONDAY + 63 * DAY
    for at, label, known in zip(*(table[name].to_pylist() for name in ("ts", "label", "label_ts")), strict=True):
        if at + 2 * DAY < end:
            assert label is not None
            assert known == at + 2 * DAY
        else:
            assert label is None
            assert known is None


def test_blocks_without_their_labels_stay_at_the_end(make: Make) -> None:
    history = load_history(make(Wish(days=84, lag=20 * DAY)))
    assert history.lag == 20
    end = MONDAY + 84 * DAY
    for seed in range(20):
        table = replayed(history, seed).table
        for at, label in zip(table["ts"].to_pylist(), table["label"].to_pylist(), strict=True):
            assert label is not None or at >= end - 21 * DAY


def test_versions_keep_their_order(make: Make) -> None:
    history = load_history(make(Wish(days=84, deploy=30)))
    assert [version.name for version in history.model.versions] == ["a", "b"]
    for seed in range(20):
        names = replayed(history, seed).table["model_version"].to_pylist()
        assert names == sorted(names)
        assert names.count("a") == 30 * 24


def test_the_model_file_is_that_of_the_quiet_part(make: Make) -> None:
    history = load_history(make(Wish(days=63, onset=MONDAY + 40 * DAY, deploy=40)))
    assert [version.name for version in history.model.versions] == ["a"]
    assert [change.what for change in history.model.changes] == ["first"]


def test_a_block_drawn_twice_brings_new_predictions_and_traces(make: Make) -> None:
    replay = replayed(load_history(make(Wish(days=63))))
    ids, traces = replay.table["prediction_id"].to_pylist(), replay.table["trace"].to_pylist()
    assert len(set(ids)) == len(ids)
    assert len(set(traces)) == len(traces) / 2


def test_times_with_a_zone_move_too(make: Make) -> None:
    plain, zoned = (load_history(make(Wish(days=40, zone=zone), str(zone))) for zone in (None, "Europe/Berlin"))
    assert replayed(zoned).table["day"].equals(replayed(plain).table["day"])
    assert replayed(zoned).table["ts"].cast(pa.int64()).equals(replayed(plain).table["ts"].cast(pa.int64()))


def test_reach_keeps_blocks_near_their_place(make: Make) -> None:
    history = load_history(make(Wish(days=84)))
    rule = rule_for(history)
    for place, options in zip(slots(history, rule), choices(history, rule, reach=2), strict=True):
        assert all(abs(block.days.first - place.days.first) <= 14 for block in options)
        assert place in options


def test_the_history_as_it_happened_is_the_log_itself(make: Make) -> None:
    folder = make(Wish(days=40))
    whole = pq.read_table(folder / "log.parquet")
    table = as_it_happened(load_history(folder)).table
    for name in ("ts", "x", "label", "label_ts", "day"):
        assert table[name].to_pylist() == whole[name].to_pylist()


def test_origin_leads_back_to_the_real_time(make: Make) -> None:
    history = load_history(make(Wish(days=40)))
    monday = MONDAY.replace(tzinfo=UTC)
    first = history.spans[0].first
    replay = resampled(history, [Block(replace(history.spans[0], first=first + 9, end=first + 12), 0)])
    assert replay.origin(monday + timedelta(hours=5)) == monday + 9 * DAY + timedelta(hours=5)
    assert replay.origin(monday + 3 * DAY) is None


def test_a_quiet_replay_is_quiet_and_a_planted_fault_is_counted(make: Make) -> None:
    replay = replayed(load_history(make(Wish(days=42, per_day=48))))
    quiet_one = judge(replay, 0)
    half = replay.table.num_rows // 2
    x = [value if row < half else None for row, value in enumerate(replay.table["x"].to_pylist())]
    place = replay.table.column_names.index("x")
    broken = judge(replace(replay, table=replay.table.set_column(place, "x", pa.array(x, pa.float64()))), 1)
    assert (quiet_one.days, quiet_one.rows, quiet_one.incidents) == (42, 42 * 48, ())
    [found] = broken.incidents
    assert found.detector == "null_share"
    assert found.origin == replay.origin(found.started_at)
    figures = Row.of("all", [quiet_one, broken])
    assert (figures.false, figures.with_any, figures.days) == (1, 1, 84)
    assert figures.per_days == rate(1, 84, 1000)
    assert figures.per_evaluations == rate(1, quiet_one.evaluations + broken.evaluations, 10_000)
    assert dispersion([quiet_one, broken]) == pytest.approx(1.0)


def test_what_breaks_off_is_told_and_the_rest_goes_on(make: Make) -> None:
    folder = make(Wish(days=40))
    (folder / "reference.parquet").unlink()
    found = run_task(Task(folder, 0, 1, None))
    assert isinstance(found, Failure)
    assert "reference.parquet" in found.error


def test_the_command_deals_replays_out_and_says_what_it_skips(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(Wish(days=40), "one")
    make(Wish(days=40), "two")
    make(Wish(days=40), "unwanted")
    make(Wish(days=4), "two_short")
    make(Wish(days=30, per_day=1, onset=MONDAY + 12 * DAY), "two_slow")
    out = tmp_path / "out.json"
    words = [str(tmp_path / "scenarios"), "--replays", "3", "--only", "[ot]*", "--json", str(out)]
    assert quiet.main(words) == 0
    document = json.loads(out.read_text())
    assert document["schema"] == "andon.quiet/1"
    assert [(each["scenario"], each["replay"]) for each in document["replays"]] == [("one", 0), ("two", 0), ("one", 1)]
    assert sorted(document["skipped"]) == ["two_short", "two_slow"]
    assert [row["model_days"] for row in document["overall"]] == [117, 117]
    assert [each["scenario"] for each in document["as_it_happened"]] == ["one", "two"]
    said = capsys.readouterr()
    assert "skipped two_short: only 4 quiet days" in said.out
    assert "skipped two_slow: only 12 quiet days with" in said.out
    assert said.out.rstrip().endswith(REMARKS[-1])
    assert "3/3 one #1" in said.err


def test_the_list_of_false_incidents_shows_where_to_look(make: Make) -> None:
    history = load_history(make(Wish(days=42, per_day=48), "shop"))
    replay = replayed(history)
    place = replay.table.column_names.index("x")
    x = [value if row < 1000 else None for row, value in enumerate(replay.table["x"].to_pylist())]
    outcome = judge(replace(replay, table=replay.table.set_column(place, "x", pa.array(x, pa.float64()))), 7)
    result = Result({"seed": 1}, {"shop": {}}, (outcome,), (), {}, (("shop", 8, "BadInput: no"),))
    text = to_text(result)
    assert "shop #7: data_pipeline_corruption by null_share" in text
    assert outcome.incidents[0].summary in text
    assert "FAILED shop #8: BadInput: no" in text


GARWOOD = {0: (0, 3.6889), 1: (0.025318, 5.5716), 2: (0.24221, 7.2247), 5: (1.6235, 11.6683), 10: (4.7954, 18.3904)}
"""From tables of the exact Poisson interval."""


@pytest.mark.parametrize(("count", "bounds"), [*GARWOOD.items(), (100, (81.364, 121.627))])
def test_poisson_intervals_are_those_of_the_tables(count: int, bounds: tuple[float, float]) -> None:
    assert poisson_interval(count) == pytest.approx(bounds, rel=1e-4)


@pytest.mark.parametrize("x", [0.01, 0.5, 2.0, 30.0])
def test_the_gamma_distribution_of_whole_shapes_is_the_poisson_sum(x: float) -> None:
    assert gamma_cdf(1, x) == pytest.approx(1 - np.exp(-x))
    assert gamma_cdf(3, x) == pytest.approx(1 - np.exp(-x) * (1 + x + x**2 / 2), abs=1e-14)


def test_rates_are_per_exposure() -> None:
    found = rate(2, 4000, 1000)
    assert (found.point, found.low, found.high) == pytest.approx((0.5, 0.24221 / 4, 7.2247 / 4), rel=1e-4)
    assert rate(0, 0, 1000).point is None


def test_a_balanced_rate_weighs_each_part_the_same() -> None:
    one = balanced_rate([(5, 100.0)], 1000)
    alone = rate(5, 100, 1000)
    assert (one.point, one.low, one.high) == pytest.approx((alone.point, alone.low, alone.high))
    both = balanced_rate([(0, 10_000.0), (4, 100.0)], 1000)
    assert both.point == pytest.approx(20)
    assert balanced_rate([], 1000).point is None
    none = balanced_rate([(0, 100.0), (0, 50.0)], 1000)
    assert (none.point, none.low) == (0, 0)
    assert none.high == pytest.approx(3.6889 / 50 / 2 * 1000, rel=1e-4)


def test_shares_have_wilsons_interval() -> None:
    found = share(1, 10)
    assert (found.point, found.low, found.high) == pytest.approx((0.1, 0.01788, 0.40415), rel=1e-3)
    assert share(0, 0).point is None
