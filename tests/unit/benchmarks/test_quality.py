"""The comparison with peers: how their alerts become incidents, and the checks of plain practice."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import peer_environments
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from quality_peers import plain
from quality_peers.alerts import Alert, Incident, Kind, Scanned, Where, document, merge, merge_alone
from quality_peers.keeping import from_json, to_json
from quality_peers.readings import READINGS
from quality_peers.report import BEGIN, END, replaced, table
from quality_peers.windows import Least, Window, choose, cut, floor, following, judged

MONDAY = datetime.fromisoformat("2026-01-05")
DAY = timedelta(days=1)
ONE = Path(plain.__file__).with_name("one.py")


def day(n: int) -> Window:
    return Window(MONDAY + n * DAY, MONDAY + (n + 1) * DAY)


DAYS = [day(n) for n in range(20)]


def alert(n: int, kind: Kind = Kind.DRIFT, check: str = "PSI", late: int = 0, **more: object) -> Alert:
    return Alert(day(n), kind, check, day(n).end + late * DAY, **more)  # type: ignore[arg-type]


def spans(incidents: list[Incident]) -> list[tuple[int, int]]:
    return [((i.span.start - MONDAY).days, (i.span.end - MONDAY).days) for i in incidents]


@pytest.mark.parametrize(
    ("period", "begun", "next_one"),
    [
        ("D", "2026-05-14", "2026-05-15"),
        ("W", "2026-05-11", "2026-05-18"),
        ("M", "2026-05-01", "2026-06-01"),
        ("Q", "2026-04-01", "2026-07-01"),
    ],
)
def test_periods_are_those_of_the_calendar(period: str, begun: str, next_one: str) -> None:
    start = floor(datetime.fromisoformat("2026-05-14 13:45:01"), period)
    assert start == datetime.fromisoformat(begun)
    assert following(start, period) == datetime.fromisoformat(next_one)


@pytest.mark.parametrize("period", ["D", "W", "M", "Q"])
def test_windows_follow_each_other_and_hold_every_row(period: str) -> None:
    times = [MONDAY + n * timedelta(hours=7) for n in range(2000)]
    windows, counts = cut(times, period)
    assert all(a.end == b.start for a, b in pairwise(windows))
    assert windows[0].start <= times[0] < windows[0].end
    assert windows[-1].start <= times[-1] < windows[-1].end
    assert sum(counts) == 2000


def test_thin_and_empty_windows_are_not_judged() -> None:
    assert judged(DAYS[:5], [3, 100, 0, 110, 26]) == [day(1), day(3), day(4)]


def every(hours: float, days: int) -> list[datetime]:
    return [MONDAY + n * timedelta(hours=hours) for n in range(int(days * 24 / hours))]


@pytest.mark.parametrize(
    ("log", "least", "period"),
    [
        (every(0.05, 60), Least(300), "D"),
        (every(0.05, 60), Least(300, shortest="W"), "W"),
        (every(0.1, 60), Least(300), "W"),
        (every(0.1, 40), Least(300), "D"),  # six weeks are too few to compare
        (every(0.1, 60), Least(300, reference=6), "D"),  # the reference has five weeks only
        (every(24, 3000), Least(300), "Q"),
    ],
)
def test_windows_are_the_shortest_with_enough_rows(log: list[datetime], least: Least, period: str) -> None:
    assert choose(log, every(0.5, 30), least) == period


def test_alerts_of_consecutive_windows_are_one_incident() -> None:
    found = list(merge([alert(7), alert(3), alert(4, check="nulls"), alert(6), alert(12)], DAYS))
    assert spans(found) == [(3, 8), (12, 13)]  # one calm day between does not end it
    assert not any(incident.last for incident in found)


def test_a_segment_has_incidents_of_its_own() -> None:
    north = Where("region", ("north",))
    found = list(merge([alert(3), alert(4, segment=north), alert(5)], DAYS))
    assert sorted(spans(found)) == [(3, 6), (4, 5)]


def test_an_alert_at_the_end_has_not_ended() -> None:
    (incident,) = merge([alert(18)], DAYS)
    assert incident.last
    (incident,) = merge([alert(17)], DAYS)
    assert not incident.last


def test_what_is_known_first_names_the_incident_and_a_broken_column_before_all() -> None:
    worse = alert(3, Kind.PERFORMANCE, "accuracy", late=9)
    drift = alert(4)
    broken = alert(4, Kind.QUALITY, "nulls", columns=("age",), rows=Where("age"))
    assert next(merge([worse, drift], DAYS)).kind == Kind.DRIFT
    (incident,) = merge([worse, drift, broken], DAYS)
    assert (incident.kind, incident.detected_at, incident.rows) == (Kind.QUALITY, day(4).end, (Where("age"),))


def test_rows_are_named_only_if_every_leading_alert_names_them() -> None:
    named = alert(3, Kind.QUALITY, rows=Where("age"))
    (incident,) = merge([named, alert(4, Kind.QUALITY)], DAYS)
    assert incident.rows == ()


def test_a_reading_may_wait_for_a_second_window() -> None:
    assert list(merge([alert(3), alert(9)], DAYS, least=2)) == []
    (incident,) = merge([alert(3), alert(4), alert(5)], DAYS, least=2)
    assert (incident.span.start, incident.detected_at) == (day(3).start, day(4).end)


def test_an_alarm_that_is_always_on_hides_no_other_when_each_is_alone() -> None:
    always = [alert(n, columns=("month",)) for n in range(20)]
    fresh = [alert(n, columns=("temperature",)) for n in (9, 10)]
    assert spans(list(merge([*always, *fresh], DAYS))) == [(0, 20)]
    assert sorted(spans(list(merge_alone([*always, *fresh], DAYS)))) == [(0, 20), (9, 11)]


def test_alarms_that_go_on_together_are_one() -> None:
    both = [alert(9, columns=("a",)), alert(9, columns=("b",)), alert(10, columns=("b",))]
    assert spans(list(merge_alone(both, DAYS))) == [(9, 11)]


def test_the_document_counts_what_its_predicate_selects() -> None:
    log = duckdb.sql("select timestamp '2026-01-05' + interval (i) hour as ts, if(i % 3 = 0, null, i) as age,"
                     " if(i % 2 = 0, 'it''s', 'no') as job from range(480) r(i)")  # fmt: skip
    named = (Where("age"), Where("job", ("it's",)))
    incidents = [incident for where in named for incident in merge([alert(3, Kind.QUALITY, rows=where)], DAYS)]
    scanned = Scanned("m", 480, MONDAY, day(19).end, "ts", DAYS, 0.5)
    made = document(scanned, incidents, lambda _: 12)
    assert made["evaluation_seconds"] == 86400
    counts = [len(log.filter(incident["affected"]["predicate"]).fetchall()) for incident in made["incidents"]]
    assert counts == [8, 12]
    assert made["incidents"][1]["slice"] == {"predicate": "(\"job\" IN ('it''s'))", "columns": ["job"]}


def test_kept_alerts_come_back_as_they_were() -> None:
    kept = [alert(3, rows=Where("age"), columns=("age",)), alert(4, segment=Where("job", ("a", "b")))]
    assert from_json(to_json(kept, 1.5)) == (kept, 1.5)


def test_readings_choose_by_check_and_segment() -> None:
    part = alert(12, check="PSI", segment=Where("region", ("north",)))
    both = [alert(3, check="column drift"), alert(9, Kind.QUALITY, "missing values"), part]
    assert spans(READINGS["evidently"].incidents(both, DAYS)) == [(9, 10)]
    assert spans(READINGS["evidently-every-test"].incidents(both, DAYS)) == [(3, 4), (9, 10)]
    assert spans(READINGS["plain-per-segment"].incidents(both, DAYS)) == [(3, 4), (9, 10), (12, 13)]


def test_psi_is_zero_for_the_same_and_large_for_another_shape() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(size=5000)
    assert plain.psi(base, base) == pytest.approx(0)
    assert plain.psi(base, rng.normal(size=1000)) < 0.05
    assert plain.psi(base, base + 1) > plain.PSI_MAX
    jobs = np.array(["a"] * 80 + ["b"] * 20, dtype=object)
    swapped = np.array(["a"] * 20 + ["b"] * 80, dtype=object)
    assert plain.psi(jobs, swapped) == pytest.approx(2 * 0.6 * np.log(4))


def test_a_mean_is_compared_with_those_before_it() -> None:
    means = {day(n): 0.5 + 0.01 * (n % 2) for n in range(12)} | {day(12): 0.9}
    assert list(plain.restless(means)) == [day(12)]


def write_case(folder: Path, *, nulls: bool) -> None:
    """Ten weeks of 100 rows a day; from day 35 to 41 a column may be null."""
    rng = np.random.default_rng(2)

    def made(start: datetime, days: int) -> dict[str, list[object]]:
        n = days * 100
        score = rng.uniform(size=n)
        return {
            "ts": [start + k * DAY / 100 for k in range(n)],
            "age": rng.normal(40, 9, size=n).tolist(),
            "job": rng.choice(["a", "b", "c"], size=n).tolist(),
            "score": score.tolist(),
            "prediction": (score > 0.5).astype(int).tolist(),
            "label": (rng.uniform(size=n) < score).astype(int).tolist(),
        }

    log = made(MONDAY, 70)
    if nulls:
        log["age"][3500:4200] = [None] * 700
    pq.write_table(pa.table(log), folder / "log.parquet")
    pq.write_table(pa.table(made(MONDAY - 30 * DAY, 30)), folder / "reference.parquet")
    model = {"model_id": "m", "time_column": "ts", "label_column": "label", "label_time_column": None}
    model |= {"score_column": "score", "prediction_column": "prediction", "favourable_prediction": 1}
    model |= {"features": ["age", "job"], "segments": ["job"], "protected_attributes": []}
    (folder / "model.yaml").write_text(yaml.safe_dump(model), encoding="utf-8")


def scan(folder: Path, *more: str, reading: str = "plain") -> tuple[int, dict[str, object]]:
    words = [sys.executable, str(ONE), reading, *more, "scan", "log.parquet", "--model", "model.yaml"]
    words += ["--reference", "reference.parquet", "--json", "out.json"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads((folder / "out.json").read_text(encoding="utf-8"))


def test_a_peer_stands_in_the_place_of_a_scan(tmp_path: Path) -> None:
    write_case(tmp_path, nulls=True)
    code, made = scan(tmp_path, "--keep", "kept")
    assert (code, made["schema"], made["evaluations"]) == (1, "andon.scan/1", 10)
    (incident,) = made["incidents"]
    assert incident["incident_type"] == "data_pipeline_corruption"
    assert incident["started_at"] == day(35).start.isoformat()
    assert incident["changed"]["features"] == ["age"]
    assert incident["affected"]["count"] == 700
    _, again = scan(tmp_path, "--keep", "kept", reading="plain-per-segment")
    assert again["seconds"] == made["seconds"]  # nothing ran again
    assert incident in again["incidents"]


def test_a_quiet_log_is_silent_and_windows_can_be_asked_for(tmp_path: Path) -> None:
    write_case(tmp_path, nulls=False)
    code, made = scan(tmp_path, "--rows", "500")
    assert (code, made["incidents"], made["evaluations"]) == (0, [], 10)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "zz*"], "no scenario"),
        (["--scorer", "nowhere.py"], "no scorer nowhere.py"),
        (["--update", "out.md"], "out.md is no document"),
        (["--run"], "there are no scores"),
    ],
)
def test_a_run_that_cannot_work_is_refused_at_once(words: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "logs" / "o1").mkdir(parents=True)
    (tmp_path / "logs" / "o1" / "truth.json").write_text("{}", encoding="utf-8")
    (tmp_path / "score.py").write_text("", encoding="utf-8")
    script = str(ONE.parents[1] / "quality.py")
    given = [sys.executable, script, "logs", "--scorer", "score.py", "--peers", "peers", "--work", "work", *words]
    done = subprocess.run(given, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def score(**hit: object) -> dict[str, object]:
    rows = [
        {
            "scenario": "o1",
            "incident": True,
            "found": True,
            "rows_f1": 0.91,
            "decided_before_detection": 0.2,
            "false": 1,
        }
        | {"type_ok": True, "start_ok": False, "error": "", "seconds": 2.0}
        | hit,
        {"scenario": "o2", "incident": False, "found": False, "false": 0, "error": "", "seconds": 1.0},
    ]
    totals = {"incidents": 1, "found": 1, "rows_f1_mean_over_all": 0.91, "type_ok": 1, "start_ok": 0, "clean": 0}
    totals |= {"false_in_controls": 0, "false_elsewhere": 1, "decided_before_detection_median": 0.2, "errors": 0}
    return {"totals": totals, "scenarios": rows}


def test_the_tables_say_what_was_found_and_take_their_place() -> None:
    text = table({"andon": score(), "plain": score(found=False), "plain-per-segment": score()}, "andon 1.0.")
    assert "2 logs, 1 with an incident, 1 controls. andon 1.0." in text
    assert "| **plain** | 1 of 1 | 0.91 | 1 | 0 | 0 | 0 | 1 | 20% | 3 |" in text
    assert "| plain-per-segment | 1 of 1 | 0.91 | 1 | 0 | 0 | 0 | 1 | 20% | the same |" in text
    assert "| o1 | rows 0.91, 20% decided, wrong start, 1 false | missed, 1 false |" in text
    assert "| o2 | silent | silent |" in text
    assert replaced(f"a\n{BEGIN}\nold\n{END}\nb", text) == f"a\n{BEGIN}\n\n{text}\n{END}\nb"
    with pytest.raises(ValueError, match="has no"):
        replaced("no markers", text)


def test_a_built_environment_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[object, ...]] = []
    monkeypatch.setattr(peer_environments, "_run", lambda *words: ran.append(words))
    first = peer_environments.interpreter(tmp_path, "evidently")
    assert len(ran) == 2  # uv from its lock, then the peer from its own
    assert all("--require-hashes" in words for words in ran)
    assert peer_environments.interpreter(tmp_path, "evidently") == first
    assert len(ran) == 2
    (tmp_path / "evidently" / peer_environments.LOCK).write_text("another", encoding="utf-8")
    peer_environments.interpreter(tmp_path, "evidently")
    assert len(ran) == 3


def test_every_reading_is_of_a_peer_with_a_lock() -> None:
    assert {reading.tool for reading in READINGS.values()} - {"plain"} <= set(peer_environments.PEERS)
