"""Where producers are, in a file beside their log, so that an opening need not read all of it.

A producer does not send again what the file calls recorded, so it is believed only where the log bears it out: it has
the root of the tree that it speaks of, and a code (HMAC) that nobody makes who has not the ledger's key.
"""

import contextlib
import hmac
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from andon.base.errors import Tampered
from andon.bootstrap.signing import secret_in
from andon.ledger.entry import CONTROL_KINDS
from andon.ledger.merkle import NodeAt, range_root
from andon.services.ingest import Ingest
from andon.telemetry.producer import KEY_PREFIX, PRODUCERS_MAX, Learning
from andon.telemetry.versions import VERSIONS_MAX, Versions, versions_from

POSITIONS: Final = "positions.json"
_CODE: Final = "hmac"
_PURPOSE: Final = b"andon positions"


def resume(ingest: Ingest, folder: Path) -> None:
    """Learn where producers are, from the file and what the log in the folder holds since."""
    found, log = _snapshot(folder), ingest.log
    is_of_log = found is not None and found["size"] <= log.size and _root(log.nodes(), found["size"]) == found["root"]
    ingest.resume(found if is_of_log else None)


def versions_beside(folder: Path, but: str | None = None) -> list[Versions]:
    """Which versions answered, by the files beside the logs in a ledger's folder; all logs `but` one."""
    places = [place for place in sorted(folder.glob("w-*")) if place.name != but]
    return [versions_from((_snapshot(place) or {}).get("versions", ())) for place in places]


def keep(ingest: Ingest, folder: Path) -> None:
    """Write where producers are, unless only the log knows what became of its last batch."""
    if ingest.is_unsure:
        return
    told = ingest.snapshot()
    document = {**told, "root": _root(ingest.log.nodes(), told["size"])}
    scratch = folder / f"{POSITIONS}.new"
    with contextlib.suppress(OSError):  # a hint: without it the next start reads more
        scratch.unlink(missing_ok=True)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_encoded(folder, document))
            file.flush()
            os.fsync(file.fileno())  # or a power cut may leave an empty one, which looks like somebody's work
        scratch.replace(folder / POSITIONS)


class Claims:
    """What the file says, to be compared with the log's entries while they are verified."""

    def __init__(self, folder: Path) -> None:
        """Read it, before the log is looked at, which may grow.

        Raises:
            Tampered: somebody else wrote it.
        """
        self._path, raw = folder / POSITIONS, _raw(folder)  # once: a server may write another meanwhile
        self._told = None if raw is None else _told(folder, raw)
        if self._path.is_symlink() or (raw is not None and (self._told is None or raw != _encoded(folder, self._told))):
            raise self._wrong("was not written by this ledger")
        self._learning, self._answered, self._labelled = Learning(), set[tuple[str, str]](), set[str]()

    def see(self, seq: int, fields: Mapping[str, Any]) -> None:
        """The next entry."""
        if self._told is None or seq >= self._told["size"]:
            return
        if fields["kind"] == "batch" or fields["kind"] in CONTROL_KINDS:
            self._learning.see(seq, fields)
        elif fields["kind"] == "prediction":
            self._answered.add((fields["model_id"], fields.get("model_version", "")))
        elif fields["kind"] == "outcome":
            self._labelled.add(fields["model_id"])

    def compare(self, nodes: NodeAt, first: int, size: int) -> None:
        """Refuse what the entries `[first, size)` do not bear out.

        Raises:
            Tampered: it says something else than they.
        """
        if self._told is None:
            return
        told: int = self._told["size"]
        if told > size:
            raise self._wrong(f"knows of {told} entries, the log has {size}: it was rolled back, or restored in part")
        if _root(nodes, told) != self._told["root"]:
            raise self._wrong(f"is not of this log: entries 0 to {told - 1} have another root")
        self._learning.end(told)
        self._compare_positions(self._learning.positions.document(), is_whole=first == 0)
        if first == 0:  # what retention deleted may be known of too
            self._compare_names({(model, version) for model, version, *_ in self._told["versions"]}, {*self._answered})
            self._compare_names({(each,) for each in self._told["labelled"]}, {(each,) for each in self._labelled})

    def _compare_names(self, told: set[tuple[str, ...]], found: set[tuple[str, ...]]) -> None:
        if told != found and len(told) < VERSIONS_MAX > len(found):
            raise self._wrong(f"says of model {' '.join(min(told ^ found))} other than the entries")

    def _compare_positions(self, found: Mapping[str, Any], *, is_whole: bool) -> None:
        """What retention deleted, the oldest of too many, and requests of yesterday may be in one of them only."""
        told: Mapping[str, Any] = (self._told or {})["positions"]
        is_whole = is_whole and len(told) < PRODUCERS_MAX > len(found)
        for name in sorted({*told, *found}):
            here, there = told.get(name), found.get(name)
            is_left_out = None in (here, there) and (not is_whole or (name.startswith(KEY_PREFIX) and here is None))
            if here != there and not is_left_out:
                raise self._wrong(f"says of producer {name} other than the entries: {_next(here)}, not {_next(there)}")

    def _wrong(self, what: str) -> Tampered:
        return Tampered(f"{self._path} {what}; remove it: the next command that opens the log makes it anew")


def _next(position: list[Any] | None) -> str:
    return "nothing" if position is None else f"next is line {position[1]} of epoch {position[0]}"


def _root(nodes: NodeAt, size: int) -> str:
    return range_root(nodes, 0, size).hex()


def _snapshot(folder: Path) -> dict[str, Any] | None:
    """What the file says; None without one, or where it is not as it was written."""
    raw = _raw(folder)
    return None if raw is None else _told(folder, raw)


def _raw(folder: Path) -> bytes | None:
    """The bytes of the file, none of what is no file (a pipe would be waited for); None: there is nothing."""
    path = folder / POSITIONS
    try:
        return path.read_bytes() if path.is_file() or not path.exists() else b""
    except FileNotFoundError:
        return None


def _told(folder: Path, raw: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(raw)
    except ValueError:
        return None
    code = found.pop(_CODE, None) if isinstance(found, dict) else None
    if not isinstance(code, str) or not hmac.compare_digest(code.encode(), _code(folder, found)):
        return None
    return dict(found)


def _encoded(folder: Path, document: Mapping[str, Any]) -> bytes:
    return orjson.dumps({**document, _CODE: _code(folder, document).decode()})


def _code(folder: Path, document: Mapping[str, Any]) -> bytes:
    key = hmac.digest(secret_in(folder.parent / "signing.key"), _PURPOSE, sha256)
    return hmac.digest(key, folder.name.encode() + b"\n" + orjson.dumps(document), sha256).hex().encode()
