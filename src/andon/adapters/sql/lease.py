"""The lease that names the one follower: fenced by an epoch that grows with every new holder."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, bindparam, case, select, update

from andon.adapters.sql.engine import reading, writing
from andon.adapters.sql.tables import LEASE
from andon.base.interval import MICROSECOND, to_us

NAME = "journal"

# Made once: to make a statement costs more than to carry it out.
HELD = select(LEASE).where(LEASE.c.name == NAME)
INTEGRATED = select(LEASE.c.integrated).where(LEASE.c.name == NAME)
_MINE = (LEASE.c.name == NAME) & (LEASE.c.epoch == bindparam("held")) & (LEASE.c.holder == bindparam("by"))
NOTED = update(LEASE).where(_MINE).values(integrated=bindparam("seq"))


@dataclass(frozen=True, slots=True)
class SqlLease:
    """One process's hand on the lease.

    Attributes:
        engine: the database.
        holder: a name of this process, never used again.
        length: how long a lease lasts without renewal.
    """

    engine: Engine
    holder: str
    length: timedelta

    def claim(self, now: datetime) -> int | None:
        """The epoch while this process holds the lease; None while another does. Renewed from half its length on."""
        with reading(self.engine) as connection:
            row = connection.execute(HELD).mappings().one()
        is_mine = row["holder"] == self.holder
        if is_mine and row["expires_us"] - to_us(now) > self.length // MICROSECOND // 2:
            return int(row["epoch"])
        if not is_mine and row["expires_us"] > to_us(now):
            return None
        return self._take(now)

    def _take(self, now: datetime) -> int | None:
        may = (LEASE.c.name == NAME) & ((LEASE.c.holder == self.holder) | (LEASE.c.expires_us <= to_us(now)))
        epoch = case((LEASE.c.holder == self.holder, LEASE.c.epoch), else_=LEASE.c.epoch + 1)
        values = {"holder": self.holder, "epoch": epoch, "expires_us": to_us(now + self.length)}
        with writing(self.engine) as connection:
            taken = connection.execute(update(LEASE).where(may).values(values).returning(LEASE.c.epoch)).scalar()
        return None if taken is None else int(taken)

    def is_held(self, epoch: int) -> bool:
        """Whether nobody took it since."""
        with reading(self.engine) as connection:
            row = connection.execute(HELD).mappings().one()
        return bool(row["holder"] == self.holder and row["epoch"] == epoch)

    def note(self, epoch: int, seq: int) -> None:
        """Tell others how far the ledger is; a holder that was replaced tells nothing.

        It need not outlive the machine: whoever follows next reads the ledger itself, and tells anew.
        """
        with writing(self.engine, outlives=False) as connection:
            connection.execute(NOTED, {"held": epoch, "by": self.holder, "seq": seq})

    def let_go(self, epoch: int) -> None:
        """End the lease now, so that the next process need not wait."""
        mine = (LEASE.c.name == NAME) & (LEASE.c.epoch == epoch) & (LEASE.c.holder == self.holder)
        with writing(self.engine) as connection:
            connection.execute(update(LEASE).where(mine).values(expires_us=0))


def integrated(engine: Engine) -> int:
    """How many journal entries the ledger holds, as the follower said last."""
    with reading(engine) as connection:
        return int(connection.execute(INTEGRATED).scalar_one())
