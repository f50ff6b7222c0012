"""Where alerts belong, and what holds them back."""

from datetime import UTC, datetime, timedelta

import pytest

from andon.alert.alert import Alert
from andon.alert.matcher import parse
from andon.alert.place import AlertMap, Place, Silence, hold_of, place_of
from andon.base.errors import BadInput

AT = datetime(2026, 3, 1, tzinfo=UTC)
TYPES = ("model_drift", "harmful_output")


def place(maps=(), **labels):
    return place_of(Alert("datadog", "f", "t", AT, labels=labels), maps, TYPES)


def test_labels_say_where_an_alert_belongs():
    found = place(model_id="loans", incident_type="model_drift", env="staging", severity="warning", model_version="v2")
    assert found == Place("loans", "model_drift", "staging", "medium", "v2")
    assert found.key == ("staging", "loans", "model_drift")


@pytest.mark.parametrize("said", ["prod", "PRD", "Production", "production", "", " "])
def test_production_is_one_environment_whatever_its_source_calls_it(said):
    assert place(model_id="loans", env=said).environment == "production"
    assert place(model_id="loans", environment=said or "staging").environment == ("production" if said else "staging")


def test_a_silence_matches_the_name_that_the_source_has_for_an_environment():
    alert = Alert("datadog", "f", "t", AT, labels={"model_id": "loans", "environment": "prod"})
    silence = Silence("s", parse(["environment=prod"]), AT, AT + timedelta(hours=1))
    assert hold_of(alert, place_of(alert, (), TYPES), [silence], AT) == "silenced"


def test_what_is_not_said_has_a_default_or_stays_unknown():
    assert place() == Place(None, "unclassified", "production")
    assert place().key is None
    assert place(model_id="loans", incident_type="made_up").key == ("production", "loans", "unclassified")
    assert place(model_id="two\nlines").key is None


@pytest.mark.parametrize(
    ("said", "means"),
    [("critical", "critical"), ("error", "high"), ("P2", "high"), ("info", "low"), ("weird", None), ("", None)],
)
def test_severities_of_many_sources_are_understood(said, means):
    assert place(severity=said).severity == means


def test_maps_fill_what_labels_leave_open_and_never_overrule_them():
    maps = (
        AlertMap("map_1", parse(["job=scoring"]), "loans", "model_drift"),
        AlertMap("map_2", parse(["job=scoring"]), "other", "harmful_output", "staging"),
    )
    assert place(maps, job="scoring").key == ("staging", "loans", "model_drift")
    assert place(maps, job="scoring", model_id="own").key == ("staging", "own", "model_drift")
    assert place(maps, job="else").key is None


def test_silences_and_missing_models_hold_an_alert_back():
    alert = Alert("datadog", "f", "t", AT, labels={"job": "scoring"})
    silence = Silence("s", parse(["job=scoring", "model_id=loans"]), AT, AT + timedelta(hours=1))
    nowhere, loans = Place(None, "unclassified"), Place("loans", "model_drift")
    assert hold_of(alert, nowhere, (silence,), AT) == "unmapped"
    assert hold_of(alert, loans, (silence,), AT) == "silenced"
    assert hold_of(alert, loans, (silence,), AT + timedelta(hours=1)) is None
    assert hold_of(alert, loans, (), AT) is None
    assert parse(["source=datadog", "missing="]).match({"source": "datadog"})


@pytest.mark.parametrize("texts", [[], ["x"], ["=y"], ["a!=b"], ["a=~b.*"], ["a=b\nc"]])
def test_what_matches_nothing_is_refused(texts):
    with pytest.raises(BadInput, match="LABEL=VALUE"):
        parse(texts)
