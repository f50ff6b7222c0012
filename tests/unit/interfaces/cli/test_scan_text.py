"""The page of a scan: what a tired person reads."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from andon.detect.finding import Slice
from andon.incident.scan import Warning  # noqa: A004  # the contract's word
from andon.interfaces.cli import scan_text, words
from andon.interfaces.cli.scan_text import Frame, Page, about_query, select

COMMAND = ("andon", "scan", "log.parquet", "--model", "my model.yaml")


@pytest.fixture
def frame(model):
    return Frame(model, {"data_pipeline_corruption": "Data pipeline corruption"}, ("log.parquet",), COMMAND)


def drawn(scan, frame, width=80, *, color=False):
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=color, no_color=not color, highlight=False)
    Page(scan, frame).draw(console)
    return out.getvalue().replace(words.HELD, " ")


def test_the_six_answers(scan, frame):
    page = drawn(scan, frame, 160)
    for answer in (
        "One incident in 61,192 decisions of bts-flights-2001.",
        "●●● P0 critical  Data pipeline corruption",
        "since       7 May 2001, 06:00 CEST (estimated: 6 May, 22:00 to 7 May 2001, 14:00 CEST)",
        "until       28 May 2001, 06:00 CEST",
        "for whom    dest_region is Mountain",
        "how many    1,159 decisions (between 1,140 and 1,181), 1.89% of the log",
        "detected    8 May 2001, 18:00 CEST, 1 d 12 h after the start",
        "geo-features job moved to the new warehouse (pipeline)",
        "if each is one person",
        "Also seen, no incident by itself",
    ):
        assert answer in page


def test_a_log_judged_by_its_own_beginning_is_not_called_the_log(scan, clean_scan, frame):
    own = (Warning("own_reference", "no --reference was named"),)
    page = drawn(replace(scan, warnings=own), frame, 160)
    assert "One incident in 61,192 judged decisions of bts-flights-2001." in page
    assert "1,159 decisions (between 1,140 and 1,181), 1.89% of those judged" in page
    assert "No silent failure found in 61,192 judged decisions" in drawn(replace(clean_scan, warnings=own), frame, 160)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_the_terminal_but_for_commands(scan, frame, width):
    lines = drawn(scan, frame, width).splitlines()
    assert [line for line in lines if len(line) > width and "SELECT" not in line and "andon scan" not in line] == []


def test_the_picture_marks_the_start(scan, frame):
    lines = drawn(scan, frame).splitlines()
    observed = next(line for line in lines if line.strip().startswith("observed"))
    mark = next(line for line in lines if "▲ start, 7 May 2001" in line)
    assert observed.index("█") - mark.index("▲") in {0, 1}


def test_a_late_start_is_marked_from_the_left(scan, incident, frame):
    late = replace(incident, started_at=scan.period.end.replace(day=29))
    page = drawn(replace(scan, incidents=(late,)), frame)
    assert "CEST ▲" in page


def test_what_to_do_next_is_copyable(scan, frame):
    page = drawn(scan, frame)
    assert "andon scan log.parquet --model 'my model.yaml' --json scan.json\n" in page
    assert "SELECT * FROM 'log.parquet' WHERE ts >= '2001-05-07 04:00:00' AND dest_region = 'Mountain'\n" in page
    assert "andon show detectors\n" in page


def test_once_written_it_says_where(scan, frame):
    page = drawn(scan, replace(frame, written="out.json"))
    assert "out.json" in page
    assert "--json" not in page


def test_clean_is_one_calm_sentence(clean_scan, frame):
    page = drawn(clean_scan, frame, 160)
    assert page.startswith("No silent failure found in 61,192 decisions of bts-flights-2001.\n")
    assert "243 evaluations, one every 12 h, by 4 detectors over 7 declared columns." in page
    assert "What to do next" not in page


def test_too_short_is_not_called_clean(clean_scan, frame):
    page = drawn(replace(clean_scan, evaluations=0), frame)
    assert "No silent failure" not in page
    assert "Too short to judge" in page


def test_no_colour_has_no_escape_codes(scan, frame):
    assert "\x1b" not in drawn(scan, frame)
    assert "\x1b" in drawn(scan, frame, color=True)


def test_values_of_the_log_cannot_steer_the_terminal(scan, incident, frame):
    hostile = Slice("region = '\x1b[2J[bold]x'", ("region",))
    page = drawn(replace(scan, incidents=(replace(incident, slice=hostile, summary="a\x1b]0;x\x07"),)), frame)
    assert "\x1b" not in page
    assert "\x07" not in page
    assert "[bold]x" in page


def test_without_a_series_or_slice_it_still_stands(scan, incident, frame):
    bare = replace(incident, series=(), slice=None, ended_at=None, facts_missing=(), series_start=None)
    page = drawn(replace(scan, incidents=(bare, bare)), frame)
    assert page.startswith("2 incidents")
    assert "all of the traffic" in page
    assert "still going on where the log ends" in page
    assert "List the decisions that incident 2 touched" in page


def test_more_findings_are_counted(scan, incident, frame):
    many = replace(incident, findings=incident.findings * 4)
    assert f"{8 - scan_text.FINDINGS_SHOWN} more findings" in drawn(replace(scan, incidents=(many,)), frame)


@pytest.mark.parametrize(
    ("logs", "source"),
    [
        (["it's.parquet"], "'it''s.parquet'"),
        (["duckdb:///w.duckdb?table=decisions"], "decisions"),
        (["postgresql://reader@host/base?table=risk.decisions"], "risk.decisions"),
        (["s3://bucket/prefix"], "log"),
        (["a.parquet", "b.parquet"], "read_parquet(['a.parquet', 'b.parquet'], union_by_name = true)"),
        (["a.parquet", "folder"], "log"),
        (["duckdb:///w.duckdb?table=risk.My%20log"], 'risk."My log"'),
    ],
)
def test_the_query_for_the_decisions_names_their_place(logs, source, incident):
    assert select(logs, incident).startswith(f"SELECT * FROM {source} WHERE ")


def test_what_a_query_cannot_say_stands_beside_it(scan):
    assert about_query(["a.parquet"], scan) == "(SQL, times in UTC)"
    assert about_query(["lg", "more"], scan) == "(SQL, times in UTC, log stands for the rows of lg and 1 more)"
    numbers = replace(scan, warnings=(Warning("epoch_times", "'ts' holds numbers"),))
    assert about_query(["a.csv"], numbers) == "(SQL, times in UTC, numbers turned into times first)"
    texts = replace(scan, warnings=(Warning("text_times", "'ts' is text"), Warning("read_as_numbers", "x is text")))
    turned = "text turned into times first, text turned into numbers first"
    assert about_query(["a.parquet"], texts) == f"(SQL, times in UTC, {turned})"
