"""Numbers, times and slices in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from andon.base.interval import Interval
from andon.interfaces.cli import words

BERLIN = ZoneInfo("Europe/Berlin")


def spaced(text):
    return text.replace(words.HELD, " ")


@pytest.mark.parametrize(
    ("predicate", "said"),
    [
        ("dest_region = 'Mountain'", "dest_region is Mountain"),
        ("(age_band = '50+') AND (channel = 'mobile')", "age_band is 50+ and channel is mobile"),
        ("\"a b\" = 'it''s'", "\"a b\" = 'it''s'"),
        ("\"region\" = 'it''s'", "region is it's"),
        ("tokens >= 3000", "tokens >= 3000"),
        ("a = '\x1b[31mred'", "a is \\x1b[31mred"),
    ],
)
def test_slices(predicate, said):
    assert words.where(predicate) == said


def test_control_characters_never_reach_the_terminal():
    assert words.plain("a\x1b[2Jb\u202ec\nd") == "a\\x1b[2Jb\\u202ec\\nd"


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(hours=32), "1 d 8 h"),
        (timedelta(hours=12), "12 h"),
        (timedelta(seconds=45), "45 s"),
        (timedelta(0), "0 s"),
        (timedelta(days=2, minutes=5), "2 d"),
    ],
)
def test_lengths(length, said):
    assert spaced(words.length(length)) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0189403, "1.89%"), (1, "100%"), (0, "0%"), (0.00001, "under 0.01%"), (float("nan"), "not known")],
)
def test_percentages(share, said):
    assert spaced(words.percent(share)) == said


@pytest.mark.parametrize(("value", "said"), [(1234.5, "1,234"), (0.123456, "0.123"), (float("nan"), "not known")])
def test_numbers(value, said):
    assert words.number(value) == said


def test_times_name_the_zone_of_their_date():
    march, may = datetime(2026, 3, 1, 5, tzinfo=UTC), datetime(2026, 5, 1, 5, tzinfo=UTC)
    assert spaced(words.moment(march, BERLIN)) == "1 Mar 2026, 06:00 CET"
    assert spaced(words.span(Interval(march, may), BERLIN)) == "1 Mar, 06:00 CET to 1 May 2026, 07:00 CEST"
    assert spaced(words.span(Interval(march, may), UTC)) == "1 Mar, 05:00 to 1 May 2026, 05:00 UTC"
