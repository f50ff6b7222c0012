"""What the page's template is given: pictures, tables and lines of text. Texts are plain; only pictures are markup."""

from dataclasses import dataclass

from markupsafe import Markup

Key = tuple[str, str]
"""An entry of a picture's key: how it is drawn, and its words."""


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers as a table: the first entry of a row names it."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    strong: tuple[str, ...] = ()
    """Last entries that are set in bold."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its title, key, caption, and the same numbers as a table."""

    svg: Markup
    title: str = ""
    keys: tuple[Key, ...] = ()
    caption: str = ""
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row: label, picture, `strong` figure and another beside it; `group` opens a group of rows."""

    label: str
    svg: Markup
    figure: str
    strong: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table whose rows hold small pictures."""

    title: str
    caption: str
    head: str
    figure: str
    rows: tuple[Row, ...]
    keys: tuple[Key, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """What moved (or what was compared): pictures, the table of columns, categories."""

    note: str
    keys: tuple[Key, ...]
    first: tuple[Picture, ...]
    others: tuple[Picture, ...]
    columns: Table | None
    values: tuple[Rows, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One of the four figures at the top."""

    label: str
    figure: str
    lines: tuple[str, ...]
    priority: str = ""


@dataclass(frozen=True, slots=True)
class ShownChange:
    """An entry of the change log under its letter."""

    letter: str
    at: str
    kind: str
    what: str
    gap: str = ""
    fits: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next, and how; `command` says that `how` is a command of Andon's."""

    what: str
    how: str = ""
    command: bool = False


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding in words and figures."""

    what: str
    shares: str
    figures: str
    entries: str


@dataclass(frozen=True, slots=True)
class ShownIncident:
    """One incident as the page tells it."""

    priority: str
    count: str
    eyebrow: str
    title: str
    lede: str
    cells: tuple[Cell, ...]
    unknown: str
    when_note: str
    courses: tuple[Picture, ...]
    fired: str
    spread: Spread | None
    contrast: Rows | None
    by_value: Rows | None
    reached: Rows
    predicate: str
    changes: tuple[ShownChange, ...]
    changes_note: str
    steps: tuple[Step, ...]
    evidence_note: str
    evidence: tuple[ShownFinding, ...]
    evidence_more: str


@dataclass(frozen=True, slots=True)
class ShownQuiet:
    """A log in which nothing was found."""

    is_calm: bool
    eyebrow: str
    title: str
    lede: str
    cells: tuple[Cell, ...]
    when_note: str
    courses: tuple[Picture, ...]
    spread: Spread | None
    looked_for: tuple[tuple[str, str], ...]
    not_judged: tuple[str, ...]
    changes: tuple[ShownChange, ...]
    steps: tuple[Step, ...]
