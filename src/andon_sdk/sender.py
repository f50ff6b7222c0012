"""Sends a spool to the server: in order, a batch at a time, each line once, whatever breaks."""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from andon_sdk.receipts import Receipts
from andon_sdk.spool import Lines, Spool
from andon_sdk.transport import Answer, Away, Transport

LINES_MAX = 1_000
BYTES_MAX = 4 << 20
WAIT_SECONDS_MAX = 30.0
PATH = "/api/v1/events"
CONTENT_TYPE = "application/x-ndjson"


@dataclass(frozen=True)
class Sent:
    """One try: whether something went forward, how long to wait before the next, and what is the matter."""

    is_forward: bool
    retry_seconds: float = 0.0
    trouble: str | None = None


class Sender:
    """Sends from one thread; `trouble` says why nothing goes forward, if so."""

    def __init__(self, spool: Spool, transport: Transport, receipts: Receipts) -> None:
        self._spool, self._transport, self._receipts = spool, transport, receipts
        self._lines_max = LINES_MAX
        self.trouble: str | None = None

    def run(self, ended: threading.Event, idle: Callable[[], None], linger_seconds: float) -> None:
        """Send until the end; `idle` is called when nothing waits."""
        tries = 0
        while not ended.is_set():
            if not self._spool.wait(1.0):
                idle()
                continue
            ended.wait(linger_seconds)  # so that a batch gathers
            tries = self._rest(self.step(), tries, ended)

    def drain(self, ended: threading.Event) -> None:
        """Send what is left, as long as it goes forward."""
        while self._spool.acked < self._spool.next and not ended.is_set():
            if not self.step().is_forward:
                return

    def step(self) -> Sent:
        """Send one batch."""
        lines = self._spool.take(self._lines_max, BYTES_MAX)
        if not any(lines.lines):
            self._spool.done(lines)
            return Sent(is_forward=True)
        place = {"Andon-Epoch": str(self._spool.epoch), "Andon-First": str(self._spool.first_of(lines))}
        headers = {"Content-Type": CONTENT_TYPE, "Andon-Producer": self._spool.producer, **place}
        try:
            answer = self._transport.ask("POST", PATH, b"\n".join(lines.lines) + b"\n", headers)
        except Away as away:
            return self._noted(Sent(is_forward=False, trouble=str(away)))
        return self._noted(self._heard(answer, lines))

    def _heard(self, answer: Answer, lines: Lines) -> Sent:
        if answer.status == 200:  # noqa: PLR2004
            self._receipts.keep(lines, answer.document)
            self._spool.done(lines)
            self._lines_max = min(LINES_MAX, self._lines_max * 2)
            return Sent(is_forward=True)
        if answer.status == 409:  # noqa: PLR2004
            self._spool.new_epoch()
            return Sent(is_forward=True, trouble=answer.detail)
        if answer.status in (413, 422):
            return self._refused(answer, lines)
        return Sent(is_forward=False, retry_seconds=answer.retry_seconds, trouble=f"{answer.status}: {answer.detail}")

    def _refused(self, answer: Answer, lines: Lines) -> Sent:
        """Put the lines that the server names aside; where it names none, find them by sending fewer at once."""
        named: Sequence[dict[str, object]] = answer.document.get("lines") or ()
        for each in named:
            place = int(str(each["line"])) - 1
            self._spool.reject(lines.first + place, lines.lines[place], str(each["reason"]))
        if not named and len(lines.lines) == 1:
            self._spool.reject(lines.first, lines.lines[0], answer.detail)
        elif not named:
            self._lines_max = max(1, len(lines.lines) // 2)
        return Sent(is_forward=True)

    def _noted(self, sent: Sent) -> Sent:
        self.trouble = None if sent.is_forward else sent.trouble
        return sent

    def _rest(self, sent: Sent, tries: int, ended: threading.Event) -> int:
        """Wait longer after each failure, by chance so that many clients do not come back at once."""
        if sent.is_forward:
            return 0
        longest = min(WAIT_SECONDS_MAX, 0.1 * 2**tries)
        ended.wait(max(sent.retry_seconds, random.uniform(longest / 2, longest)))  # noqa: S311  # no secret
        return min(tries + 1, 10)
