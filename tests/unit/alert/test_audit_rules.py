"""The rules over Andon's own audit log."""

from datetime import UTC, datetime, timedelta

import pytest

from andon.alert.audit_rules import DENIED_MAX, QUIET, STRANGERS_MAX, WITHIN, Denials, raised_exports

AT = datetime(2026, 3, 1, tzinfo=UTC)
ROLES = {"compliance", "admin"}


@pytest.mark.parametrize("many", [DENIED_MAX, STRANGERS_MAX])
def test_a_burst_is_told_once_an_hour(many):
    denials = Denials()

    def note(count, at):
        return [found for _ in range(count) if (found := denials.note("tok_1", at, many))]

    assert note(many - 1, AT) == []
    [found] = note(1, AT)
    assert (found["rule"], found["subject"]) == ("DeniedBurst", "tok_1")
    assert note(3 * many, AT + QUIET / 2) == []
    assert len(note(many, AT + QUIET)) == 1


def test_refusals_far_apart_are_no_burst():
    denials = Denials()
    for number in range(5 * DENIED_MAX):
        assert denials.note("tok_1", AT + number * WITHIN / (DENIED_MAX - 2)) is None


def row(number, name, role, hours=0):
    return {"id": f"tok_{number}", "name": name, "role": role, "created_at": (AT + timedelta(hours=hours)).isoformat()}


@pytest.mark.parametrize(
    ("tokens", "hours", "is_told"),
    [
        ([row(0, "eve", "viewer"), row(1, "eve", "compliance", 1)], 2, True),
        ([row(0, "eve", "viewer"), row(1, "eve", "compliance", 1)], 26, False),  # a day later
        ([row(1, "eve", "compliance", 1)], 2, False),  # never less
        ([row(0, "ann", "viewer"), row(1, "eve", "compliance", 1)], 2, False),  # somebody else
        ([row(0, "eve", "admin"), row(1, "eve", "compliance", 1)], 2, False),  # could before
    ],
)
def test_an_export_soon_after_its_holder_rose_is_told(tokens, hours, is_told):
    export = {
        "id": "x",
        "seal_id": "seal_1",
        "actor": "tok_1",
        "exported_at": (AT + timedelta(hours=hours)).isoformat(),
    }
    assert bool(raised_exports(tokens, [export], ROLES)) is is_told
