"""Receive: signals of every format are accepted, each by one command; what becomes of them is decided afterwards."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from andon.alert.alert import Alert, checked
from andon.alert.signal import ALERTS_MAX, Delivery, Parser, Seal
from andon.base.errors import BadInput, Conflict, Denied, NotFound
from andon.base.ids import new_id
from andon.base.nearest import nearest
from andon.inventory.register import MODELS
from andon.ledger.journal import Command, Committed, Fact, Journal

CHANNELS: Final = ("alertmanager", "pagerduty", "cloudevents", "scan", "report", "audit")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A signal that is durable: its id, how many alerts it holds, whether it had been sent before, what to answer."""

    signal_id: str
    alerts: int
    was_known: bool = False
    left_out: int = 0
    reply: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A signal that was read and may be recorded: the command that does it, and what to answer after that.

    Attributes:
        command: records it.
        sha256: of the body; the same request with another one is refused.
        alerts, left_out, reply: of the answer.
    """

    command: Command
    sha256: str
    alerts: int
    left_out: int = 0
    reply: Mapping[str, Any] = field(default_factory=dict)

    def accepted(self, done: Committed) -> Accepted:
        """The answer, once the command is done.

        Raises:
            Conflict: this request was another signal.
        """
        if done.fact.data.get("sha256") != self.sha256:
            raise Conflict(
                f"this was sent before with another content, as {done.fact.stream}: an id or an Idempotency-Key names"
                " one signal; send a new one"
            )
        return Accepted(done.fact.stream, self.alerts, done.was_done, self.left_out, self.reply)


@dataclass(frozen=True, slots=True)
class Receive:
    """Takes signals, by commands of the journal.

    Attributes:
        journal: where to.
        parsers: what reads each channel.
        mappings: what reads each source of JSON.
        now, chance: time and randomness.
        actor: who sends, as a pseudonym.
        models: the models that the sender is limited to; none: all.
        seal: holds what a scan was made from.
        is_outsider: whether the sender is somebody outside, whose word for a model need not be the name of one.
        name: gives each signal its id; None: a new one of `now` and `chance`.
    """

    journal: Journal
    parsers: Mapping[str, Parser]
    mappings: Mapping[str, Parser]
    now: Callable[[], datetime]
    chance: Callable[[int], bytes]
    actor: str = "local"
    models: Sequence[str] = ()
    seal: Seal | None = None
    is_outsider: bool = False
    name: Callable[[], str] | None = None

    def alertmanager(self, body: bytes, request: str | None = None) -> Accepted:
        """Take a webhook of Alertmanager (version 4)."""
        return self._done(self.prepare("alertmanager", body, request=request))

    def pagerduty(self, body: bytes, request: str | None = None) -> Accepted:
        """Take an event of PagerDuty's Events API v2.

        Raises:
            InvalidEvent: it is none.
        """
        return self._done(self.prepare("pagerduty", body, request=request))

    def cloudevents(self, body: bytes, headers: Mapping[str, str], request: str | None = None) -> Accepted:
        """Take a CloudEvent, or a batch; the same event again is the same signal.

        Raises:
            Conflict: another event of this source and id was taken.
        """
        return self._done(self.prepare("cloudevents", body, headers, request))

    def webhook(self, source: str, body: bytes, request: str | None = None) -> Accepted:
        """Take JSON of a source that a mapping describes.

        Raises:
            NotFound: no mapping does.
        """
        return self._done(self.prepare_mapped(source, body, request))

    def prepare(
        self, channel: str, body: bytes, headers: Mapping[str, str] | None = None, request: str | None = None
    ) -> Prepared:
        """Read what came by a channel and needs nothing of the journal, so that many may be recorded together.

        Raises:
            BadInput: it is none of that channel.
        """
        return self._prepared(channel, self.parsers[channel](body, headers or {}), body, request)

    def prepare_mapped(self, source: str, body: bytes, request: str | None = None) -> Prepared:
        """Read JSON of a source that a mapping describes.

        Raises:
            NotFound: no mapping does.
        """
        parser = self.mappings.get(source)
        if parser is None:
            near = nearest(source, self.mappings)
            meant = f"did you mean {near}?" if near else f"there are {', '.join(sorted(self.mappings))}"
            raise NotFound(
                f"no mapping describes the source {source[:60]}: {meant}; docs/signals.md shows how to write one"
            )
        return self._prepared(source, parser(body, {}), body, request)

    def report(self, body: bytes, request: str | None = None) -> Accepted:
        """Take a report in words; the answer says how it was classified."""
        delivery = self.parsers["report"](body, {})
        if self.is_outsider:
            delivery = replace(delivery, alerts=tuple(self._of_outsider(each) for each in delivery.alerts))
        return self._take("report", delivery, body, request)

    def scan(self, body: bytes, request: str | None = None) -> Accepted:
        """Take what a scan found, and hold what it was made from; the same body again is the same seal."""
        delivery = self.parsers["scan"](body, {})
        if delivery.alerts and delivery.pinned is not None and self.seal is not None:
            self._require(str(delivery.pinned.scan["model_id"]))
            seal_id = self.seal(delivery.pinned, f"pin_{sha256(body).hexdigest()[:40]}")
            named = {"seal": seal_id}
            alerts = tuple(replace(each, annotations={**each.annotations, **named}) for each in delivery.alerts)
            delivery = replace(delivery, alerts=alerts, reply={"seal_id": seal_id})
        return self._take("scan", delivery, body, request)

    def audit(self, body: bytes, request: str | None = None) -> Accepted:
        """Take what Andon's own audit log shows."""
        return self._done(self.prepare("audit", body, request=request))

    def _take(self, channel: str, delivery: Delivery, body: bytes, request: str | None) -> Accepted:
        return self._done(self._prepared(channel, delivery, body, request))

    def _done(self, prepared: Prepared) -> Accepted:
        return prepared.accepted(self.journal.commit(prepared.command))

    def _prepared(self, channel: str, delivery: Delivery, body: bytes, request: str | None) -> Prepared:
        if len(delivery.alerts) > ALERTS_MAX:
            raise BadInput(f"{len(delivery.alerts):,} alerts are over the limit of {ALERTS_MAX:,}: send them in parts")
        alerts = [self._of_sender(checked(alert, self.now()).document()) for alert in delivery.alerts]
        signal_id = new_id("sig", self.now(), self.chance(10)) if self.name is None else self.name()
        data = {"channel": channel, "alerts": len(alerts), "left_out": delivery.left_out, "bytes": len(body)}
        data["sha256"] = digest = sha256(body).hexdigest()
        private = {"alerts": json.dumps(alerts, ensure_ascii=False)}
        if delivery.figures is not None:
            self._require(delivery.figures["model_id"])
            data["model_id"] = delivery.figures["model_id"]
            private["figures"] = json.dumps(dict(delivery.figures), ensure_ascii=False)
        fact = Fact("signals_accepted", signal_id, self.actor, data, private)
        name = request or self._request(channel, delivery, signal_id)
        command = Command(name, lambda _: fact, begins=signal_id if name == signal_id else None)
        return Prepared(command, digest, len(alerts), delivery.left_out, delivery.reply or {})

    def _of_outsider(self, alert: Alert) -> Alert:
        """An outsider opens no incidents of models that nobody registered: such a report waits for a map."""
        named = alert.labels.get("model_id")
        if named is None or self.models or self.journal.find(MODELS, named) is not None:
            return alert
        labels = {**alert.labels, "model_name": named}
        del labels["model_id"]
        return replace(alert, labels=labels, group_key=f"{alert.group_key}:{named}")

    def _request(self, channel: str, delivery: Delivery, signal_id: str) -> str:
        """The id of the command: of an event that its sender names for good, always the same."""
        if delivery.event is None:
            return signal_id
        names = "\n".join((self.actor, channel, delivery.event))
        return f"event_{sha256(names.encode()).hexdigest()[:32]}"

    def _of_sender(self, document: dict[str, Any]) -> dict[str, Any]:
        """An alert of whoever sends it: a token for one model speaks of that one, and none speaks of others.

        A name that such a token gives an alert is its own, so that it joins, and ends, no alert of another model.

        Raises:
            Denied: the alert is about a model that the token is not for.
        """
        if not self.models:
            return document
        labels = document["labels"]
        names = json.dumps([*sorted(self.models), document["fingerprint"]])
        own = {**document, "fingerprint": sha256(names.encode()).hexdigest()[:32]}
        named = labels.get("model_id") or labels.get("model")
        if named is None and len(self.models) == 1:
            return {**own, "labels": {**labels, "model_id": self.models[0]}}
        if named is not None:
            self._require(named)
        return own

    def _require(self, model_id: str) -> None:
        if self.models and model_id not in self.models:
            limits = ", ".join(self.models)
            raise Denied(f"this token is limited to {limits} and may not speak of {model_id}: use one for that model")
