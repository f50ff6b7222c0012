"""Small ledgers for tests, and a disk that remembers what was written and may lose what was not made durable."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from andon.adapters.segments.closing import Inline
from andon.adapters.segments.disk import Disk
from andon.adapters.segments.log import SegmentLog, Settings
from andon.ledger.checkpoint import Signer
from andon.ledger.entry import Entry, make_entry

SIGNER = Signer("test.local/w-main", bytes(range(32)))
AT = datetime(2026, 3, 1, tzinfo=UTC)
SECTOR = 512


def entry_of(number: int, size: int = 40) -> Entry:
    """A prediction, always the same for its number."""
    payload = (b'{"id":"p%d","x":"' % number).ljust(size, b"x") + b'"}'
    header = {"kind": "prediction", "id": f"p{number}", "ts": "2026-03-01T00:00:00.000000Z", "model_id": "m"}
    return make_entry(header, number.to_bytes(16, "big"), payload)


def open_log(folder: Path, disk: Disk | None = None, segment: int = 40, delay: int = 0) -> SegmentLog:
    settings = Settings(segment, closer=lambda each: Inline(each, delay))
    return SegmentLog(folder, SIGNER, lambda: AT, disk, settings)


class Hasty(Disk):
    """A real disk that does not wait: what is durable is no matter of the test."""

    def sync(self, path):
        pass


@dataclass
class Recorded(Disk):
    """A real disk that notes every operation; it does not wait for the hardware, whose cuts are simulated."""

    root: Path
    operations: list[tuple[Any, ...]] = field(default_factory=list)

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.root))

    def append(self, path, data):
        offset = path.stat().st_size if path.exists() else 0
        self.operations.append(("write", self._name(path), offset, bytes(data), False))
        super().append(path, data)

    def write(self, path, offset, data):
        self.operations.append(("write", self._name(path), offset, bytes(data), True))
        super().write(path, offset, data)

    def sync(self, path):
        self.operations.append(("sync", self._name(path), path.is_dir()))

    def rename(self, source, target):
        self.operations.append(("rename", self._name(source), self._name(target)))
        super().rename(source, target)

    def remove(self, path):
        self.operations.append(("remove", self._name(path)))
        super().remove(path)


@dataclass
class Inode:
    durable: bytes = b""
    now: bytes = b""


class PowerCut:
    """What may stand on the disk after a cut: unsynced sectors old, new or zero; some first of the unsynced names."""

    def __init__(self, before: dict[str, bytes], operations: list[tuple[Any, ...]]) -> None:
        self.names = {name: Inode(data, data) for name, data in before.items()}
        self.durable = dict(self.names)
        self.changes: list[tuple[str, str, Inode | None]] = []  # folder, name, what it names after
        for operation in operations:
            getattr(self, f"_{operation[0]}")(*operation[1:])

    def _name(self, name: str, inode: Inode | None) -> None:
        self.changes.append((str(Path(name).parent), name, inode))
        if inode is None:
            del self.names[name]
        else:
            self.names[name] = inode

    def _write(self, name, offset, data, cuts):
        if name not in self.names:
            self._name(name, Inode())
        inode = self.names[name]
        rest = b"" if cuts else inode.now[offset + len(data) :]
        inode.now = inode.now[:offset].ljust(offset, b"\0") + data + rest

    def _sync(self, name, is_folder):
        if not is_folder:
            self.names[name].durable = self.names[name].now
            return
        for folder, each, inode in self.changes:
            if folder == name:
                self._settle(each, inode)
        self.changes = [change for change in self.changes if change[0] != name]

    def _rename(self, source, target):
        inode = self.names[source]
        self._name(target, inode)
        self._name(source, None)

    def _remove(self, name):
        self._name(name, None)

    def _settle(self, name, inode):
        if inode is None:
            self.durable.pop(name, None)
        else:
            self.durable[name] = inode

    def state(self, dice: random.Random | None) -> dict[str, bytes]:
        """Files after the cut; without dice all that was written is there, as after a kill."""
        kept = len(self.changes) if dice is None else dice.randint(0, len(self.changes))
        for _, name, inode in self.changes[:kept]:
            self._settle(name, inode)
        return {name: inode.now if dice is None else torn(inode, dice) for name, inode in self.durable.items()}


def torn(inode: Inode, dice: random.Random) -> bytes:
    """A mixture of what was durable and what was written after that."""
    old, new = inode.durable, inode.now
    if old == new or dice.random() < 0.2:
        return old
    if dice.random() < 0.2:
        return new
    size = dice.choice([len(old), len(new), dice.randint(*sorted((len(old), len(new))))])
    parts = []
    for at in range(0, size, SECTOR):
        versions = [
            new[at : at + SECTOR],
            old[at : at + SECTOR],
        ]  # one that holds durable bytes is written whole or not
        versions += [] if versions[1] else [bytes(SECTOR)]
        parts.append(dice.choice(versions).ljust(SECTOR, b"\0"))
    return b"".join(parts)[:size]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
