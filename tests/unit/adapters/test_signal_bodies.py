"""Bodies of every format as alerts; what is no such body is refused with the mend."""

import json
from datetime import UTC, datetime

import pytest
import yaml

from andon.adapters.signals import alertmanager, cloudevents, mapped, pagerduty, report, scan
from andon.alert.signal import InvalidEvent
from andon.base.errors import BadInput
from andon.bootstrap.packs import load_classifier, pack

HOOK = {
    "version": "4",
    "groupKey": '{}/{severity="high"}:{alertname="AIModelPerformanceDegraded"}',
    "truncatedAlerts": 2,
    "status": "firing",
    "receiver": "andon",
    "notification_reason": "a key of later versions",
    "alerts": [
        {
            "status": "resolved",
            "labels": {"alertname": "AIModelPerformanceDegraded", "model_id": "loans"},
            "annotations": {"summary": "accuracy fell"},
            "startsAt": "2026-04-22T08:15:00.123456789Z",
            "endsAt": "2026-04-22T09:15:00+02:00",
            "generatorURL": "http://prometheus.example/graph",
            "fingerprint": "7db9d0a8bd0e4a3b",
        }
    ],
}
TRIGGER = {
    "routing_key": "x" * 32,
    "event_action": "trigger",
    "dedup_key": "d1",
    "client_url": "https://arize.example/m",
    "payload": {
        "summary": "drift",
        "source": "arize",
        "severity": "warning",
        "class": "model_drift",
        "custom_details": {"model_id": "loans", "psi": 0.3, "nested": {"a": 1}},
    },
}
CE = {"specversion": "1.0", "id": "e1", "source": "/monitor", "type": "model.drift.firing", "subject": "loans"}


def read(parser, found, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return parser(found if isinstance(found, bytes) else json.dumps(found).encode(), named)


def changed(found, path, value):
    """A deep copy with one place set (or, with `...`, removed)."""
    copy = json.loads(json.dumps(found))
    here = copy
    for step in path[:-1]:
        here = here[step]
    if value is ...:
        del here[path[-1]]
    else:
        here[path[-1]] = value
    return copy


def shipped(name):
    file = pack("mappings").joinpath(f"{name}.yaml")
    return mapped.Mapped(mapped.parse(yaml.safe_load(file.read_text()), file.name))


def test_alertmanager():
    [alert] = read(alertmanager.read, HOOK).alerts
    assert read(alertmanager.read, HOOK).left_out == 2
    assert (alert.source, alert.fingerprint, alert.state) == ("alertmanager", "7db9d0a8bd0e4a3b", "resolved")
    assert alert.starts_at == datetime(2026, 4, 22, 8, 15, 0, 123456, tzinfo=UTC)
    assert alert.ends_at == datetime(2026, 4, 22, 7, 15, tzinfo=UTC)
    assert (alert.title, alert.group_key) == ("accuracy fell", HOOK["groupKey"])
    [firing] = read(alertmanager.read, changed(HOOK, ("alerts", 0, "status"), "firing")).alerts
    assert (firing.state, firing.ends_at) == ("firing", None)
    [bare] = read(alertmanager.read, changed(HOOK, ("alerts", 0, "fingerprint"), ...)).alerts
    assert len(bare.fingerprint) == 32


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[1]", "no JSON object"),
        (b"[" * 100_000, "no JSON|nested"),
        (changed(HOOK, ("version",), "3"), "send 4"),
        (changed(HOOK, ("version",), ...), "version is wrong"),
        (changed(HOOK, ("alerts",), ...), "alerts is wrong"),
        (changed(HOOK, ("alerts", 0, "startsAt"), "yesterday"), "alerts.0.startsAt is no time"),
        (changed(HOOK, ("alerts", 0, "startsAt"), "0001-01-01T00:00:00Z"), "startsAt is empty"),
        (changed(HOOK, ("alerts", 0, "labels"), {"a": 1}), "alerts.0.labels.a is wrong"),
        (changed(HOOK, ("alerts", 0, "status"), "pending"), "alerts.0.status is wrong"),
        (changed(HOOK, ("truncatedAlerts",), -1), "truncatedAlerts is wrong"),
        (changed(HOOK, ("alerts",), HOOK["alerts"] * 10_001), "alerts is wrong"),
    ],
)
def test_no_webhook_of_alertmanager(body, says):
    with pytest.raises(BadInput, match=says):
        read(alertmanager.read, body)


