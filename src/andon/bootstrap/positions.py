"""Where producers are, in a file beside their log, so that an opening need not read all of it."""

import contextlib
import json
from pathlib import Path
from typing import Any, Final

from andon.services.ingest import Ingest
from andon.telemetry.versions import Versions, versions_from

POSITIONS: Final = "positions.json"


def resume(ingest: Ingest, folder: Path) -> None:
    """Learn where producers are, from the file and what the log in the folder holds since."""
    ingest.resume(_snapshot(folder))


def versions_beside(folder: Path, but: str | None = None) -> list[Versions]:
    """Which versions answered, by the files beside the logs in a ledger's folder; all logs `but` one."""
    places = [place for place in sorted(folder.glob("w-*")) if place.name != but]
    return [versions_from((_snapshot(place) or {}).get("versions", ())) for place in places]


def keep(ingest: Ingest, folder: Path) -> None:
    """Write where producers are."""
    scratch = folder / f"{POSITIONS}.new"
    with contextlib.suppress(OSError):  # a hint: without it the next start reads more
        scratch.write_text(json.dumps(ingest.snapshot()))
        scratch.replace(folder / POSITIONS)


def _snapshot(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / POSITIONS).read_text())
        return found if isinstance(found.get("size"), int) and isinstance(found.get("positions"), dict) else None
    except (OSError, ValueError, AttributeError):
        return None  # a hint that is missing is made anew
