"""Alerts are joined by identity, resolved wins, and neither order nor repetition matters."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.alert.alert import AHEAD_MAX, Alert, alert_from, checked, join, joined
from andon.alert.place import place_of
from andon.base.errors import BadInput

AT = datetime(2026, 3, 1, tzinfo=UTC)
TYPES = ("model_drift", "harmful_output")


def alert(number=0, start=0, **more):
    labels = {"alertname": f"Rule{number}", "model_id": f"m{number % 2}", "incident_type": TYPES[number % 2]}
    return Alert("alertmanager", f"f{number}", f"rule {number}", AT + timedelta(minutes=start), labels=labels, **more)


signals = st.builds(
    lambda number, start, ends, text: replace(
        alert(number, start),
        is_resolved=ends is not None,
        ends_at=None if not ends else AT + timedelta(minutes=start + ends),
        annotations={"value": text},
    ),
    st.integers(0, 4),
    st.integers(0, 2),
    st.sampled_from([None, 0, 5, 9]),
    st.sampled_from(["1", "2", "3"]),
)


def board(alerts):
    """The alerts, their states, and which key has which."""
    found = joined(alerts)
    keys = {}
    for alert_id, each in found.items():
        keys.setdefault(place_of(each, (), TYPES).key, {})[alert_id] = each.state
    return found, keys


@given(st.lists(signals, max_size=12), st.randoms(use_true_random=False), st.data())
def test_any_order_repetition_and_redelivery_give_the_same_alerts_states_and_incidents(sent, rng, data):
    again = data.draw(st.lists(st.sampled_from(sent), max_size=8)) if sent else []
    shuffled = [*sent, *again]
    rng.shuffle(shuffled)
    assert board(shuffled) == board(sent)


@given(signals, signals, signals)
def test_the_join_is_a_maximum(a, b, c):
    same = [replace(each, fingerprint="f", starts_at=AT) for each in (a, b, c)]
    assert join(*same[:2]) == join(same[1], same[0])
    assert join(join(*same[:2]), same[2]) == join(same[0], join(*same[1:]))
    assert join(same[0], same[0]) == same[0]
    assert join(*same[:2]).is_resolved == (same[0].is_resolved or same[1].is_resolved)


@given(signals)
def test_a_document_gives_the_alert_again(each):
    assert alert_from(each.document()) == each


def test_identity_is_source_fingerprint_and_start():
    one = alert()
    assert replace(one, labels={}, title="other", is_resolved=True).id == one.id
    others = {replace(one, source="x").id, replace(one, fingerprint="x").id, alert(start=1).id}
    assert len({one.id, *others}) == 4


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"fingerprint": ""}, "no fingerprint"),
        ({"fingerprint": "a\nb"}, "no fingerprint"),
        ({"labels": {f"l{n}": "x" for n in range(101)}}, "over 100 labels"),
        ({"labels": {"": "x"}}, "name is empty"),
        ({"starts_at": AT + AHEAD_MAX + timedelta(seconds=1)}, "set the clock"),
        ({"starts_at": datetime(1970, 1, 21, tzinfo=UTC)}, "before 2000"),
    ],
)
def test_what_is_no_alert_is_refused_with_the_mend(change, says):
    with pytest.raises(BadInput, match=says):
        checked(replace(alert(), **change), AT)


def test_what_could_do_harm_is_made_harmless():
    hostile = Alert("s", "f", "a\x1b[31m\u202eb\n" + "x" * 900, AT, url="javascript:alert(1)", labels={"a": "b\x00c"})
    tame = checked(hostile, AT)
    assert tame.title.isprintable()
    assert len(tame.title) == 500
    assert (tame.url, tame.labels) == ("", {"a": "b c"})
    assert checked(replace(alert(), url="https://grafana.example/d/1"), AT).url == "https://grafana.example/d/1"
