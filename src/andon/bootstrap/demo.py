"""The demo: a bundled real log, scanned as any other, and the figures that its story is told with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file
from pathlib import Path

from andon.adapters.demo_figures import DemoFigures, Difference, Figures
from andon.base.interval import Interval
from andon.bootstrap.packs import pack
from andon.bootstrap.wiring import read_model, scan_log
from andon.incident.scan import DetectedIncident, Scan
from andon.inventory.model import Model
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


@contextmanager
def open_demo() -> Iterator[Demo]:
    """The bundled files, as a folder for as long as the demo runs."""
    with as_file(pack("demo")) as folder:
        yield Demo(folder)