def test_pagerduty():
    delivery = read(pagerduty.read, TRIGGER)
    [alert] = delivery.alerts
    assert delivery.reply == {"status": "success", "message": "Event processed", "dedup_key": "d1"}
    assert alert.labels == {
        "model_id": "loans",
        "psi": "0.3",
        "class": "model_drift",
        "severity": "warning",
        "incident_type": "model_drift",
        "pagerduty_source": "arize",
    }
    assert (alert.starts_at, alert.url) == (None, "https://arize.example/m")
    unnamed = changed(TRIGGER, ("dedup_key",), ...)
    assert read(pagerduty.read, unnamed).reply["dedup_key"] == read(pagerduty.read, unnamed).alerts[0].fingerprint
    for action, count in (("resolve", 1), ("acknowledge", 0)):
        event = {"routing_key": "x" * 32, "event_action": action, "dedup_key": "d1"}
        assert len(read(pagerduty.read, event).alerts) == count


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (b"{", "no JSON"),
        (changed(TRIGGER, ("event_action",), "explode"), "'event_action'"),
        (changed(TRIGGER, ("payload",), ...), "'payload' is missing"),
        (changed(TRIGGER, ("payload", "summary"), ...), "'payload.summary' is missing"),
        (changed(TRIGGER, ("payload", "summary"), "x" * 1_025), "over 1024"),
        (changed(TRIGGER, ("payload", "source"), ""), "'payload.source' is missing"),
        (changed(TRIGGER, ("payload", "severity"), "high"), "'payload.severity'"),
        (changed(TRIGGER, ("dedup_key",), "x" * 256), "'dedup_key'"),
        ({"event_action": "resolve"}, "'dedup_key' is missing"),
    ],
)
def test_no_event_of_pagerduty(event, says):
    with pytest.raises(InvalidEvent, match=says) as raised:
        read(pagerduty.read, event)
    assert raised.value.errors


DATA = {"model_id": "loans", "incident_type": "model_drift", "title": "psi 0.3", "severity": "warning"}


def test_cloudevents_in_three_ways():
    whole = {**CE, "time": "2026-04-22T08:15:00Z", "data": DATA}
    structured = read(cloudevents.read, whole, content_type="application/cloudevents+json; charset=utf-8")
    headers = {f"ce_{name}": value for name, value in whole.items() if name != "data"}
    binary = read(cloudevents.read, DATA, content_type="application/json", **headers)
    batch = read(cloudevents.read, [whole, {**whole, "id": "e2"}], content_type="application/cloudevents-batch+json")
    assert structured == binary
    assert structured.event == "/monitor\ne1"
    [alert] = structured.alerts
    assert (alert.title, alert.labels["model_id"], alert.labels["type"]) == ("psi 0.3", "loans", CE["type"])
    assert (len(batch.alerts), batch.alerts[0]) == (2, alert)
    coded = read(
        cloudevents.read, {**CE, "data_base64": "eyJ0aXRsZSI6ICJ4In0="}, content_type="application/cloudevents+json"
    )
    assert coded.alerts[0].title == "x"
    over = read(cloudevents.read, {**CE, "data": {"status": "resolved"}}, content_type="application/cloudevents+json")
    assert over.alerts[0].is_resolved
    assert over.alerts[0].fingerprint == alert.fingerprint


