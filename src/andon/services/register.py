"""Register: models, the versions that have earned trust, and the log of changes around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from andon.alert.tables import stored
from andon.base.errors import BadInput, Conflict, Denied, NotFound, Refused, Stale
from andon.base.ids import new_id
from andon.base.nearest import nearest
from andon.incident.opening import INCIDENTS
from andon.incident.status import OPEN
from andon.inventory.register import (
    CHANGES,
    MODELS,
    TAGS,
    ChangeEntry,
    ModelEntry,
    Tag,
    differences,
    entry_of,
    tag_key,
    why_not_known_good,
)
from andon.ledger.journal import Command, Fact, Journal, Page, View
from andon.ledger.pages import newest

AHEAD_MAX_SECONDS: Final = 600
EVIDENCE_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Registered:
    """A model as the register has it.

    Attributes:
        entry: what is said of it; None: nobody registered it, and yet incidents or changes name it.
        tags: versions that earned the tag known-good.
        incidents: its incidents, the newest last.
        version: of the entry, for `If-Match`.
    """

    id: str
    entry: ModelEntry | None
    tags: tuple[Tag, ...]
    incidents: tuple[str, ...]
    version: int = 0


@dataclass(frozen=True, slots=True)
class Register:
    """The register, by commands of the journal.

    Attributes:
        journal: where to.
        now, chance: time and randomness.
        actor: who acts, as a pseudonym.
        models: the models that the actor is limited to; none: all.
    """

    journal: Journal
    now: Callable[[], datetime]
    chance: Callable[[int], bytes]
    actor: str = "local"
    models: Sequence[str] = ()

    def add_model(self, entry: ModelEntry, request: str | None = None) -> Registered:
        """Register a model.

        Raises:
            Conflict: it is registered.
        """
        self._require(entry.id)

        def decide(view: View) -> Fact:
            if view.find(MODELS, entry.id) is not None:
                raise Conflict(f"the model {entry.id} is registered: change it with PUT or `andon apply`")
            return self._fact("model_registered", entry)

        self.journal.commit(Command(request or f"model_{self.chance(16).hex()}", decide))
        return self.get_model(entry.id)

    def change_model(self, entry: ModelEntry, seen: int | None = None, request: str | None = None) -> Registered:
        """Say anew what is true of a model; what is the same changes nothing.

        Raises:
            NotFound: it is not registered.
            Stale: it changed since `seen`.
        """
        self._require(entry.id)

        def decide(view: View) -> Fact:
            row = view.find(MODELS, entry.id)
            if row is None:
                raise self._unknown(entry.id)
            if seen is not None and row["seq"] != seen:
                raise Stale(f"the model {entry.id} was changed meanwhile: read it again, then change it")
            if not differences(entry_of(row), entry):
                raise _Same
            return self._fact("model_changed", entry)

        try:
            self.journal.commit(Command(request or f"model_{self.chance(16).hex()}", decide))
        except _Same:
            return self.get_model(entry.id)
        return self.get_model(entry.id)

    def list_models(self) -> list[Registered]:
        """All models, those too that only incidents or changes name."""
        rows = {row["id"]: row for row in self.journal.list_rows(MODELS)}
        named = {row["model_id"] for table in (INCIDENTS, CHANGES) for row in self.journal.list_rows(table)}
        found = sorted({*rows, *named})
        return [self._registered(name, rows.get(name)) for name in found if self._covers(name)]

    def get_model(self, model_id: str) -> Registered:
        """One model.

        Raises:
            NotFound: it is not registered.
        """
        row = self.journal.find(MODELS, model_id)
        if row is None or not self._covers(model_id):
            raise self._unknown(model_id)
        return self._registered(model_id, row)

    def tag_version(self, model_id: str, version: str, evidence: str) -> Registered:
        """Give a version the tag known-good, which it has to have earned.

        Raises:
            NotFound: the model is not registered.
            Refused: the version has not earned it; the text says what is missing.
        """
        self._require(model_id)
        if not 0 < len(evidence.strip()) <= EVIDENCE_MAX:
            raise BadInput(
                "known-good rests on evidence: say which evaluation showed it, on which data, with which result"
            )

        def decide(view: View) -> Fact:
            row = view.find(MODELS, model_id)
            if row is None:
                raise self._unknown(model_id)
            deployed = [each["version"] for each in view.list_rows(CHANGES, {"model_id": model_id}) if each["version"]]
            reason = why_not_known_good(entry_of(row), version, deployed, _open_incidents(view, model_id, version))
            if reason is not None:
                raise Refused(reason)
            data = {"id": model_id, "version": version}
            return Fact("known_good_earned", _stream(model_id), self.actor, data, {"evidence": evidence.strip()})

        self.journal.commit(Command(f"tag_{self.chance(16).hex()}", decide, is_alone=True))
        return self.get_model(model_id)

    def untag_version(self, model_id: str, version: str, reason: str) -> Registered:
        """Take the tag known-good from a version.

        Raises:
            NotFound: it has none.
        """
        self._require(model_id)
        if not reason.strip():
            raise BadInput("say why the version is no longer known to be good: give a reason")

        def decide(view: View) -> Fact:
            row = view.find(TAGS, tag_key(model_id, version))
            if row is None or row["lost_at"] is not None:
                raise NotFound(
                    f"the version {version} of {model_id} is not tagged known-good: `andon model show` lists tags"
                )
            data = {"id": model_id, "version": version}
            return Fact("known_good_lost", _stream(model_id), self.actor, data, {"reason": reason.strip()})

        self.journal.commit(Command(f"untag_{self.chance(16).hex()}", decide))
        return self.get_model(model_id)

    def post_change(self, change: ChangeEntry, request: str | None = None) -> dict[str, Any]:
        """Note a change around a model, which may be one that nobody registered; returns it.

        Raises:
            BadInput: its time is ahead.
        """
        self._require(change.model_id)
        at = change.at or self.now()
        if (at - self.now()).total_seconds() > AHEAD_MAX_SECONDS:
            raise BadInput(
                f"the change is more than {AHEAD_MAX_SECONDS // 60} minutes ahead: set the clock of what posts it"
            )
        change_id = new_id("chg", self.now(), self.chance(10))
        data = {"model_id": change.model_id, "kind": change.kind, "at": stored(at), "version": change.version}
        private = {"what": change.what, **({} if change.url is None else {"url": change.url})}
        fact = Fact("change_posted", change_id, self.actor, {**data, "environment": change.environment}, private)
        done = self.journal.commit(Command(request or change_id, lambda _: fact))
        return self._change(self.journal.find(CHANGES, done.fact.stream) or {})

    def list_changes(
        self, model_id: str | None = None, limit: int = 100, after: str | None = None
    ) -> list[dict[str, Any]]:
        """Changes, the newest first."""
        where = {} if model_id is None else {"model_id": model_id}
        return [self._change(row) for row in newest(self.journal, CHANGES, where, Page(limit, after), self._covers)]

    def _change(self, row: dict[str, Any]) -> dict[str, Any]:
        is_registered = self.journal.find(MODELS, row["model_id"]) is not None
        return {**row, "is_registered": is_registered}

    def _registered(self, name: str, row: dict[str, Any] | None) -> Registered:
        tags = []
        for each in self.journal.list_rows(TAGS, {"model_id": name}):
            known = {key: value for key, value in each.items() if key != "id"}
            tags.append(Tag(**known, questioned_by=tuple(_named_incidents(self.journal, name, each["version"]))))
        incidents = tuple(each["id"] for each in self.journal.list_rows(INCIDENTS, {"model_id": name}))
        entry = None if row is None else entry_of(row)
        return Registered(name, entry, tuple(tags), incidents, 0 if row is None else row["seq"])

    def _fact(self, kind: str, entry: ModelEntry) -> Fact:
        data = {"id": entry.id, "risk_class": str(entry.risk_class)}
        return Fact(kind, _stream(entry.id), self.actor, data, {"content": entry.model_dump_json()})

    def _covers(self, model_id: str | None) -> bool:
        return not self.models or model_id in self.models

    def _require(self, model_id: str) -> None:
        if not self._covers(model_id):
            limits = ", ".join(self.models)
            raise Denied(f"this token is limited to {limits} and may not touch {model_id}: use one for that model")

    def _unknown(self, model_id: str) -> NotFound:
        near = nearest(model_id, [row["id"] for row in self.journal.list_rows(MODELS) if self._covers(row["id"])])
        meant = f"did you mean {near}?" if near else "`andon model add` registers it"
        return NotFound(f"there is no model {model_id}: {meant}")


class _Same(Exception):  # no error: nothing is to be recorded
    """The register says so already."""


def _stream(model_id: str) -> str:
    return f"model_{model_id}"


def _open_incidents(view: View, model_id: str, version: str) -> list[str]:
    """Open incidents that name a version, or no version at all."""
    rows = view.list_rows(INCIDENTS, {"model_id": model_id})
    return [row["id"] for row in rows if row["status"] in OPEN and row["model_version"] in (None, version)]


def _named_incidents(view: View, model_id: str, version: str) -> list[str]:
    rows = view.list_rows(INCIDENTS, {"model_id": model_id, "model_version": version})
    return [row["id"] for row in rows if row["status"] in OPEN]
