"""What makes alerts one incident: where, which model, which type."""

from dataclasses import dataclass
from typing import Final

from andon.base.errors import BadInput

PRODUCTION: Final = "production"
LENGTH_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class IncidentKey:
    """The key of an incident. Slice, version, instance, job and severity are attributes, not part of it.

    Raises:
        BadInput: a part is empty, too long, or has a line break.
    """

    model_id: str
    incident_type: str
    environment: str = PRODUCTION

    def __post_init__(self) -> None:
        for name in ("environment", "model_id", "incident_type"):
            value = getattr(self, name)
            if not 0 < len(value) <= LENGTH_MAX or not value.isprintable() or value != value.strip():
                raise BadInput(
                    f"the {name} of an incident is 1 to {LENGTH_MAX} printable letters without spaces around: mend it"
                )

    @property
    def text(self) -> str:
        """The key as one text; no part can hold the line break that joins them."""
        return "\n".join((self.environment, self.incident_type, self.model_id))
