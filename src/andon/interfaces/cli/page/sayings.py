"""The page's way with words: what the text of a scan says, held to lengths that a page can bear."""

from datetime import datetime, tzinfo
from typing import Final

from andon.base.share import Share
from andon.chart.markup import shortened
from andon.interfaces.cli import words

NAME_MAX: Final = 60
SENTENCE_MAX: Final = 240
"""What a finding says wraps over lines, and its end decides."""
TEXT_MAX: Final = 600
NOTHING: Final = "no rows"


def name(text: str) -> str:
    """A column, value or measure in a heading or a table."""
    return shortened(text, NAME_MAX)


def measure(what: str) -> str:
    """What a finding or a picture measures, in a place that wraps."""
    return shortened(what, SENTENCE_MAX)


def text(sentence: str) -> str:
    """A sentence that may hold names from the log."""
    return shortened(sentence, TEXT_MAX)


def part(predicate: str | None) -> str:
    """The affected part of the traffic in a few words."""
    return "all of the traffic" if predicate is None else name(words.where(predicate))


def where(predicate: str) -> str:
    """The same at the end of a sentence that wraps."""
    return f" where {shortened(words.where(predicate), SENTENCE_MAX)}"


def day(at: datetime, zone: tzinfo) -> str:
    """`7 May 2001`."""
    local = at.astimezone(zone)
    return f"{local.day}{words.HELD}{local:%b}{words.HELD}{local.year}"


def clock(at: datetime, zone: tzinfo) -> str:
    """`04:00 UTC`."""
    local = at.astimezone(zone)
    return f"{local:%H:%M}{words.HELD}{local.tzname()}"


def share(of: Share) -> str:
    """A share in per cent; words where there are no rows."""
    return NOTHING if of.value is None else words.percent(of.value)


def share_of(of: Share) -> str:
    """A share with its denominator."""
    return NOTHING if of.value is None else f"{words.percent(of.value)} of {of.of:,}"


def bounds(of: Share) -> str:
    """The interval of a share."""
    return f"{words.percent(of.low)} to {words.percent(of.high)}"


def held(sentence: str) -> str:
    """A sentence for a picture, where no line breaks."""
    return sentence.replace(words.HELD, " ")