@pytest.mark.parametrize(
    ("event", "kind", "says"),
    [
        ({**CE, "specversion": "0.3"}, "application/cloudevents+json", "send 1.0"),
        (changed(CE, ("id",), ...), "application/cloudevents+json", "no id"),
        (changed(CE, ("source",), 5), "application/cloudevents+json", "no source"),
        ({**CE, "data_base64": "***"}, "application/cloudevents+json", "not Base64"),
        ({**CE, "time": "soon"}, "application/cloudevents+json", "time is no time"),
        (CE, "application/cloudevents-batch+json", "array of events"),
        (CE, "application/json", "no CloudEvent"),
        (CE, "text/plain", "no CloudEvent"),
    ],
)
def test_no_cloudevent(event, kind, says):
    with pytest.raises(BadInput, match=says):
        read(cloudevents.read, event, content_type=kind)


def test_datadog():
    body = {
        "alert_id": "4711",
        "cycle": "8846",
        "title": "[Triggered] loans drift",
        "transition": "Triggered",
        "status": "psi > 0.2",
        "priority": "P2",
        "tags": "model_id:loans, incident_type:model_drift,env:prod",
        "link": "https://app.datadoghq.com/event/1",
    }
    [alert] = read(shipped("datadog"), body).alerts
    assert (alert.fingerprint, alert.state, alert.group_key) == ("8846", "firing", "datadog:4711")
    assert alert.labels["model_id"] == "loans"
    assert alert.labels["severity"] == "P2"
    assert read(shipped("datadog"), {**body, "transition": "Recovered"}).alerts[0].is_resolved
    with pytest.raises(BadInput, match="/cycle, /alert_id"):
        read(shipped("datadog"), {"title": "x"})


@pytest.mark.parametrize("version", ["0.18", "1.x"])
def test_great_expectations(version):
    name = "type" if version == "1.x" else "expectation_type"
    suite = {"suite_name": "features"} if version == "1.x" else {"meta": {"expectation_suite_name": "features"}}
    results = [
        {
            "success": success,
            "expectation_config": {
                name: "expect_column_values_to_not_be_null",
                "kwargs": {"column": column},
                "meta": {},
            },
            "result": {"unexpected_percent": 97.3},
        }
        for column, success in (("mcc", False), ("amount", True))
    ]
    first, second = read(shipped("great_expectations"), {"success": False, "results": results, **suite}).alerts
    assert first.title == "expect_column_values_to_not_be_null fails for mcc"
    assert (first.state, second.state) == ("firing", "resolved")
    assert first.fingerprint != second.fingerprint
    assert first.labels["suite"] == "features"
    assert first.labels["incident_type"] == "data_pipeline_corruption"
    with pytest.raises(BadInput, match="nothing at /results"):
        read(shipped("great_expectations"), {"success": True})


def test_business_metrics_and_audit_logs():
    figure = {"metric": "approval_rate", "model_id": "loans", "value": 0.31, "limit": 0.42, "since": 1_771_000_000}
    [alert] = read(shipped("business_metrics"), figure).alerts
    assert alert.title.strip() == "approval_rate is 0.31, its limit is 0.42"
    assert alert.starts_at == datetime(2026, 2, 13, 16, 26, 40, tzinfo=UTC)
    [found] = read(shipped("audit_log"), [{"rule": "after_hours_export", "actor": "u42", "summary": "s"}]).alerts
    assert found.annotations == {"actor": "u42"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": "andon.mapping/2"}, "schema is wrong"),
        ({"source": "Not a slug"}, "source is wrong"),
        ({"fingerprint": []}, "fingerprint is wrong"),
        ({"title": {"at": "no pointer"}}, "title.at.0 is wrong"),
        ({"labels": {"0bad": "/x"}}, "labels.0bad"),
        ({"colour": "/x"}, "colour is wrong"),
    ],
)
def test_no_mapping(change, says):
    good = {"schema": "andon.mapping/1", "source": "mine", "about": "x", "fingerprint": ["/id"], "title": "/title"}
    assert mapped.parse(good, "mine.yaml").source == "mine"
    with pytest.raises(BadInput, match=f"mine.yaml: {says}"):
        mapped.parse({**good, **change}, "mine.yaml")
    with pytest.raises(BadInput, match="holds no keys"):
        mapped.parse(["x"], "mine.yaml")


