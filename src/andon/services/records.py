"""Records: what is known of an incident as one document, in and out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from andon.base.errors import BadInput, Denied
from andon.base.nearest import nearest
from andon.incident.clocks import IMPORTED
from andon.incident.desk import PLAINLY, Ask, Desk
from andon.incident.dossier import Packs, gather, timeline_of
from andon.incident.incident import Incident, incident_of
from andon.incident.record import OWN, kept, parse_record
from andon.incident.recording import imported, record_of, written
from andon.ledger.journal import Command, Page

LINES_MAX: Final = 10_000
S1: Final = "s1"


@dataclass(frozen=True, slots=True)
class Records:
    """Records of incidents."""

    desk: Desk
    packs: Packs

    def get_record(self, name: str, profile: str | None = None) -> tuple[dict[str, Any], int]:
        """The record and its version; with profile `s1` without the key `andon`.

        Raises:
            BadInput: there is no such profile.
            NotFound: there is no such incident that the actor may see.
        """
        if profile not in (None, S1):
            raise BadInput(f"there is no profile {profile}: write s1, or leave it out")
        view = self.desk.journal
        row = self.desk.get(view, name)
        dossier = gather(self.desk, view, row, self.packs, self.desk.now())
        lines = timeline_of(self.desk, view, name, Page(LINES_MAX, by="place"))
        computed = record_of(dossier, lines, is_whole=profile is None)
        original = json.loads(row["record"]).get(IMPORTED)
        return (computed if original is None else kept(original, computed)), row["seq"]

    def import_record(self, document: Mapping[str, Any], ask: Ask = PLAINLY) -> Incident:
        """An incident from its record (S1's, or Andon's own); number and timeline are kept.

        Raises:
            BadInput: it is no record, or its type is not in the taxonomy.
            Conflict: the number is taken.
            Denied: the actor may not see the model.
        """
        record = parse_record(document)
        if record.incident_type not in self.packs.titles:
            near = nearest(record.incident_type, self.packs.titles)
            raise BadInput(f"there is no type of incident {record.incident_type}: did you mean {near}?")
        if not self.desk.sees({"model_id": record.model_id}):
            raise Denied(f"this token may not touch model {record.model_id}: use another token")
        told = {name: value for name, value in document.items() if name != OWN}
        desk = self.desk
        request = ask.request or f"import_{desk.chance(16).hex()}"
        command = Command(request, lambda view: imported(view, record, told, desk.now(), desk.actor), is_alone=True)
        done = desk.journal.commit(command)
        return incident_of(desk.get(desk.journal, done.fact.stream))

    def write_record(self, name: str, parts: Mapping[str, Any], ask: Ask = PLAINLY) -> dict[str, Any]:
        """What people know: impact, root_cause, corrective_actions; each replaces what stood there."""
        self.desk.change(name, ask, lambda _, row: written(row, parts, self.desk.actor))
        return self.get_record(name)[0]
