"""The page that `--html` writes, read as text: whole, self-contained, escaped, and true to the scan."""

import json
import re
import shlex
import sys
from itertools import pairwise
from subprocess import CompletedProcess

import duckdb
import pytest

from andon.interfaces.cli import app
from outline import Outline
from page_cases import CASES, LONG, write_page

SVG_EMPTY = {"rect", "line", "path", "circle"}
HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\x00-\x08\x0b-\x1f\ud800-\udfff]")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Writes the page of a case once."""
    written = {}

    def write(case):
        if case not in written:
            written[case] = write_page(case, tmp_path_factory.mktemp(case), "--quiet", "--json", "scan.json")
        return written[case]

    return write


@pytest.fixture
def outline(page):
    return lambda case: Outline(page(case).read_text(encoding="utf-8"))


@pytest.fixture
def document(page):
    return lambda case: json.loads((page(case).parent / "scan.json").read_text(encoding="utf-8"))


every_case = pytest.mark.parametrize("case", CASES)


@every_case
def test_the_page_is_whole_and_alone(page, outline, case):
    path = page(case)
    assert {file.name for file in path.parent.iterdir()} == {
        "log.parquet",
        "reference.parquet",
        "model.yaml",
        "scan.html",
        "scan.json",
    }
    assert path.stat().st_size < 150_000
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert {"html", "head", "title", "main", "h1", "footer"} <= {tag for tag, _ in outline(case).tags}


@every_case
def test_the_page_asks_for_nothing_and_runs_nothing(page, outline, case):
    for tag, attributes in outline(case).tags:
        assert tag not in {"script", "iframe", "object", "embed", "form", "img", "base", "b/"}
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "xlink:href", "action"):
            assert re.match(r"#|data:image/svg\+xml;base64,|$", attributes.get(name) or "")
    style = re.findall(r"<style>(.*?)</style>", page(case).read_text(encoding="utf-8"), re.DOTALL)
    assert len(style) == 1
    assert "url(" not in style[0]
    assert "@import" not in style[0]


@every_case
def test_the_page_can_be_read_aloud(outline, case):
    read = outline(case)
    levels = [level for level, _ in read.headings]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(text.strip() for _, text in read.headings)
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in read.tags:
        if tag == "svg":
            named = attributes.get("role") == "img" and {
                attributes["aria-labelledby"],
                attributes["aria-describedby"],
            } <= set(ids)
            assert named or attributes.get("aria-hidden") == "true"
        if tag == "th":
            assert attributes["scope"] in {"col", "row", "rowgroup"}
        if tag == "a":
            assert attributes["href"].lstrip("#") in ids


@every_case
def test_every_command_on_the_page_exists(outline, case, monkeypatch):
    commands = {command.replace("\u00a0", " ") for command in outline(case).commands}
    assert commands
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "andon"
        monkeypatch.setattr(sys, "argv", ["andon", *words, "--help"])
        with pytest.raises(SystemExit) as left:
            app.main()
        assert left.value.code == 0, command
        verbs = {"scan": "--model", "show": "detectors"}
        assert verbs[words[0]] in words


def test_an_incident_is_told_with_its_figures(outline, document):
    read = outline("slice")
    [incident] = document("slice")["incidents"]
    assert read.headings[0][1] == (
        "Since 7\u00a0May\u00a02001: dest_delay_index below 0.1625 in 97.3% of decisions where dest_region is Mountain"
    )
    for title in (
        "When it began",
        "What moved",
        "The slice against the rest",
        "Whom it reached",
        "Changes near the start",
        "What to do next",
        "Evidence",
    ):
        assert title in [text for _, text in read.headings]
    assert f"{incident['affected']['count']:,}" in read.words
    assert incident["affected"]["predicate"] in read.words
    assert "geo-features job moved to the new warehouse" in read.words
    assert "A live watch would have fired on 8 May 2001, 00:00 UTC, 20 h after the start." in read.words.replace(
        "\u00a0", " "
    )
    assert "hypothesis" in read.words


@every_case
def test_what_needs_a_counterfactual_is_not_said(outline, case):
    assert "ecisions changed" not in outline(case).words
    assert "wrongly" not in outline(case).words


def test_times_are_in_the_zone_of_the_user_and_it_is_named(outline):
    words = outline("unlabelled").words.replace("\u00a0", " ")
    assert re.search(r"Started \d+ May 2001, \d\d:\d\d MDT", words)
    assert re.search(r"28 Feb, 18:24 MST to 30 Jun 2001, 17:50 MDT", words)
    assert "Times are in America/Denver" in words
    assert "UTC" not in words.replace("(SQL, times in UTC)", "")  # what the log itself is asked by


