"""Lengths and times of the command line."""

from datetime import UTC, datetime, timedelta

import pytest

from andon.base.errors import BadInput
from andon.interfaces.cli import options


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("6h", timedelta(hours=6)),
        ("30m", timedelta(minutes=30)),
        ("1d12h", timedelta(hours=36)),
        (" 90S ", timedelta(seconds=90)),
    ],
)
def test_lengths(text, length):
    assert options.length(text, "--every") == length


@pytest.mark.parametrize("text", ["", "6", "h", "6 hours", "-6h", "0h", "1.5h", "999999999999w"])
def test_what_is_no_length(text):
    with pytest.raises(BadInput, match="--every"):
        options.length(text, "--every")


@pytest.mark.parametrize(
    "text", ["2026-02-09T06:00:00Z", "2026-02-09T06:00:00+00:00", "2026-02-09 06:00", "2026-02-09T08:00:00+02:00"]
)
def test_times(text):
    at = options.time(text, "--now")
    assert at == datetime(2026, 2, 9, 6, tzinfo=UTC)
    assert at.tzinfo is UTC


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01"])
def test_what_is_no_time(text):
    with pytest.raises(BadInput, match="--now"):
        options.time(text, "--now")