def test_a_place_may_hold_any_key_and_lead_nowhere():
    content = {
        "schema": "andon.mapping/1",
        "source": "mine",
        "about": "x",
        "items": "/a~1b/0/list",
        "only": {"at": "/kind", "one_of": ["alert"]},
        "fingerprint": ["/id"],
        "title": {"at": ["/nowhere/1/x", "/title"], "words": {"t": "A title"}},
    }
    parser = mapped.Mapped(mapped.parse(content, "mine.yaml"))
    items = [{"kind": "alert", "id": 7, "title": "T"}, {"kind": "noise", "id": 8}]
    [alert] = read(parser, {"a/b": [{"list": items}]}).alerts
    assert (alert.fingerprint, alert.title) == ("7", "A title")


SCAN = {
    "schema": "andon.scan/1",
    "model_id": "loans",
    "incidents": [
        {
            "incident_type": "data_pipeline_corruption",
            "severity": "critical",
            "summary": "a feed broke",
            "started_at": "2026-04-22T06:00:00Z",
            "started_at_low": "2026-04-22T05:00:00Z",
            "started_at_high": "2026-04-22T07:00:00Z",
            "detected_at": "2026-04-22T09:00:00Z",
            "ended_at": None,
            "slice": {"predicate": "region = 'Mountain'", "columns": ["region"]},
            "affected": {"predicate": "region = 'Mountain'", "count": 1159, "low": 1158, "high": 1159},
            "changed": {"features": ["x"], "version": "4.1.2", "change": None},
        }
    ],
}


def test_a_scan():
    [alert] = read(scan.read, SCAN).alerts
    assert (alert.starts_at, alert.state) == (datetime(2026, 4, 22, 9, tzinfo=UTC), "firing")
    assert alert.more["facts"] == {"decisions": 1159}
    assert alert.more["slice"] == "region = 'Mountain'"
    assert alert.labels["model_version"] == "4.1.2"
    later = changed(SCAN, ("incidents", 0, "ended_at"), "2026-04-23T00:00:00Z")
    [over] = read(scan.read, later).alerts
    assert (over.id, over.state) == (alert.id, "resolved")
    with pytest.raises(BadInput, match=r"incidents\.0\.affected\.count"):
        read(scan.read, changed(SCAN, ("incidents", 0, "affected", "count"), -1))
    with pytest.raises(BadInput, match="schema"):
        read(scan.read, {"schema": "andon.scans/1"})


REPORT = {"text": "The assistant shows phone numbers of other customers.", "reporter": "user", "model_id": "assistant"}


def test_a_report_is_classified_and_hostile_text_stays_text():
    reports = report.Reports(load_classifier().read)
    delivery = read(reports, REPORT)
    [alert] = delivery.alerts
    assert alert.labels["incident_type"] == "harmful_output"
    assert delivery.reply["classified"]["rule"] == "private data comes out or is taken"
    again = read(reports, {**REPORT, "text": REPORT["text"].upper().replace(" ", "\n  ")})
    assert again.alerts[0].fingerprint == alert.fingerprint
    hostile = {**REPORT, "text": "<script>alert(1)</script>{{7*7}}'; DROP TABLE alerts; --" + "a " * 9_000}
    assert read(reports, hostile).alerts[0].annotations["text"].startswith("<script>")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": ""}, "text is wrong"),
        ({"text": "x" * 20_001}, "text is wrong"),
        ({"reporter": "hacker"}, "reporter is wrong"),
        ({"colour": "red"}, "colour is wrong"),
        ({"seen_at": "2026-04-22T09:00:00"}, "seen_at is wrong"),
    ],
)
def test_no_report(change, says):
    with pytest.raises(BadInput, match=says):
        read(report.Reports(load_classifier().read), {**REPORT, **change})
