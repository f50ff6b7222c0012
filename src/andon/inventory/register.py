"""The register of models and their change log: what an organisation says of each model, kept by the journal."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from andon.base.fold import Change, Fold, Posting
from andon.base.moment import Moment
from andon.inventory.model import RiskClass
from andon.ledger.journal import Page, View

MODELS: Final = "models"
TAGS: Final = "model_tags"
CHANGES: Final = "model_changes"
CHANGES_PINNED: Final = 20
"""So many of the last changes go along with a seal."""
CHANGE_KINDS: Final = ("deploy", "retrain", "prompt", "configuration", "pipeline", "vendor_notice", "other")


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it has letters that do not print")
    return text


Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$")
]
ModelId = Annotated[Name, AfterValidator(_printable)]
"""As an incident's key takes it: letters that print, so that two ids that look alike are alike."""
Text = Annotated[str, StringConstraints(max_length=10_000, strip_whitespace=True)]
Names = Annotated[tuple[Name, ...], Field(max_length=1_000)]
ChangeKind = Literal["deploy", "retrain", "prompt", "configuration", "pipeline", "vendor_notice", "other"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelVersion(_Strict):
    """A version of a model."""

    version: Name
    deployed_at: Moment | None = None
    status: Text = ""


class Dependencies(_Strict):
    """What a model rests on: a failure of one is a failure of all that share it."""

    features: Names = ()
    pipelines: Names = ()
    datasets: Names = ()
    vendors: Names = ()


class ModelEntry(_Strict):
    """What the register says of a model. `id` and `owner` are the least."""

    id: ModelId
    owner: Name
    use: Text = Field("", description="What it decides, for whom.")
    risk_class: RiskClass = Field(RiskClass.UNKNOWN, description="Unknown is judged as high.")
    validation: Literal["not_validated", "validated", "expired"] = "not_validated"
    oversight: Literal["unknown", "none", "human_in_the_loop", "human_on_the_loop", "human_in_command"] = "unknown"
    versions: Annotated[tuple[ModelVersion, ...], Field(max_length=1_000)] = ()
    baseline: Text = Field("", description="Where known-good decisions are, for comparison.")
    training_profile: Text = Field("", description="Where the profile of the training data is.")
    protected: Names = ()
    depends_on: Dependencies = Dependencies()
    model_card: Text = ""

    @model_validator(mode="after")
    def _versions_differ(self) -> "ModelEntry":
        names = [each.version for each in self.versions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the version {twice[0]} stands there twice: name each once")
        return self

    def document(self) -> dict[str, Any]:
        """The entry as JSON."""
        return self.model_dump(mode="json")


class ChangeEntry(_Strict):
    """Something that was changed around a model."""

    model_id: ModelId
    kind: ChangeKind
    what: Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]
    at: Moment | None = Field(None, description="When; else now.")
    version: Name | None = None
    environment: Name = "production"
    url: Annotated[str, StringConstraints(max_length=2_000, pattern=r"^https?://\S+$")] | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """A version that has earned the tag known-good, and may have lost it again."""

    model_id: str
    version: str
    evidence: str
    actor: str
    earned_at: str
    lost_at: str | None
    reason: str | None
    questioned_by: tuple[str, ...] = ()
    """Open incidents of this version: while there is one, it is no target to go back to."""


def entry_of(row: Mapping[str, Any]) -> ModelEntry:
    """The entry of a row."""
    return ModelEntry.model_validate_json(row["content"])


def configuration_of(view: View, model_id: str) -> dict[str, Any]:
    """What is known of a model as it stands: its entry, its known-good versions, the last changes around it."""
    row = view.find(MODELS, model_id)
    tags = [each for each in view.list_rows(TAGS, {"model_id": model_id}) if each["lost_at"] is None]
    newest = Page(CHANGES_PINNED, is_newest_first=True, by="place")
    changes = view.list_rows(CHANGES, {"model_id": model_id}, newest)
    told = ("kind", "at", "version", "environment", "what")
    return {
        "registered": None if row is None or not row["content"].startswith("{") else entry_of(row).document(),
        "known_good": [each["version"] for each in tags],
        "changes": [{name: each[name] for name in told} for each in changes],
    }


def differences(before: ModelEntry | None, after: ModelEntry) -> list[tuple[str, Any, Any]]:
    """Which fields a new entry changes: name, before, after."""
    old = {} if before is None else before.document()
    return [(name, old.get(name), value) for name, value in after.document().items() if old.get(name) != value]


def why_not_known_good(
    entry: ModelEntry, version: str, deployed: Collection[str], incidents: Sequence[str]
) -> str | None:
    """Why a version has not earned the tag known-good; None: it has, once evidence is named.

    Args:
        entry: the model's.
        version: the version.
        deployed: versions that the change log knows.
        incidents: open incidents that name this version, or none.
    """
    known = {each.version for each in entry.versions} | set(deployed)
    if version not in known:
        named = ", ".join(sorted(known)[:10]) or "none yet"
        return f"{entry.id} has no version {version}: there is {named}; register it or post its deployment first"
    if entry.validation != "validated":
        return (
            f"{entry.id} is {entry.validation.replace('_', ' ')}: a version of a model that was not validated earns"
            " nothing; validate it, and set `validation: validated`"
        )
    if incidents:
        return f"{incidents[0]} is open and may be this version's: resolve it, or say there which version answered"
    return None


def _entered(posting: Posting) -> Sequence[Change]:
    name = posting.data["id"]
    content = posting.private["content"]
    owner = json.loads(content)["owner"] if content.startswith("{") else None
    values = {"id": name, "owner": owner, "risk_class": posting.data["risk_class"], "content": content}
    made = {"made_at": posting.at} if posting.kind == "model_registered" else {}
    return [Change(MODELS, name, {**values, **made, "changed_at": posting.at, "seq": posting.seq})]


def _tagged(posting: Posting) -> Sequence[Change]:
    model_id, version = posting.data["id"], posting.data["version"]
    values = {"model_id": model_id, "version": version, "evidence": posting.private["evidence"], "actor": posting.actor}
    key = tag_key(model_id, version)
    return [Change(TAGS, key, {"id": key, **values, "earned_at": posting.at, "lost_at": None, "reason": None})]


def _untagged(posting: Posting) -> Sequence[Change]:
    key = tag_key(posting.data["id"], posting.data["version"])
    return [Change(TAGS, key, {"lost_at": posting.at, "reason": posting.private["reason"]})]


def _changed(posting: Posting) -> Sequence[Change]:
    names = ("model_id", "kind", "at", "version", "environment")
    values = {name: posting.data[name] for name in names} | {"what": posting.private["what"]}
    values |= {"url": posting.private.get("url"), "actor": posting.actor, "posted_at": posting.at}
    return [
        Change(CHANGES, posting.stream, {"id": posting.stream, **values, "place": f"{values['at']}:{posting.stream}"})
    ]


def tag_key(model_id: str, version: str) -> str:
    """The key of a tag; neither part holds the line break that joins them."""
    return f"{model_id}\n{version}"


FOLDS: Final[Mapping[str, Fold]] = {
    "model_registered": _entered,
    "model_changed": _entered,
    "known_good_earned": _tagged,
    "known_good_lost": _untagged,
    "change_posted": _changed,
}
