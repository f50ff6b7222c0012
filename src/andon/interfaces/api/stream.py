"""`GET /api/v1/stream`: what happens to incidents, as it happens (server-sent events, HTML Standard 9.2)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import State

from andon.base.errors import Busy
from andon.bootstrap.house import House
from andon.bootstrap.journal import now
from andon.incident.opening import place_in_time
from andon.interfaces.api.bodies import Asked
from andon.interfaces.api.guard import Caller, Here
from andon.interfaces.api.problems import PROBLEMS
from andon.people.token import Token
from andon.services.respond import News, NewsPage

ROUTER = APIRouter(prefix="/api/v1", tags=["incidents"], responses=PROBLEMS)
STREAMS_MAX: Final = 100
LOOK_SECONDS: Final = 0.25
QUIET_SECONDS: Final = 15.0
"""After so long without news a comment is sent, so that nobody between takes the connection for dead."""


class StreamAsked(Asked):
    """Of which incident (all), behind which entry of the journal (from now on), for how long (for good)."""

    incident: Annotated[str, StringConstraints(max_length=100, pattern="^[ -~]*$")] | None = None
    after: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    seconds: Annotated[int, Field(ge=0, le=86_400)] | None = None


@ROUTER.get(
    "/stream",
    operation_id="respond.news",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Events."}},
)
async def stream(
    request: Request,
    caller: Caller,
    house: Here,
    wanted: Annotated[StreamAsked, Query()],
    last_event_id: Annotated[str | None, Header(pattern="^[0-9]{1,15}$")] = None,
) -> StreamingResponse:
    """Lines of timelines as they are entered: from now on, or behind an entry (`after`, or `Last-Event-ID`).

    It ends after so many `seconds`, 0: with what is there; else with the caller, its token or the server.
    """
    begun = wanted.after if last_event_id is None else int(last_event_id)
    if begun is None:
        begun = house.opened.journal.last()
    first = await run_in_threadpool(house.respond(caller).news, begun, wanted.incident)
    state = request.app.state
    if getattr(state, "streams", 0) >= STREAMS_MAX:
        raise Busy(f"{STREAMS_MAX} streams are open: close one, or come again")
    end = None if wanted.seconds is None else time.monotonic() + wanted.seconds
    listener = Listener(caller, wanted.incident, begun, end)
    return StreamingResponse(_events(state, house, listener, first), media_type="text/event-stream")


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens, to which incident (None: all), behind which entry, until when by the monotonic clock."""

    caller: Token
    incident: str | None
    begun: int
    end: float | None

    def goes_on(self, house: House) -> bool:
        """Whether it is not over."""
        if house.is_ending or (self.end is not None and time.monotonic() > self.end):
            return False
        return house.door.knows(self.caller, place_in_time(now()) or "")


async def _events(state: State, house: House, asked: Listener, page: NewsPage) -> AsyncIterator[str]:
    """The events, until the caller goes, or it is over."""
    state.streams = getattr(state, "streams", 0) + 1
    try:
        seen, quiet = -1, time.monotonic()
        yield f"id: {asked.begun}\n\n"
        while True:
            for each in page.lines:
                yield _event(each)
                quiet = time.monotonic()
            if not asked.goes_on(house):
                return
            if time.monotonic() - quiet > QUIET_SECONDS:
                yield ": nothing new\n\n"
                quiet = time.monotonic()
            if not page.has_more and house.known == seen:
                page = NewsPage((), page.after, has_more=False)
                await asyncio.sleep(LOOK_SECONDS)
                continue
            seen = house.known
            page = await run_in_threadpool(house.respond(asked.caller).news, page.after, asked.incident)
    finally:
        state.streams -= 1


def _event(news: News) -> str:
    line = {name: value for name, value in asdict(news.line).items() if name != "place"}
    data = json.dumps({"incident": news.incident_id, **line}, ensure_ascii=False)
    return f"id: {news.line.entry}\nevent: {news.line.kind}\ndata: {data}\n\n"
