"""Which versions of each model answered, and when: what a seal says of them without reading the log."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

VERSIONS_MAX: Final = 10_000
"""So many are known, over all models; the one that answered last longest ago is forgotten first."""


class _Head(msgspec.Struct, frozen=True, gc=False):
    kind: str = ""
    model_id: str = ""
    model_version: str = ""
    at: str = ""


_OUTCOME: Final = b'"kind":"outcome"'
_decode: Final = msgspec.json.Decoder(_Head).decode


@dataclass(slots=True)
class Versions:
    """Of each model and version, when its first and its last prediction were recorded (ISO 8601, UTC).

    Beside that, when the last label (outcome) of each model was. One thread notes while others may ask.
    """

    _of: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    _labelled: dict[str, str] = field(default_factory=dict)

    def note(self, answered: Iterable[tuple[str, str]], at: str) -> None:
        """Predictions of these models and versions were recorded; a version that is not named is empty."""
        for key in answered:
            first, _ = self._of.pop(key, (at, at))
            self._of[key] = first, at
            if len(self._of) > VERSIONS_MAX:
                del self._of[next(iter(self._of))]

    def note_labels(self, headers: Iterable[bytes], at: str) -> None:
        """Outcomes among these entries were recorded."""
        for model_id in {_decode(header).model_id for header in headers if _OUTCOME in header}:
            self._label(model_id, at)

    def _label(self, model_id: str, at: str) -> None:
        self._labelled.pop(model_id, None)
        self._labelled[model_id] = at
        if len(self._labelled) > VERSIONS_MAX:
            del self._labelled[next(iter(self._labelled))]

    def learn(self, headers: Iterable[bytes]) -> None:
        """Take in what recorded entries say, in their order."""
        for head in map(_decode, headers):
            if head.kind == "prediction":
                self.note([(head.model_id, head.model_version)], head.at)
            elif head.kind == "outcome":
                self._label(head.model_id, head.at)

    def last(self) -> tuple[dict[str, str], dict[str, str]]:
        """Of each model, when a prediction and when a label was recorded last."""
        found: dict[str, str] = {}
        for (model_id, _), (_, at) in list(self._of.items()):
            found[model_id] = max(at, found.get(model_id, at))
        return found, dict(self._labelled)

    def of(self, model_id: str) -> list[dict[str, str]]:
        """The versions of a model, the one that answered last at the end."""
        return [
            {"version": version, "first_at": first, "last_at": last}
            for (model, version), (first, last) in sorted(self._of.items(), key=_last)
            if model == model_id
        ]

    def document(self) -> list[list[str]]:
        """All of it, for a file."""
        return [[*key, *times] for key, times in list(self._of.items())]


def _last(item: tuple[tuple[str, str], tuple[str, str]]) -> str:
    return item[1][1]


def versions_from(document: Sequence[Sequence[str]], labelled: Mapping[str, str] | None = None) -> Versions:
    """What `document` gave, and the second part of `last`."""
    known = {(model, version): (first, last) for model, version, first, last in document}
    return Versions(known, dict(labelled or {}))


def together(known: Iterable[Versions], model_id: str) -> list[Mapping[str, Any]]:
    """What several logs say of a model's versions."""
    found = Versions()
    rows = sorted((each for versions in known for each in versions.of(model_id)), key=lambda each: each["last_at"])
    firsts: dict[str, str] = {}
    for each in rows:
        firsts[each["version"]] = min(each["first_at"], firsts.get(each["version"], each["first_at"]))
        found.note([(model_id, each["version"])], each["last_at"])
    return [{**each, "first_at": firsts[each["version"]]} for each in found.of(model_id)]
