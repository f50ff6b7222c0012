"""What reads signals: the formats that Andon knows, and the mappings of other JSON, shipped and the user's own."""

import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Final

import yaml

from andon.adapters.ready_names import ReadyNames
from andon.adapters.signals import alertmanager, cloudevents, mapped, pagerduty, scan
from andon.adapters.signals.report import Reports
from andon.alert.alert import FIRING
from andon.alert.audit_rules import DENIED_MAX, STRANGERS_MAX, Denials, raised_exports
from andon.alert.place import UNMAPPED
from andon.alert.signal import Parser, Pinned
from andon.alert.tables import ALERTS
from andon.base.errors import BadInput, Unavailable
from andon.bootstrap.journal import now
from andon.bootstrap.packs import floors, load_classifier, pack
from andon.bootstrap.yaml_file import read_shipped
from andon.evidence.custody import EXPORTS
from andon.incident.key import IncidentKey
from andon.incident.opening import AlertFacts
from andon.ledger.journal import Journal, Page
from andon.people.token import REPORTER, Token
from andon.people.token import TABLE as TOKENS
from andon.services.declare import Declare
from andon.services.group import ACTOR, Group, Join
from andon.services.receive import Receive
from andon.services.sift import Sift

MAPPINGS: Final = "mappings"
"""The folder of mapping files, among the packs and in the data folder; the user's own replace ours of that source."""
UNMAPPED_MAX: Final = 100
RESTS: Final = 2
"""Between two commands that give alerts to incidents, so many times as long as one took …"""
REST_SECONDS_MAX: Final = 0.008
"""… and no longer than this: twenty models have their incidents within half a second."""
AUDIT: Final = "andon_audit"
"""The source of what Andon's own audit log shows."""


def parsers() -> Mapping[str, Parser]:
    """What reads each channel."""
    return {
        "alertmanager": alertmanager.read,
        "pagerduty": pagerduty.read,
        "cloudevents": cloudevents.read,
        "scan": scan.read,
        "report": Reports(load_classifier().read),
        "audit": shipped()[AUDIT],
    }


@cache
def shipped() -> Mapping[str, Parser]:
    """The mappings that Andon ships."""
    folder = pack(MAPPINGS)
    found = [_mapped(read_shipped(file.read_text(encoding="utf-8")), file.name) for file in folder.iterdir()]
    return {each.mapping.source: each for each in found}


def mappings(data: Path) -> Mapping[str, Parser]:
    """The mappings of an installation.

    Raises:
        BadInput: a file of the user's is none; it is named.
    """
    own = {}
    for path in sorted((data / MAPPINGS).glob("*.y*ml")):
        found = read_mapping(path)
        if found.mapping.source == AUDIT:
            raise BadInput(f"{path}: the source {AUDIT} is Andon's own: name another")
        own[found.mapping.source] = found
    others = {source: parser for source, parser in shipped().items() if source != AUDIT}
    return {**others, **own}


def read_mapping(path: Path) -> mapped.Mapped:
    """The mapping of a file.

    Raises:
        BadInput: it cannot be read, or is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise BadInput(f"cannot read {path}: {reason}; name a mapping file") from None
    return _mapping(text, str(path))


def _mapping(text: str, name: str) -> mapped.Mapped:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise BadInput(f"{name} is no YAML at line {line}: mend it there") from None
    return _mapped(content, name)


def _mapped(content: object, name: str) -> mapped.Mapped:
    return mapped.Mapped(mapped.parse(content, name))


@dataclass(slots=True)
class Signals:
    """What comes from outside, and what is made of it.

    Attributes:
        journal: the installation's.
        mappings: what reads JSON of each source.
        exporting: the roles that may hand evidence out.
        seal: holds what a scan was made from, for an actor.
        rest: waits so many seconds, or until the end.
        names: of signals to come, whose keys are made ahead.
    """

    journal: Journal
    mappings: Mapping[str, Parser]
    exporting: Collection[str]
    seal: Callable[[str, Pinned, str], str] | None = None
    rest: Callable[[float], object] = lambda _: None
    names: ReadyNames | None = None
    _group: Group | None = None
    _exports: int = -1
    _denials: Denials = field(default_factory=Denials)
    _bursts: deque[dict[str, str]] = field(default_factory=deque)

    def receive(self, caller: Token) -> Receive:
        """Signals as they come in."""
        seal = None if self.seal is None else partial(self.seal, caller.id)
        actor, is_outsider = caller.id, caller.role == REPORTER
        known = (self.journal, parsers(), self.mappings, now, secrets.token_bytes)
        name = None if self.names is None else self.names.take
        return Receive(*known, actor, caller.models, seal, is_outsider, name)

    def sift(self, caller: Token) -> Sift:
        """Alerts, silences and maps."""
        return Sift(self.journal, tuple(floors()), now, secrets.token_bytes, caller.id, caller.models)

    def step(self) -> int:
        """Make alerts and incidents of a part of what waits; how many alerts, 0: nothing waits."""
        if self._group is None:
            declare = Declare(self.journal, floors(), now, secrets.token_bytes, ACTOR)
            self._group = Group(self.journal, tuple(floors()), self._paced(declare.open_or_join), now)
        self._tell_audit()
        return self._group.step()

    def _paced(self, join: Join) -> Join:
        """Gives alerts to incidents with a rest after each, so that who sends signals need not wait for all of them."""

        def paced(key: IncidentKey, alerts: Sequence[AlertFacts]) -> object:
            begun = time.monotonic()
            done = join(key, alerts)
            self.rest(min(RESTS * (time.monotonic() - begun), REST_SECONDS_MAX))
            return done

        return paced

    def unmapped(self) -> int:
        """How many alerts fire of which nothing says the model, up to a hundred; 0 while the database is away."""
        try:
            where = {"hold": UNMAPPED, "state": FIRING}
            return len(self.journal.list_rows(ALERTS, where, Page(UNMAPPED_MAX)))
        except Unavailable:
            return 0

    def denied(self, caller: str, *, is_known: bool = True) -> None:
        """A request of a token, or of an address without one that is known, was refused."""
        found = self._denials.note(caller, now(), DENIED_MAX if is_known else STRANGERS_MAX)
        if found is not None:
            self._bursts.append(found)

    def _tell_audit(self) -> None:
        """Send what the rules over Andon's own audit log find; the same again is the same signal."""
        exports = self.journal.list_rows(EXPORTS)
        found = [self._bursts.popleft() for _ in range(len(self._bursts))]
        if len(exports) != self._exports:
            found += raised_exports(self.journal.list_rows(TOKENS), exports, self.exporting)
            self._exports = len(exports)
        if not found:
            return
        service = Receive(self.journal, parsers(), {}, now, secrets.token_bytes, ACTOR)
        for each in found:
            service.audit(json.dumps(each).encode(), f"audit_{each['rule']}_{each['subject']}_{each['at']}")
