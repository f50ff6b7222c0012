"""A pin: one file with a scan, what it was computed from and the charts it drew; from it all of them are made again."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from andon.adapters.remembered import Remembered, Remembering
from andon.adapters.zip_bundle import ZipBundle
from andon.base.errors import BadInput
from andon.base.predicate import all_of, equals
from andon.bootstrap.packs import floors
from andon.detect.registry import DETECTORS
from andon.incident.scan import DetectedIncident, Scan
from andon.inventory.columns import resolve_columns
from andon.inventory.model import Columns, Model
from andon.inventory.model_file import parse_model
from andon.services.illustrate import Illustrate, Subject
from andon.services.watch import Request, Watch
from andon.telemetry.source import LogSource

FORMAT = "andon.pin/1"
MEMBERS = ("scan.json", "model.yaml", "setting.json", "observed.json")
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MEMBER_BYTES_MAX = 1 << 30


@dataclass
class Memory:
    """Where a scan leaves what it saw: the answers of both sources, and the model whose columns the log had.

    With `wants_figures` also the figures for the gauges of a server.
    """

    log: Remembering | None = None
    reference: Remembering | None = None
    setting: dict[str, Any] = field(default_factory=dict)
    wants_figures: bool = False
    figures: Mapping[str, Any] = field(default_factory=dict)

    def watch(
        self, log: LogSource, reference: LogSource, model: Model, equal: tuple[str, str] | None
    ) -> tuple[LogSource, LogSource]:
        """The sources, asked through this memory from now on."""
        self.log, self.reference = Remembering(log), Remembering(reference)
        self.setting |= {"model_id": model.id, "columns": asdict(model.columns), "equal": equal}
        self.setting |= {"severities": floors()}
        return self.log, self.reference

    def document(self) -> dict[str, Any]:
        """What was seen."""
        if self.log is None or self.reference is None:
            raise ValueError("nothing was scanned")
        return {"log": self.log.document, "reference": self.reference.document}


@dataclass(frozen=True, slots=True)
class Pin:
    """What a pin holds, by the names of its members."""

    members: Mapping[str, bytes]

    @property
    def charts(self) -> dict[str, bytes]:
        return {name: data for name, data in sorted(self.members.items()) if name.startswith("chart-")}

    def json(self, name: str) -> Any:
        """A member as JSON."""
        try:
            return json.loads(self.members[name])
        except (KeyError, ValueError):
            raise BadInput(f"the pin has no sound {name}: make it again with `andon scan --pin`") from None

    def model(self) -> Model:
        """The model as the scan knew it, before its columns met the log."""
        setting = self.json("setting.json")
        known = {each.name for each in fields(Columns)}
        columns = {name: value for name, value in setting["columns"].items() if name in known}
        columns["entities"] = tuple(columns.get("entities", ()))
        found = parse_model(yaml.safe_load(self.members["model.yaml"]), strict=False)
        return replace(found, id=setting["model_id"], columns=Columns(**columns))

    def scan(self) -> Scan:
        """The scan and its figures, computed again."""
        observed, setting, model = self.json("observed.json"), self.json("setting.json"), self.model()
        log, reference = Remembered(observed["log"]), Remembered(observed["reference"])
        every = None if setting["every_seconds"] is None else timedelta(seconds=setting["every_seconds"])
        now = None if setting["now"] is None else datetime.fromisoformat(setting["now"])
        request = Request(log, reference, resolve_columns(model, log.schema()), every, now)
        severities = setting.get("severities") or floors()  # pins of before said none
        found = Watch(DETECTORS, severities).scan(request)
        equal = None if setting["equal"] is None else (setting["equal"][0], setting["equal"][1])
        found = replace(found, incidents=tuple(of_model(each, equal) for each in found.incidents))
        subject = Subject(log, reference, request.model, found, now or log.period().end)
        return replace(found, figures=Illustrate().draw(subject))


def of_model(incident: DetectedIncident, equal: tuple[str, str] | None) -> DetectedIncident:
    """The incident with a predicate that names its rows in the whole log, where other models' rows are too."""
    if equal is None:
        return incident
    whole = all_of(equals(*equal), incident.affected.predicate)
    return replace(incident, affected=replace(incident.affected, predicate=whole))


def write_pin(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a pin, whole or not at all."""
    try:
        with ZipBundle(path) as sink:
            for name, data in members.items():
                sink.add(name, [data])
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}; name another file with --pin") from None


def read_pin(path: Path) -> Pin:
    """A pin, or a bundle that holds one.

    Raises:
        BadInput: it is none.
    """
    try:
        with zipfile.ZipFile(path) as zipped:
            infos = [each for each in zipped.infolist() if each.filename in MEMBERS or _is_chart(each.filename)]
            if any(each.file_size > MEMBER_BYTES_MAX for each in infos):
                raise BadInput(f"a member of {path} is larger than 1 GiB")
            if any(each.compress_type not in METHODS or each.flag_bits & 1 for each in infos):
                raise BadInput(f"a member of {path} is encrypted or packed in an unknown way: name what Andon wrote")
            members = {each.filename: zipped.read(each) for each in infos}
    except (OSError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile):
        raise BadInput(f"{path} is no pin: name the file that `andon scan --pin` wrote, or a bundle with one") from None
    if missing := [name for name in MEMBERS if name not in members]:
        raise BadInput(
            f"{path} holds no {missing[0]}: name the file that `andon scan --pin` wrote, or a bundle with one"
        )
    return Pin(members)


def _is_chart(name: str) -> bool:
    return name.startswith("chart-") and name.endswith(".svg")
