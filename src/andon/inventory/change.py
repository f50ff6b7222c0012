"""An entry of a model's change log."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was changed around a model (deploy, pipeline, prompt, configuration, vendor, infra)."""

    at: datetime
    kind: str
    what: str
