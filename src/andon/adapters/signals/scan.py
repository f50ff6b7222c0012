"""A scan's document (`andon.scan/1`) as alerts: each incident in it is one, named by what fixes when it fires."""

import base64
import binascii
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, ValidationError

from andon.adapters.signals.body import Part, digest, object_of, wrong
from andon.alert.alert import Alert
from andon.alert.signal import Delivery, Pinned
from andon.base.errors import BadInput
from andon.base.moment import Moment

SOURCE: Final = "scan"
MEMBERS_MAX: Final = 1_000
UNPACKED_BYTES_MAX: Final = 256 << 20
_MEMBER: Final = re.compile(r"(scan|setting|observed)\.json|model\.yaml|chart-[0-9]{1,6}\.svg")
Label = Annotated[str, StringConstraints(max_length=200)]
Decimal = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12})?$")]
Share = Annotated[str, StringConstraints(pattern=r"^(0(\.[0-9]{1,12})?|1(\.0{1,12})?)$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


class _Slice(Part):
    predicate: Text


class _Affected(Part):
    predicate: str
    count: int = Field(ge=0, lt=2**53)


class _Changed(Part):
    version: str | None = None


class _Incident(Part):
    incident_type: Text
    severity: Literal["critical", "high", "medium", "low"]
    summary: Text
    started_at: Moment
    started_at_low: Moment
    started_at_high: Moment
    detected_at: Moment
    ended_at: Moment | None = None
    slice: _Slice | None = None
    affected: _Affected
    changed: _Changed = _Changed()


class _Figures(Part):
    """Decimals as text, since entries of the journal hold no floats."""

    live_accuracy: dict[Label, Share] = Field(default_factory=dict, max_length=1_000)
    baseline_accuracy: dict[Label, Share] = Field(default_factory=dict, max_length=1_000)
    kl_divergence: dict[Label, Decimal] = Field(default_factory=dict, max_length=10_000)


class _Input(Part):
    name: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    bytes: int | None = Field(None, ge=0, lt=2**53)


class _Sent(Part):
    scan: dict[str, Any]
    figures: _Figures = _Figures()
    inputs: list[_Input] = Field(default_factory=list, max_length=10_000)
    from_ledger: bool = False
    pin: str | None = None


class _Scan(Part):
    schema_: Literal["andon.scan/1"] = Field(alias="schema")
    model_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    incidents: list[_Incident] = Field(max_length=1_000)


def read(body: bytes, _: Mapping[str, str]) -> Delivery:
    """A scan as alerts, with the figures that were sent beside it: `{"scan": …, "figures": …}`, or the scan alone.

    Type and `detected_at` are fixed when an incident fires, so a later scan says the same of it.

    Raises:
        BadInput: it is no scan.
    """
    found = object_of(body)
    try:
        sent = _Sent.model_validate(found if "scan" in found else {"scan": found})
    except ValidationError as error:
        raise wrong(error) from None
    delivery = of_document(sent.scan)
    ongoing = Counter(each.labels["incident_type"] for each in delivery.alerts if not each.is_resolved)
    figures = {
        "model_id": str(sent.scan["model_id"]),
        "incidents": dict(ongoing),
        **sent.figures.model_dump(mode="json"),
    }
    return replace(delivery, figures=figures, pinned=None if sent.pin is None else _pinned(sent))


def _pinned(sent: _Sent) -> Pinned:
    """What stands in the pin, a zip as `andon scan --pin` writes it; its size is bounded before it is unpacked."""
    assert sent.pin is not None  # noqa: S101  # asked by the caller
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(sent.pin, validate=True))) as zipped:
            infos = [each for each in zipped.infolist() if _MEMBER.fullmatch(each.filename)]
            if len(infos) > MEMBERS_MAX or sum(each.file_size for each in infos) > UNPACKED_BYTES_MAX:
                raise BadInput("the pin is too large: at most 1,000 members and 256 MiB are taken; seal it by command")
            members = {each.filename: zipped.read(each) for each in infos if each.filename != "scan.json"}
    except (binascii.Error, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error):
        raise BadInput("the pin is none that `andon scan --pin` writes: send it as it was written, in Base64") from None
    in_ledger = int(sent.scan.get("rows", 0)) if sent.from_ledger else 0
    return Pinned(sent.scan, members, [each.model_dump() for each in sent.inputs], in_ledger)


def of_document(document: Mapping[str, Any]) -> Delivery:
    """The alerts of a scan's document.

    Raises:
        BadInput: it is none.
    """
    try:
        scan = _Scan.model_validate(document)
    except ValidationError as error:
        raise wrong(error) from None
    return Delivery(tuple(_alert(each, scan.model_id) for each in scan.incidents))


def _alert(found: _Incident, model_id: str) -> Alert:
    labels = {"model_id": model_id, "incident_type": found.incident_type, "severity": found.severity}
    if found.changed.version:
        labels["model_version"] = found.changed.version
    started = {"at": found.started_at, "low": found.started_at_low, "high": found.started_at_high}
    facts: dict[str, Any] = {"decisions": found.affected.count}
    more: dict[str, Any] = {"facts": facts, "started": {name: _text(at) for name, at in started.items()}}
    if found.slice is not None:
        more["slice"] = found.slice.predicate
    return Alert(
        SOURCE,
        digest(model_id, found.incident_type, _text(found.detected_at)),
        found.summary,
        found.detected_at,
        found.ended_at is not None,
        found.ended_at,
        {**labels, "alertname": "andon scan"},
        {"affected": found.affected.predicate},
        f"scan:{model_id}",
        more=more,
    )


def _text(at: datetime) -> str:
    return at.isoformat()
