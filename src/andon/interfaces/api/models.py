"""Models, the versions that have earned trust, and the log of changes."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel

from andon.base.errors import BadInput
from andon.interfaces.api.bodies import Asked, Name, Reason
from andon.interfaces.api.guard import ETAG, Caller, Here, RequestId
from andon.interfaces.api.problems import PROBLEMS
from andon.interfaces.api.signal_bodies import Cursor, Limit
from andon.inventory.register import ChangeEntry, ModelEntry
from andon.services.register import Registered

ROUTER = APIRouter(prefix="/api/v1", tags=["models"], responses=PROBLEMS)


class TagShown(BaseModel):
    """A version that earned the tag known-good; `questioned_by`: open incidents of it."""

    version: str
    evidence: str
    actor: str
    earned_at: str
    lost_at: str | None
    reason: str | None
    questioned_by: list[str]


class ModelShown(BaseModel):
    """A model; without `entry` nobody registered it. `version` of the entry is its ETag."""

    id: str
    is_registered: bool
    entry: ModelEntry | None
    known_good: list[TagShown]
    incidents: list[str]
    version: int


class ModelList(BaseModel):
    """Models by id."""

    items: list[ModelShown]
    next: str | None = None


class TagAsked(Asked):
    """Which evaluation showed that a version is good, on which data, with which result."""

    evidence: Reason


class ChangesWanted(Asked):
    """Which changes to list."""

    model: Name | None = None
    limit: Limit = 100
    after: Cursor = None


class ChangeShown(BaseModel):
    """A change around a model."""

    id: str
    model_id: str
    is_registered: bool
    kind: str
    at: str
    version: str | None
    environment: str
    what: str
    url: str | None
    actor: str
    posted_at: str


class ChangeList(BaseModel):
    """Changes, the newest first."""

    items: list[ChangeShown]
    next: str | None = None


@ROUTER.post("/models", status_code=201, operation_id="register.add_model")
def add_model(asked: ModelEntry, caller: Caller, house: Here, request: RequestId, answer: Response) -> ModelShown:
    """Register a model: `id` and `owner` are the least."""
    return _shown(house.register(caller).add_model(asked, request), answer)


@ROUTER.get("/models", operation_id="register.list_models")
def list_models(caller: Caller, house: Here) -> ModelList:
    """All models, those too that only incidents or changes name."""
    return ModelList(items=[_shown(each) for each in house.register(caller).list_models()])


@ROUTER.get("/models/{model_id}", operation_id="register.get_model")
def get_model(model_id: str, caller: Caller, house: Here, answer: Response) -> ModelShown:
    """One model, its known-good versions and its incidents."""
    return _shown(house.register(caller).get_model(model_id), answer)


@ROUTER.put("/models/{model_id}", operation_id="register.change_model")
def change_model(  # noqa: PLR0913, PLR0917  # what FastAPI hands over
    model_id: str,
    asked: ModelEntry,
    caller: Caller,
    house: Here,
    request: RequestId,
    answer: Response,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> ModelShown:
    """Say anew what is true of a model, whole; `If-Match` refuses when somebody changed it meanwhile."""
    if asked.id != model_id:
        raise BadInput(f"the body is about {asked.id}, the address about {model_id}: name the same model in both")
    return _shown(house.register(caller).change_model(asked, _seen(if_match), request), answer)


@ROUTER.put("/models/{model_id}/known-good/{version}", operation_id="register.tag_version")
def tag_version(
    model_id: str, version: str, asked: TagAsked, caller: Caller, house: Here, answer: Response
) -> ModelShown:
    """Give a version the tag known-good, which it has to have earned."""
    return _shown(house.register(caller).tag_version(model_id, version, asked.evidence), answer)


@ROUTER.delete("/models/{model_id}/known-good/{version}", operation_id="register.untag_version")
def untag_version(  # what FastAPI hands over
    model_id: str,
    version: str,
    caller: Caller,
    house: Here,
    answer: Response,
    reason: Annotated[str, Query(min_length=1, max_length=10_000)],
) -> ModelShown:
    """Take the tag known-good from a version."""
    return _shown(house.register(caller).untag_version(model_id, version, reason), answer)


@ROUTER.post("/changes", status_code=201, operation_id="register.post_change")
def post_change(asked: ChangeEntry, caller: Caller, house: Here, request: RequestId) -> ChangeShown:
    """Note a deploy, retraining, edit of a prompt or a configuration, change of a pipeline, or a notice of a vendor."""
    return _change(house.register(caller).post_change(asked, request))


@ROUTER.get("/changes", operation_id="register.list_changes")
def list_changes(caller: Caller, house: Here, wanted: Annotated[ChangesWanted, Query()]) -> ChangeList:
    """Changes, the newest first."""
    rows = house.register(caller).list_changes(wanted.model, wanted.limit + 1, wanted.after)
    following = rows[wanted.limit - 1]["place"] if len(rows) > wanted.limit else None
    return ChangeList(items=[_change(row) for row in rows[: wanted.limit]], next=following)


def _change(row: dict[str, Any]) -> ChangeShown:
    return ChangeShown(**{name: row[name] for name in ChangeShown.model_fields})


def _shown(found: Registered, answer: Response | None = None) -> ModelShown:
    if answer is not None:
        answer.headers["ETag"] = f'"{found.version}"'
    tags = [{name: asdict(tag)[name] for name in TagShown.model_fields} for tag in found.tags]
    return ModelShown(
        id=found.id,
        is_registered=found.entry is not None,
        entry=found.entry,
        known_good=[TagShown(**tag) for tag in tags],
        incidents=list(found.incidents),
        version=found.version,
    )


def _seen(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = ETAG.fullmatch(if_match.strip())
    if match is None:
        raise BadInput('If-Match holds no version of a model: send the ETag of its last answer, such as "17"')
    return int(match[1])
