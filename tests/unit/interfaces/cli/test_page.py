"""The page of a made-up scan: with all that a scan can hold, and without figures."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from andon.detect.finding import Slice
from andon.incident.figures import ScanFigures
from andon.incident.scan import Warning  # noqa: A004  # the contract's word
from andon.interfaces.cli.page.render import render
from andon.interfaces.cli.scan_text import Frame
from andon.inventory.model import Version

COMMAND = ("andon", "scan", "log.parquet", "--model", "my model.yaml")


@pytest.fixture
def frame(model):
    titles = {"data_pipeline_corruption": "Data pipeline corruption"}
    return Frame(model, titles, ("folder/log.parquet",), COMMAND, page="my page.html")


def words_of(page):
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(text).replace("\u00a0", " ").split())


def test_without_figures_the_page_still_tells_all(scan, frame):
    page = words_of(render((scan, frame)))
    for told in (
        "1 incident found · Data pipeline corruption",
        "Since 7 May 2001: dest_delay_index is below 4.2 in 97.4% of decisions where dest_region is Mountain",
        "1,159",
        "between 1,140 and 1,181",
        "06:00 CEST",
        "1 d 12 h later",
        "if each is one person",
        "how many of the decisions were wrong",
        "distance drifts slowly (0.3 %)",
        "518 labels had not arrived",
        "andon scan log.parquet --model 'my model.yaml' --json scan.json",
        "--html 'my page.html'",
        "SELECT * FROM 'folder/log.parquet' WHERE ts >= '2001-05-07 04:00:00' AND dest_region = 'Mountain'",
        "p0033388",
    ):
        assert told in page


def test_a_log_judged_by_its_own_beginning_is_not_called_the_log(scan, clean_scan, frame):
    assert "All decisions in the log" in words_of(render((scan, frame)))
    own = (Warning("own_reference", "no --reference was named"),)
    page = words_of(render((replace(scan, warnings=own), frame)))
    for told in ("61,192 judged decisions", "of 61,192 judged (1.89%)", "All decisions judged"):
        assert told in page
    quiet = words_of(render((replace(clean_scan, warnings=own), frame)))
    assert "No silent failure found in 61,192 judged decisions" in quiet
    assert "Judged decisions 61,192" in quiet


def test_the_lamp_says_the_worst(scan, clean_scan, frame):
    def lit(shown):
        return re.findall(r'style="fill:var\(--(\w+)-fill\)"', render((shown, frame)))

    assert lit(scan) == ["red"]
    assert lit(replace(scan, incidents=(replace(scan.incidents[0], priority="P2"),))) == ["amber"]
    assert lit(clean_scan) == ["green"]
    assert lit(replace(clean_scan, evaluations=0)) == []


def test_many_incidents_are_all_told(scan, frame):
    many = tuple(
        replace(scan.incidents[0], started_at=scan.incidents[0].started_at + n * timedelta(hours=1)) for n in range(9)
    )
    figures = ScanFigures(100, scan.period, (None,) * 9, None)
    page = render((replace(scan, incidents=many, figures=figures), frame))
    assert page.count("<article") == 9
    assert page.count('href="#incident-') == 9
    assert len(set(re.findall(r' id="([^"]+)"', page))) == len(re.findall(r' id="([^"]+)"', page))


def test_what_a_finding_says_is_told_to_its_end(scan, frame, finding):
    what = "prediction is '0' where the known-good model would decide otherwise, rather than the reverse"
    where = Slice("model_version = 'v2' AND dest_region = 'Mountain' AND carrier = 'of the south'", ("dest_region",))
    told = replace(finding, what=what, slice=where)
    shown = replace(scan.incidents[0], findings=(told,), slice=where)
    page = words_of(render((replace(scan, incidents=(shown,)), frame)))
    part = "where model_version is v2 and dest_region is Mountain and carrier is of the south"
    assert f"{what} {part} : 3.1% before" in page
    assert f"Since 7 May 2001: {what} in 97.4% of decisions {part}" in page


def test_it_says_what_the_known_good_model_of_the_evidence_is(scan, clean_scan, frame):
    for page in (render((scan, frame)), render((clean_scan, frame), (scan, frame))):
        assert "the known-good model, that is a surrogate fitted to the reference" in words_of(page)


def test_findings_that_are_left_out_are_counted(scan, frame, finding):
    def page(findings):
        return words_of(render((replace(scan, incidents=(replace(scan.incidents[0], findings=findings),)), frame)))

    assert "3 more findings in the JSON (--json FILE)" in page((finding,) * 8)
    assert "1 more finding in the JSON (--json FILE)" in page((finding,) * 6)
    assert "in the JSON" not in page((finding,) * 5)


def test_an_incident_without_findings_or_slice_is_told(scan, frame):
    bare = replace(scan.incidents[0], findings=(), slice=None, incident_type="of_a_new_type", summary="it broke")
    page = words_of(render((replace(scan, incidents=(bare,)), frame)))
    assert "Since 7 May 2001: of_a_new_type" in page
    assert "it broke." in page


@pytest.mark.parametrize("hostile", ["<b>", "'\"", "{{ 7 * 7 }}", "{% raw %}", "\ue000", "\u2028", "\ud800"])
def test_texts_are_shown_as_they_are(scan, frame, hostile):
    named = replace(scan, model_id=f"model {hostile}", warnings=(replace(scan.warnings[0], text=f"text {hostile}"),))
    page = render((named, frame))
    page.encode("utf-8")
    assert "49" not in words_of(page)
    assert "text <b>" not in page
    if hostile in ("{{ 7 * 7 }}", "{% raw %}"):
        assert hostile in page


def test_no_change_log_is_said(scan, frame):
    bare = replace(scan.incidents[0], changed=replace(scan.incidents[0].changed, change=None))
    page = words_of(render((replace(scan, incidents=(bare,)), frame)))
    assert "model.yaml names no change in this time" in page
    assert "Find what was changed around the start" in page


def test_a_version_is_a_change_on_the_day_it_was_first_seen_unless_the_model_file_says_when_it_came(scan, frame):
    seen = replace(scan, versions={"v2": scan.incidents[0].started_at - timedelta(hours=2)})
    page = words_of(render((seen, frame)))
    assert "v2 first seen in the log" in page
    assert "2 h before the start" in page
    declared = replace(frame.model, versions=(Version("v2", scan.incidents[0].started_at - timedelta(days=1), "live"),))
    page = words_of(render((seen, replace(frame, model=declared))))
    assert "v2 went live" in page
    assert "first seen in the log" not in page


def test_a_quiet_page_says_that_versions_were_not_judged_only_where_no_column_says_them(clean_scan, frame):
    gap = "the log is not said to hold them (version_column)"
    assert gap in words_of(render((clean_scan, frame)))
    assert gap not in words_of(render((replace(clean_scan, versions={}), frame)))


def test_a_quiet_page_names_the_detectors_that_had_something_to_look_at(clean_scan, frame):
    page = words_of(render((clean_scan, frame)))
    assert "with 4 detectors over" in page
    assert "null_share" in page
    assert "repeat_share" not in page
    assert "the model file names no entity_columns" in page
