"""Where else a failure could be: other versions of a model, and models that rest on the same, by the register."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from andon.inventory.register import MODELS
from andon.ledger.journal import View

Entry = Mapping[str, Any]
SHOWN_MAX: Final = 5
KINDS: Final = {"features": "feature", "pipelines": "pipeline", "datasets": "dataset", "vendors": "vendor"}
NOWHERE: Final = "the register names no other version of it, and no model that you may see rests on the same"


def entry_in(view: View, model_id: str) -> Entry | None:
    """What the register says of a model; None: it has no entry, or what it said was erased."""
    row = view.find(MODELS, model_id)
    return None if row is None else _read(row)


def entries_beside(view: View, entry: Entry, models: Sequence[str]) -> list[Entry]:
    """The entries of other models that rest on something; `models`: those that the reader may see, none: all."""
    if not any(entry["depends_on"].values()):
        return []
    rows = [row for row in view.list_rows(MODELS) if row["id"] != entry["id"] and (not models or row["id"] in models)]
    return [found for row in rows if (found := _read(row)) is not None and any(found["depends_on"].values())]


def elsewhere(entry: Entry, version: str | None, known: Sequence[str], others: Sequence[Entry]) -> str:
    """In words: where the failure of a model, or of one of its `known` versions, could be too."""
    versions = [each for each in known if each != version]
    said = [f"{'other versions' if version else 'versions'}: {_few(versions)}"] if versions else []
    shared = [f"{other['id']} rests on the same {common}" for other in others if (common := _common(entry, other))]
    return "; ".join([*said, *([_few(shared, "; ")] if shared else [])]) or NOWHERE


def _common(entry: Entry, other: Entry) -> str | None:
    """The first thing that two models rest on; what is upstream of most comes first."""
    for kind in ("pipelines", "datasets", "vendors", "features"):
        both = [name for name in entry["depends_on"][kind] if name in other["depends_on"][kind]]
        if both:
            return f"{KINDS[kind]} {both[0]}"
    return None


def _few(names: Sequence[str], between: str = ", ") -> str:
    more = len(names) - SHOWN_MAX
    return between.join(names[:SHOWN_MAX]) + (f"{between}and {more} more" if more > 0 else "")


def _read(row: Mapping[str, Any]) -> Entry | None:
    content: str = row["content"]
    return json.loads(content) if content.startswith("{") else None
