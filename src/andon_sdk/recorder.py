"""The recorder: what a process uses to record what its model decides."""

import functools
import inspect
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, ParamSpec, Self, TypeVar

from andon_sdk import wire
from andon_sdk.audit import Audited, Auditor
from andon_sdk.decision import Decision
from andon_sdk.errors import SpoolFull, Unsafe
from andon_sdk.receipts import Receipts
from andon_sdk.sender import Sender
from andon_sdk.spool import Spool, folders_in
from andon_sdk.transport import Transport

LOGGER = logging.getLogger("andon_sdk")
SPOOL_BYTES_MAX = 256 << 20
P = ParamSpec("P")
T = TypeVar("T")


class Recorder:
    """Takes events and sends them in the background; each is in a file before the call returns.

    Args:
        server, token: where to; by default ANDON_SERVER and ANDON_TOKEN.
        spool: a folder for events that wait (default: ~/.local/state/andon/spool).
        spool_bytes_max: so much may wait; then a call waits `block_seconds` and does as `when_full` says.
        when_full: "raise" SpoolFull, or "drop" the event and count it in `dropped`.
        linger_seconds: how long a batch gathers.
        sync: whether each event shall outlive a power cut too (one fdatasync each).
        audit_seconds: how often a sample of what was sent is checked against the log; None: only `audit()`.
    """

    def __init__(  # noqa: PLR0913  # settings, by name
        self,
        server: str | None = None,
        token: str | None = None,
        spool: str | os.PathLike[str] | None = None,
        *,
        spool_bytes_max: int = SPOOL_BYTES_MAX,
        block_seconds: float = 1.0,
        when_full: Literal["raise", "drop"] = "raise",
        linger_seconds: float = 0.05,
        sync: bool = False,
        audit_seconds: float | None = 3_600.0,
    ) -> None:
        self._server = server or os.environ.get("ANDON_SERVER", "")
        self._token = token or os.environ.get("ANDON_TOKEN", "")
        self._root = Path(spool) if spool else Path.home() / ".local" / "state" / "andon" / "spool"
        self._bytes_max, self._block_seconds, self._when_full = spool_bytes_max, block_seconds, when_full
        self._linger_seconds, self._sync, self._audit_seconds = linger_seconds, sync, audit_seconds
        self.dropped = 0
        self.audited: Audited | None = None
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Events

    def prediction(self, model_id: str, **fields: Any) -> str:
        """Record what a model answered; returns its id, which outcomes and reviews name.

        Fields: id, ts, model_version, subject, inputs, output, prediction, score, latency_ms, status_code, flags,
        prompt_version, segments.
        """
        return self._record("prediction", {"model_id": model_id, **fields})

    def outcome(self, model_id: str, prediction_id: str, label: Any, **fields: Any) -> str:
        """Record what turned out to be true of a prediction."""
        return self._record("outcome", {"model_id": model_id, "id": prediction_id, "label": label, **fields})

    def review(self, model_id: str, prediction_id: str, reviewer: str, decision: Any, **fields: Any) -> str:
        """Record a person's look at a prediction; fields: override, decide_seconds."""
        return self._record(
            "review", {"model_id": model_id, "id": prediction_id, "reviewer": reviewer, "decision": decision, **fields}
        )

    def step(self, model_id: str, prediction_id: str, name: str, **fields: Any) -> str:
        """Record a step on the way to a prediction; fields: trace, input, output."""
        return self._record(
            "step", {"model_id": model_id, "id": prediction_id, "trace": prediction_id, "name": name, **fields}
        )

    @contextmanager
    def decision(self, model_id: str, **fields: Any) -> Iterator[Decision]:
        """Record what happens inside a `with`: set `prediction`, `score` and others on what it gives.

        The latency is measured; an exception is recorded as status_code "error" with its kind as a flag, and goes on.
        """
        made = Decision(self.step, model_id, dict(fields))
        begun = time.perf_counter()
        try:
            with ExitStack() as ending:
                ending.push(made.ended)
                yield made
        finally:
            made.fields.setdefault("latency_ms", round((time.perf_counter() - begun) * 1000, 3))
            self.prediction(model_id, **made.fields)

    def watch(self, model_id: str, **fields: Any) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """A decorator: each call of the function is a prediction; arguments are its inputs, the result its prediction.

        A result that is no text, number, boolean or None is recorded as `output`. Functions may be `async`.
        """

        def decorate(function: Callable[P, T]) -> Callable[P, T]:
            signature = inspect.signature(function)

            def started(*args: Any, **kwargs: Any) -> dict[str, Any]:
                bound = signature.bind(*args, **kwargs)
                bound.apply_defaults()
                return {**fields, "inputs": {name: value for name, value in bound.arguments.items() if name != "self"}}

            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def waited(*args: Any, **kwargs: Any) -> Any:
                    with self.decision(model_id, **started(*args, **kwargs)) as made:
                        return made.answered(await function(*args, **kwargs))

                return waited  # type: ignore[return-value]  # a coroutine function stays one

            @functools.wraps(function)
            def called(*args: P.args, **kwargs: P.kwargs) -> T:
                with self.decision(model_id, **started(*args, **kwargs)) as made:
                    result = function(*args, **kwargs)
                    made.answered(result)
                    return result

            return called

        return decorate

    # State

    @property
    def trouble(self) -> str | None:
        """Why events are not sent now; None when all is well."""
        return self._sender.trouble

    @property
    def waiting(self) -> int:
        """How many events the server does not have yet."""
        return self._spool.next - self._spool.acked

    @property
    def folder(self) -> Path:
        """Of this process's spool; `rejected.ndjson` in it has what the server refused, with the reason."""
        return self._spool.folder

    def flush(self, seconds: float = 30.0) -> bool:
        """Wait until the server has all events on its disk; whether it has."""
        return self._spool.wait_until_sent(self._spool.next, seconds)

    def audit(self) -> Audited:
        """Check a sample of what was sent against the log, and that the log only grew."""
        transport = Transport(self._server, self._token)
        try:
            self.audited = Auditor(self._root, transport).audit(self._receipts)
        finally:
            transport.close()
        for failure in self.audited.failures:
            LOGGER.error("the evidence at %s is not what it acknowledged: %s", self._server, failure)
        return self.audited

    def close(self, seconds: float = 5.0) -> None:
        """Send what waits, for so long; the rest stays in the spool for the next process."""
        if self._ended.is_set():
            return
        self.flush(seconds)
        self._ended.set()
        self._spool.wake()
        self._thread.join()
        self._transport.close()
        self._spool.close()

    # Within

    def _start(self) -> None:
        self._pid = os.getpid()
        self._transport = Transport(self._server, self._token)
        self._receipts = Receipts(self._root)
        self._spool = _own_spool(self._root, self._bytes_max, sync=self._sync)
        self._sender = Sender(self._spool, self._transport, self._receipts)
        self._ended = threading.Event()
        self._audit_at = time.monotonic() + (self._audit_seconds or 0.0)
        self._thread = threading.Thread(target=self._work, name="andon-sender", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        self._send_left()
        self._sender.run(self._ended, self._idle, self._linger_seconds)

    def _send_left(self) -> None:
        """Send what processes that are gone left in their spools."""
        for folder in folders_in(self._root):
            try:
                left = Spool(folder, self._bytes_max)
            except Unsafe:  # its process lives
                continue
            Sender(left, self._transport, self._receipts).drain(self._ended)
            left.close()

    def _idle(self) -> None:
        if self._audit_seconds is not None and time.monotonic() >= self._audit_at:
            self._audit_at = time.monotonic() + self._audit_seconds
            self.audit()

    def _record(self, kind: str, fields: Mapping[str, Any]) -> str:
        if os.getpid() != self._pid:  # forked: the child has a spool of its own
            self._start()
        made = wire.event(kind, fields)
        try:
            self._spool.append(wire.encode(made), self._block_seconds)
        except SpoolFull:
            if self._when_full == "raise":
                raise
            self.dropped += 1
        return str(made["id"])


def _own_spool(root: Path, bytes_max: int, *, sync: bool) -> Spool:
    """The spool of a process that is gone, else a new one."""
    for folder in folders_in(root):
        try:
            return Spool(folder, bytes_max, sync=sync)
        except Unsafe:
            continue
    return Spool(root / f"prod_{uuid.uuid4().hex}", bytes_max, sync=sync)
