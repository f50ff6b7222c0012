"""A report in words, by a user, staff or a third party: classified, and kept as it is."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from andon.adapters.signals.body import digest, object_of, wrong
from andon.alert.alert import Alert
from andon.alert.signal import Delivery
from andon.base.moment import Moment
from andon.incident.wording import TEXT_MAX, Reading

SOURCE: Final = "report"
TITLE_MAX: Final = 200
Short = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]


class Report(BaseModel):
    """A report; a key that nobody knows is a mistake, so that nothing a reporter writes is dropped unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, StringConstraints(min_length=1, max_length=TEXT_MAX, strip_whitespace=True)]
    reporter: Literal["user", "staff", "regulator", "journalist", "partner", "researcher"]
    model_id: Short | None = None
    incident_type: Short | None = None
    seen_at: Moment | None = None
    contact: Short | None = None
    url: Annotated[str, StringConstraints(max_length=2_000)] | None = None


@dataclass(frozen=True, slots=True)
class Reports:
    """Reads reports; `classify` says what a text is about."""

    classify: Callable[[str], Reading]

    def __call__(self, body: bytes, _: Mapping[str, str]) -> Delivery:
        """A report as an alert; the same words about the same model are the same report.

        Raises:
            BadInput: it is none.
        """
        found = object_of(body)
        try:
            report = Report.model_validate(found)
        except ValidationError as error:
            raise wrong(error) from None
        reading = self.classify(report.text)
        kind = report.incident_type or reading.incident_type
        named = {"model_id": report.model_id, "incident_type": kind, "severity": reading.severity}
        labels = {name: value for name, value in named.items() if value}
        told = {"text": report.text, "rule": reading.rule, "contact": report.contact or ""}
        alert = Alert(
            SOURCE,
            digest(report.reporter, report.model_id or "", " ".join(report.text.lower().split())),
            _first_line(report.text),
            report.seen_at,
            labels={**labels, "reporter": report.reporter, "alertname": f"report by a {report.reporter}"},
            annotations={name: value for name, value in told.items() if value},
            group_key=f"report:{report.reporter}",
            url=report.url or "",
            more={"facts": dict(reading.facts)},
        )
        return Delivery((alert,), reply={"classified": asdict(reading)})


def _first_line(text: str) -> str:
    """The first sentence, as a title."""
    first = " ".join(text.split())
    end = next((place + 1 for place, letter in enumerate(first) if letter in ".!?" and place >= 20), len(first))  # noqa: PLR2004
    first = first[:end]
    return first if len(first) <= TITLE_MAX else f"{first[: TITLE_MAX - 1]}…"
