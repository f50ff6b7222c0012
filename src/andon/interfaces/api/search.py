"""Full-text search."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from andon.interfaces.api.guard import Caller, Here
from andon.interfaces.api.incident_bodies import FoundList, FoundShown
from andon.interfaces.api.problems import PROBLEMS

ROUTER = APIRouter(prefix="/api/v1", tags=["search"], responses=PROBLEMS)


@ROUTER.get("/search", operation_id="search.search")
def search(
    caller: Caller,
    house: Here,
    q: Annotated[str, Query(min_length=1, max_length=500)],
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> FoundList:
    """Incidents, lines of timelines and alerts that hold every word, or one that begins so."""
    return FoundList(items=[FoundShown(**asdict(each)) for each in house.search(caller).search(q, limit)])
