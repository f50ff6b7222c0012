"""Numbers, times and slices in the words of a person. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from andon.base import share as shares
from andon.base.interval import Interval
from andon.base.visible import visible
from andon.incident.scan import Scan

PRIORITY_MARKS: Final = {"P0": "●●●", "P1": "●●○", "P2": "●○○", "P3": "○○○"}
EQUALS: Final = re.compile(r"""\(?\s*"?(?P<column>[^\s"=()]+)"?\s*=\s*'(?P<value>(?:[^']|'')*)'\s*\)?""")
UNITS: Final = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
HELD: Final = "\ue000"
"""A space at which no line breaks. Rich breaks at every white space, so this letter stands in for it until printing."""


def plain(text: str) -> str:
    """Text from a log made safe to show: what does not print (escape codes, hidden letters) is written out."""
    return visible(text)


def named(model_id: str) -> str:
    """What to call a model, of which the name may be empty or blank."""
    return model_id if model_id.strip() else repr(model_id)


def moment(at: datetime, zone: tzinfo) -> str:
    """`7 May 2001, 04:00 UTC`: the zone of that date is named."""
    local = at.astimezone(zone)
    return f"{_day(local)}, {local:%H:%M}{HELD}{local.tzname()}"


def span(interval: Interval, zone: tzinfo) -> str:
    """From and to; day, year and zone named once where they are the same."""
    start, end = interval.start.astimezone(zone), interval.end.astimezone(zone)
    same_zone = start.tzname() == end.tzname()
    if same_zone and start.date() == end.date():
        return f"{_day(start)}, {start:%H:%M} to {end:%H:%M}{HELD}{end.tzname()}"
    first = f"{_day(start, year=start.year != end.year)}, {start:%H:%M}"
    named = first if same_zone else f"{first}{HELD}{start.tzname()}"
    return f"{named} to {moment(end, zone)}"


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def length(span: timedelta) -> str:
    """The two largest units: `1 d 8 h`, `12 h`, `45 s`."""
    seconds = round(span.total_seconds())
    parts = []
    for unit, size in UNITS:
        count, seconds = divmod(seconds, size)
        parts.append((count, unit))
    first = next((i for i, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [f"{count}{HELD}{unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(shown) or f"0{HELD}s"


def number(value: float) -> str:
    """Three significant digits; whole thousands with a comma."""
    if value != value:  # noqa: PLR0124  # not a number
        return "not known"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004


def percent(share: float) -> str:
    """A share as a percentage: `12.3%`, `0.04%`."""
    return shares.percent(share)


def wrong(found: shares.Share) -> str:
    """`170 of the 988 decisions with a label (17.2%)`."""
    of = of_things(found.of, "decision", "decisions")
    return f"{found.hits:,} of the {of} with a label ({percent(found.value or 0)})"


def of_things(count: int, one: str, many: str) -> str:
    """`1 decision`, `1,159 decisions`."""
    return f"{count:,} {one if count == 1 else many}"


def judged(*scans: Scan) -> str:
    """How many decisions scans judged: `61,192 decisions`, `22,933 judged decisions` where the log holds more."""
    which = "" if all(scan.is_of_whole_log for scan in scans) else "judged "
    return of_things(sum(scan.rows for scan in scans), f"{which}decision", f"{which}decisions")


def where(predicate: str) -> str:
    """A slice in words where its predicate is plain equalities, else the predicate itself."""
    words = []
    for part in re.split(r"\s+AND\s+", predicate, flags=re.IGNORECASE):
        match = EQUALS.fullmatch(part.strip())
        if match is None:
            return plain(predicate)
        value = match["value"].replace("''", "'")
        words.append(f"{plain(match['column'])} is {plain(value)}")
    return " and ".join(words)


def _day(local: datetime, *, year: bool = True) -> str:
    return f"{local.day}{HELD}{local:%b}{HELD}{local.year}" if year else f"{local.day}{HELD}{local:%b}"
