"""A scan to show: made up, with all that a scan can hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from andon.base.interval import Interval
from andon.detect.finding import Finding, Layer, Slice
from andon.incident.scan import Affected, Changed, DetectedIncident, Note, Scan, Warning  # noqa: A004
from andon.inventory.change import Change
from andon.inventory.model import Columns, Model

START = datetime(2001, 5, 7, 4, tzinfo=UTC)
END = datetime(2001, 5, 28, 4, tzinfo=UTC)
PERIOD = Interval(datetime(2001, 3, 1, 1, 24, tzinfo=UTC), datetime(2001, 6, 30, 23, 50, tzinfo=UTC))
MOUNTAIN = Slice("dest_region = 'Mountain'", ("dest_region",))


@pytest.fixture
def finding():
    return Finding(
        detector="slice_shift",
        layer=Layer.BEHAVIOUR,
        statistic="cohens_h",
        value=1.2345678,
        low=1.1,
        high=1.4,
        threshold=0.2,
        n=1040,
        window=Interval(START, START + timedelta(days=1)),
        at=START + timedelta(hours=36),
        slice=MOUNTAIN,
        features=("dest_delay_index",),
        before=0.031,
        after=0.974,
        what="dest_delay_index is below 4.2",
        mark="dest_delay_index < 4.2",
        entries=("p0033388", "p0033401"),
    )


@pytest.fixture
def incident(finding):
    bumps = [(0.97 if 67 * 2 <= i < 88 * 2 else 0.02 + 0.01 * (i % 5), 0.031) for i in range(244)]
    return DetectedIncident(
        incident_type="data_pipeline_corruption",
        priority="P0",
        severity="critical",
        priority_rule="1,159 decisions touched: if each is one person, 1,000 or more people",
        facts_missing=("how many of the decisions were wrong", "the model's risk class (judged as high)"),
        summary="dest_delay_index is far lower than before where dest_region is Mountain, and nowhere else",
        started_at=START,
        started_at_low=START - timedelta(hours=8),
        started_at_high=START + timedelta(hours=8),
        detected_at=START + timedelta(hours=36),
        ended_at=END,
        slice=MOUNTAIN,
        changed=Changed(
            ("dest_delay_index",), None, Change(START, "pipeline", "geo-features job moved to the new warehouse")
        ),
        affected=Affected("ts >= '2001-05-07 04:00:00' AND dest_region = 'Mountain'", 1159, 1140, 1181),
        findings=(finding, replace(finding, what="prediction is 1", before=0.3194, after=0.0371, features=())),
        series=tuple(bumps),
        series_start=datetime(2001, 3, 1, tzinfo=UTC),
        series_step=timedelta(hours=12),
    )


@pytest.fixture
def scan(incident):
    return Scan(
        model_id="bts-flights-2001",
        rows=61_192,
        period=PERIOD,
        evaluation=timedelta(hours=12),
        evaluations=243,
        incidents=(incident,),
        notes=(Note(START + timedelta(days=30), "distance drifts slowly (0.3 %)"),),
        warnings=(Warning("labels_late", "518 labels had not arrived when the log ends"),),
        seconds=1.23456,
        detectors=("null_share", "category_share", "feature_distribution", "error_rate"),
    )


@pytest.fixture
def clean_scan(scan):
    return replace(scan, incidents=(), notes=(), warnings=())


@pytest.fixture
def model():
    return Model(
        id="bts-flights-2001",
        columns=Columns("prediction_id", "ts", score="score", prediction="prediction", label="label"),
        features=("hour", "weekday", "distance", "dest_delay_index", "origin_hub"),
        segments=("dest_region", "origin_hub"),
        time_zone="Europe/Berlin",
    )
