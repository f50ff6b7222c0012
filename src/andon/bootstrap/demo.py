"""The demo: a bundled real log, scanned as any other, and the figures that its story is told with."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file
from pathlib import Path
from tempfile import TemporaryDirectory

from andon.adapters.demo_figures import DemoFigures, Difference, Figures
from andon.base.interval import Interval
from andon.bootstrap.ledger import bundle_verifier, open_ledger, record_rows
from andon.bootstrap.packs import pack
from andon.bootstrap.wiring import read_model, scan_log
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

    def scan(self, progress: Progress | None = None, *, illustrate: bool = False) -> Scan:
        """Scan the log as `andon scan` does; the counterfactual is not given to it."""
        log, reference = self.folder / "log.parquet", self.folder / "reference.parquet"
        return scan_log([str(log)], self.model(), str(reference), illustrate=illustrate, progress=progress)

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


def keep(demo: Demo, scan: Scan) -> Kept:
    """Record the log, seal what was found, check the bundle, and check it again with one byte of it flipped."""
    with TemporaryDirectory(prefix="andon-demo-") as name:
        place, model = Path(name), str(demo.folder / "model.yaml")
        with open_ledger(name, make=True) as ledger:
            recorded = record_rows(ledger, [str(demo.folder / "log.parquet")], model, lambda _done: None)
            since = min(incident.started_at_low for incident in scan.incidents) - BEFORE
            sealed = ledger.audit.seal(Case(scan.model_id, since, None, "demo", {"scan": to_document(scan)}))
            exported = ledger.export(sealed.seal_id, place / "bundle.zip", redact=False)
            key = ledger.signer.verifier.vkey()
        _flip(place / "bundle.zip", place / "changed.zip")
        return Kept(
            recorded.events, exported.entries, _verify(place, "bundle.zip", key), _verify(place, "changed.zip", key)
        )


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
