"""Numbers and times of the JSON document."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from andon.base.interval import Interval
from andon.detect.finding import Finding, Layer
from andon.incident.document import to_document
from andon.incident.scan import Note, Scan

AT = datetime(2026, 2, 9, 6, tzinfo=UTC)
FINDING = Finding(
    detector="null_share",
    layer=Layer.BEHAVIOUR,
    statistic="cohens_h",
    value=math.nan,
    low=-math.inf,
    high=math.inf,
    threshold=0.123456789,
    n=3,
    window=Interval(AT, AT + timedelta(hours=6)),
    at=AT.astimezone(timezone(timedelta(hours=2))),
    slice=None,
    features=("a",),
    before=0.0,
    after=1.0,
    what="a is null",
)
SCAN = Scan("m", 10, Interval(AT, AT), timedelta(hours=6), 1, (), (Note(AT, "n", (FINDING,)),), (), 1.23456)


def test_what_is_not_finite_is_null_and_the_rest_has_six_digits():
    finding = to_document(SCAN)["notes"][0]["findings"][0]
    assert (finding["value"], finding["low"], finding["high"]) == (None, None, None)
    assert finding["threshold"] == 0.123457
    assert (finding["before"], finding["after"]) == (0, 1)


def test_times_are_utc_with_a_zone_and_parse():
    document = to_document(SCAN)
    finding = document["notes"][0]["findings"][0]
    assert finding["at"] == "2026-02-09T06:00:00Z"
    assert datetime.fromisoformat(document["period"]["start"]) == AT
    assert document["evaluation_seconds"] == 21_600


def test_the_same_scan_is_the_same_text():
    assert json.dumps(to_document(SCAN)) == json.dumps(to_document(replace(SCAN)))
    assert list(to_document(SCAN)) == [
        "schema", "model_id", "rows", "period", "evaluation_seconds", "evaluations", "incidents", "notes",
        "blind_spots", "warnings", "seconds",
    ]  # fmt: skip
