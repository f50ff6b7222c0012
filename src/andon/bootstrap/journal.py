"""The journal of a data folder: its database, its keys, its log, and who follows it."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from andon.adapters.keyring import Keyring
from andon.adapters.sql.journal import SqlJournal
from andon.adapters.sql.lease import SqlLease
from andon.alert import tables
from andon.bootstrap.database import open_database
from andon.bootstrap.logs import JOURNAL
from andon.bootstrap.packs import load_permissions
from andon.bootstrap.settings import database_of
from andon.bootstrap.signing import signer_of
from andon.evidence import custody
from andon.incident import endings, fold, fold_work
from andon.inventory import register
from andon.people import token
from andon.services.access import Access
from andon.services.follow import Follow

if TYPE_CHECKING:
    from andon.adapters.segments.log import SegmentLog

FOLDS: Final = {
    **token.FOLDS,
    **custody.FOLDS,
    **fold.FOLDS,
    **fold_work.FOLDS,
    **endings.FOLDS,
    **tables.FOLDS,
    **register.FOLDS,
}
LEASE: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class OpenJournal:
    """A journal and its follower."""

    journal: SqlJournal
    follow: Follow
    keys: Keyring

    def access(self, actor: str = "local") -> Access:
        """The service of tokens."""
        return Access(self.journal, load_permissions(), now, secrets.token_bytes, actor)


@contextmanager
def open_journal(
    data: Path,
    database: str | None = None,
    nudge: Callable[[], None] | None = None,
    hurry: Callable[[], None] | None = None,
    *,
    follows: bool = True,
) -> Iterator[OpenJournal]:
    """The journal of a data folder.

    Args:
        data: the folder.
        database: URL of its database; None: as `database_of` finds it.
        nudge: called after each command; None: the entry is followed up at once, as no server does it.
        hurry: called when somebody waits for the follower; None: as `nudge`.
        follows: whether a command is followed up; else only its row is written.
    """
    engine = open_database(data, database or database_of(data))
    opened: list[OpenJournal] = []

    def here() -> None:
        if follows:
            opened[0].follow.step(now())

    keys = Keyring(data / "keys.db")
    journal = SqlJournal(engine, keys, FOLDS, now, secrets.token_bytes, nudge or here, hurry or here)
    follow = Follow(journal, SqlLease(engine, secrets.token_hex(8), LEASE), JournalLog(data))
    opened.append(OpenJournal(journal, follow, keys))
    try:
        yield opened[0]
    finally:
        follow.leave()
        engine.dispose()
        keys.close()


class JournalLog:
    """Opens the journal's log, each time for a batch; what it knows of the log stays while nobody else was there."""

    def __init__(self, data: Path) -> None:
        """Take the data folder."""
        self._folder = data / "ledger"
        self._kept: SegmentLog | None = None

    @contextmanager
    def __call__(self) -> "Iterator[SegmentLog]":
        """The log; closed at the end."""
        from andon.adapters.segments.log import SegmentLog  # noqa: PLC0415  # who follows nothing needs no columns

        kept, self._kept = self._kept, None
        if kept is None or not kept.reopen():
            kept = SegmentLog(self._folder / JOURNAL, signer_of(self._folder, JOURNAL), now)
        with kept as log:
            yield log
        self._kept = kept


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)