def test_several_incidents_have_a_list_and_articles(outline, document):
    read = outline("several_of_a_regression")
    incidents = document("several_of_a_regression")["incidents"]
    assert len(incidents) > 1
    assert len([tag for tag, _ in read.tags if tag == "article"]) == len(incidents)
    assert read.headings[0][1] == f"{len(incidents)} incidents in 2,871 decisions"
    assert "prediction (the answer)" in [text for _, text in read.headings]


def test_classes_are_shown_by_their_names(outline):
    words = outline("classes").words
    assert all(f"prediction is {name}" in words for name in ("low", "middle", "high", "top"))


def test_a_quiet_log_says_what_was_looked_for_and_what_could_not_be_judged(outline):
    read = outline("quiet")
    assert read.headings[0][1] == "No silent failure found in 15,000 decisions"
    titles = [text for _, text in read.headings]
    assert {"How it went", "What was compared", "What was looked for", "What could not be judged"} <= set(titles)
    assert "null_share" in read.words
    assert "Whom it reached" not in titles


def test_a_log_too_short_to_judge_does_not_call_itself_quiet(outline):
    read = outline("short")
    assert read.headings[0][1] == "Too short to judge: 3 decisions"
    assert "calm" not in [attributes.get("class") for _, attributes in read.tags]
    assert "Warnings about the input" in [text for _, text in read.headings]


def test_a_log_of_which_nothing_is_watched_says_so(outline):
    words = outline("nothing_watched").words
    assert "nothing was looked at" in words
    assert "no prediction_column" in words


def test_hostile_names_and_values_are_text(page, outline):
    text = page("hostile").read_text(encoding="utf-8")
    assert not HIDDEN.search(text)
    assert "<script" not in text
    assert "<img" not in text
    words = outline("hostile").words
    assert "<script>alert('column')</script> below 0.1625" in words
    assert "\\u202e" in words
    assert LONG not in text
    assert len(max(text.split(), key=len)) < 10_000


PAGE = ("--model", "model.yaml", "--reference", "reference.parquet", "--html")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small log with a failure."""
    folder = tmp_path_factory.mktemp("small")
    CASES["several_of_a_regression"][0](folder)
    return folder


@pytest.fixture
def run(andon, folder, monkeypatch):
    """Scans the small log."""
    monkeypatch.chdir(folder)
    return lambda *words: CompletedProcess(words, *andon("scan", "log.parquet", *words))


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("nowhere/scan.html", "there is no folder nowhere"),
        (".", "it is a folder"),
        ("-", "--html scan.html"),
        ("log.parquet", "would overwrite log.parquet"),
        ("model.yaml", "would overwrite model.yaml"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_the_work(folder, place, told, run):
    done = run(*PAGE, place)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("andon: ")
    assert done.stderr.count("\n") == 1
    assert told in done.stderr


def test_one_file_cannot_hold_both(folder, run):
    done = run(*PAGE, "out", "--json", "./out")
    assert done.returncode == 2
    assert "name two files" in done.stderr


def test_a_full_disk_takes_the_page_and_not_the_result(folder, run):
    done = run(*PAGE, "/dev/full")
    assert done.returncode == 2
    assert "2 incidents in 2,871 decisions" in done.stdout
    assert "/dev/full" not in done.stdout
    assert [line for line in done.stderr.splitlines() if line.startswith("andon: ")] == [
        "andon: cannot write /dev/full: No space left on device; name a file in a folder you may write to"
    ]


def test_an_older_page_is_replaced_whole_and_nothing_else_is_left(folder, run):
    before = set(folder.iterdir())
    (folder / "old.html").write_text("old")
    done = run(*PAGE, "old.html")
    assert done.returncode == 1
    assert "old.html" in done.stdout
    assert (folder / "old.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert set(folder.iterdir()) == {*before, folder / "old.html"}
    (folder / "old.html").unlink()


def test_the_same_scan_writes_the_same_page(folder, run):
    pages = []
    for _ in range(2):
        run(*PAGE, "same.html")
        pages.append(re.sub(r"replayed in [^<]*", "", (folder / "same.html").read_text(encoding="utf-8")))
    (folder / "same.html").unlink()
    assert pages[0] == pages[1]


def test_the_counted_rows_are_those_of_the_predicate(page, document):
    """The predicate on the page is SQL that anybody can run."""
    [incident] = document("slice")["incidents"]
    log = page("slice").parent / "log.parquet"
    [(count,)] = duckdb.sql(f"select count(*) from '{log}' where {incident['affected']['predicate']}").fetchall()
    assert count == incident["affected"]["count"]
