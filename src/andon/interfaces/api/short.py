"""The short way to routes that are called often: without FastAPI between, which describes them all the same."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from andon.base.errors import AndonError, BadInput
from andon.bootstrap.house import House
from andon.interfaces.api.guard import KEY_LETTERS_MAX, house_of, permitted, signal_id
from andon.interfaces.api.problems import problem_of
from andon.people.token import Token

SHORT: Final = frozenset({"receive.alertmanager", "receive.cloudevents"})
"""The acts of such routes: their endpoints take the request, its caller, the house and the id of the request."""
Endpoint = Callable[[Request, Token, House, str | None], Awaitable[BaseModel]]


class Short:
    """Calls the endpoint of a route as FastAPI would: a half of what a signal cost was the way to it."""

    def __init__(self, app: FastAPI, route: APIRoute) -> None:
        self._app, self._route = app, route
        self._endpoint: Endpoint = route.endpoint
        self._status = route.status_code or 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        asked = Request({**scope, "app": self._app, "route": self._route, "path_params": {}}, receive, send)
        try:
            caller = await permitted(asked)
            name = await signal_id(asked, caller, _key(asked))
            done = await self._endpoint(asked, caller, house_of(asked), name)
            answer = Response(done.model_dump_json(), self._status, media_type="application/json")
        except AndonError as error:
            answer = problem_of(error)
        await answer(scope, receive, send)


def short_ways(app: FastAPI) -> Mapping[tuple[str, str], ASGIApp]:
    """The short ways, by method and path."""
    routes = (each for each in app.routes if isinstance(each, APIRoute) and each.operation_id in SHORT)
    return {("POST", each.path): Short(app, each) for each in routes}


def _key(asked: Request) -> str | None:
    """The `Idempotency-Key`, as FastAPI reads it.

    Raises:
        BadInput: it is empty or too long.
    """
    key = asked.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= KEY_LETTERS_MAX:
        raise BadInput(f"Idempotency-Key is not 1 to {KEY_LETTERS_MAX} letters long: send a UUID, for instance")
    return key
