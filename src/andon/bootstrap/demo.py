"""The demo: a bundled real log, scanned as any other, and the figures that its story is told with."""

import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from andon.adapters.demo_figures import DemoFigures, Difference, Figures
from andon.base.errors import Unavailable
from andon.base.interval import Interval
from andon.bootstrap.client import Server
from andon.bootstrap.ledger import open_ledger, record_rows
from andon.bootstrap.model_files import read_model
from andon.bootstrap.packs import pack
from andon.bootstrap.pin import Memory
from andon.bootstrap.send import send_scan, until
from andon.bootstrap.verification import bundle_verifier
from andon.bootstrap.wiring import ScanRequest, scan_models
from andon.evidence.hold import BEFORE
from andon.incident.document import to_document
from andon.incident.scan import DetectedIncident, Scan
from andon.inventory.model import Model
from andon.services.audit import Case
from andon.services.watch import Progress


@dataclass(frozen=True, slots=True)
class Told:
    """What a dashboard showed of one incident, and what the known-good pipeline would have decided."""

    failure: Interval
    weeks: tuple[Figures, ...]
    before: Figures
    during: Figures
    difference: Difference


@dataclass(frozen=True, slots=True)
class Demo:
    """The bundled log in its folder."""

    folder: Path

    def model(self) -> Model:
        """The model as its operator declared it."""
        return read_model(str(self.folder / "model.yaml"))

    @property
    def files(self) -> tuple[str, str]:
        """The log and the reference."""
        return str(self.folder / "log.parquet"), str(self.folder / "reference.parquet")

    def scan(self, memory: Memory, progress: Progress | None = None) -> Scan:
        """Scan the log as `andon scan --send` does; the counterfactual is not given to it."""
        log, reference = self.files
        request = ScanRequest([log], reference, illustrate=True, memory=memory)
        [scan] = scan_models(request, self.model(), progress)
        memory.setting |= {"every_seconds": None, "now": None}
        return scan

    def tell(self, scan: Scan, incident: DetectedIncident) -> Told:
        """The figures around one incident of the scan."""
        part = "true" if incident.slice is None else incident.slice.predicate
        figures = DemoFigures(self.folder / "log.parquet", self.folder / "counterfactual.parquet", part)
        failure = Interval(incident.started_at, incident.ended_at or scan.period.end)
        return Told(
            failure=failure,
            weeks=figures.weeks(scan.period),
            before=figures.span(Interval(scan.period.start, failure.start)),
            during=figures.span(failure),
            difference=figures.difference(incident.detected_at),
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """The log as evidence: how much was recorded and sealed, and what the bundle's verifier said, whole and changed."""

    events: int
    sealed: int
    whole: str
    changed: str


def keep(demo: Demo, scan: Scan, place: Path) -> Kept:
    """Record the log, seal what was found, check the bundle, and check it again with one byte of it flipped.

    Args:
        demo: where the log is.
        scan: what was found.
        place: the data folder that the demo's server serves.
    """
    model = str(demo.folder / "model.yaml")
    with open_ledger(str(place)) as ledger, TemporaryDirectory(prefix="bundles-", dir=place) as name:
        bundles = Path(name)
        recorded = record_rows(ledger, [str(demo.folder / "log.parquet")], model, lambda _done: None)
        since = min(incident.started_at_low for incident in scan.incidents) - BEFORE
        sealed = ledger.audit.seal(Case(scan.model_id, since, None, "demo", {"scan": to_document(scan)}))
        exported = ledger.export(sealed.seal_id, bundles / "bundle.zip", redact=False)
        key = ledger.signer.verifier.vkey()
        _flip(bundles / "bundle.zip", bundles / "changed.zip")
        whole, changed = (_verify(bundles, each, key) for each in ("bundle.zip", "changed.zip"))
        return Kept(recorded.events, exported.entries, whole, changed)


@dataclass(frozen=True, slots=True)
class Opened:
    """The incident that the finding became: as `andon incident show --json` has it, and how long it took."""

    dossier: Mapping[str, Any]
    seconds: float


def open_incident(demo: Demo, scan: Scan, memory: Memory, pin: Path, server: Server) -> Opened:
    """Send the scan to the demo's server, and wait for the incident and its seal.

    Raises:
        Unavailable: no incident came of it.
    """
    begun = time.perf_counter()
    sent = send_scan(to_document(scan), memory.figures, demo.files, pin, from_ledger=False, server=server)
    if not sent.incidents:
        raise Unavailable("no incident came of what the demo sent: that is a fault of this version of Andon")
    where = f"/api/v1/incidents/{sent.incidents[0]}"
    seconds = time.perf_counter() - begun
    until(lambda: server.ask("GET", where)["seal"] is not None)
    return Opened(server.ask("GET", where), seconds)


def _flip(source: Path, target: Path) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            data = bytearray(old.read(member))
            if member == "payloads.bin":
                data[len(data) // 2] ^= 1
            new.writestr(member, bytes(data))


def _verify(folder: Path, bundle: str, key: str) -> str:
    command = [sys.executable, "-I", "-S", "-", bundle, "--vkey", key]
    done = subprocess.run(command, input=bundle_verifier(), cwd=folder, capture_output=True, check=False)  # noqa: S603
    return done.stdout.decode().splitlines()[0]


@contextmanager
def open_demo() -> Iterator[Demo]:
    """The bundled files, as a folder for as long as the demo runs."""
    with as_file(pack("demo")) as folder:
        yield Demo(folder)
