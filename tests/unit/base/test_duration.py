"""Lengths of time as people write them."""

from datetime import timedelta

import pytest

from andon.base.duration import parse_duration
from andon.base.errors import BadInput


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30min", timedelta(minutes=30)),
        ("6h", timedelta(hours=6)),
        (" 1 D ", timedelta(days=1)),
        ("2w", timedelta(weeks=2)),
        ("90s", timedelta(seconds=90)),
    ],
)
def test_lengths(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "6", "h", "0h", "-1h", "1.5h", "6 apples", "9" * 20 + "w"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(BadInput, match="write a"):
        parse_duration(text)
