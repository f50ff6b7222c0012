"""Vitals count predictions by model and version, their flags and their confidence."""

import json

import pytest

from andon.telemetry.event import parse_events
from andon.telemetry.vitals import Vitals, vitals_of


def lines(*events):
    base = {"id": "p", "ts": "2026-03-01T00:00:00Z", "model_id": "m"}
    return [json.dumps(base | each).encode() for each in events]


def test_predictions_are_counted_by_model_and_version_with_their_flags():
    events = [
        {},
        {"model_version": "v2", "flags": ["invalid_output", "odd"]},
        {"model_version": "v2", "flags": ["policy_violation", "anomalous_input", "policy_violation"]},
        {"kind": "outcome", "label": 1},
    ]
    found = vitals_of(parse_events(lines(*events)))
    assert found.keys() == {("m", ""), ("m", "v2")}
    second = found[("m", "v2")]
    assert (second.predictions, second.invalid, second.violations, second.anomalous) == (2, 1, 1, 1)


@pytest.mark.parametrize(
    ("score", "prediction", "bucket"),
    [(0.05, 0, 9), (0.05, False, 9), (0.45, 1, 5), (0.45, "cat", 4), (0.4, "cat", 3), (0, "x", 0), (1, 1, 9)],
)
def test_confidence_is_the_greater_side_of_an_answer_between_two(score, prediction, bucket):
    [vitals] = vitals_of(parse_events(lines({"score": score, "prediction": prediction}))).values()
    assert vitals.confidence[bucket] == 1


def test_scores_that_are_no_shares_say_nothing_of_confidence():
    [vitals] = vitals_of(parse_events(lines({"score": 712.0}, {"score": None}))).values()
    assert sum(vitals.confidence) == 0


def test_vitals_add():
    one, two = Vitals(1, 1), Vitals(2, 0, 1)
    one.counted[3], two.counted[3] = 1, 2
    one.add(two)
    assert (one.predictions, one.invalid, one.violations, one.confidence[3]) == (3, 1, 1, 3)


def test_many_batches_count_as_one():
    events = parse_events(lines(*({"score": n / 7_000, "prediction": n % 3} for n in range(7_000))))
    [whole], added = vitals_of(events).values(), Vitals()
    for at in range(0, len(events), 100):
        [part] = vitals_of(events[at : at + 100]).values()
        added.add(part)
    assert added.confidence == whole.confidence
    assert added.confidence_sum == pytest.approx(whole.confidence_sum)
    assert (added.predictions, added.scores) == (7_000, [])
