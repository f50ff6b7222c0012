"""The server's application: every route, behind the edge."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp

from andon.base.errors import AndonError
from andon.bootstrap.house import House
from andon.interfaces.api import (
    enqueue,
    evidence,
    files,
    health,
    incident_work,
    incidents,
    models,
    playbooks,
    records,
    search,
    signals,
    stream,
    tokens,
)
from andon.interfaces.api.bodies import Document, Problem, Recorded
from andon.interfaces.api.commits import Commits
from andon.interfaces.api.edge import PAGES, Edge
from andon.interfaces.api.events import ACT, ARROW, PATH, Events
from andon.interfaces.api.guard import Caller
from andon.interfaces.api.intake import Intake
from andon.interfaces.api.limited import Limited
from andon.interfaces.api.limits import Buckets
from andon.interfaces.api.metrics import Metrics
from andon.interfaces.api.problems import PROBLEMS, on_crash, on_error, on_http_error, on_invalid
from andon.interfaces.api.short import short_ways

PARTS: Final = (
    health,
    evidence,
    tokens,
    incidents,
    incident_work,
    files,
    records,
    search,
    signals,
    enqueue,
    models,
    stream,
    playbooks,
)
EVENT_PROBLEMS: Final = {
    413: "body too large",
    415: "unsupported media type",
    507: "no room on the disk",
}


def create(house: House, now: Callable[[], datetime], version: str) -> ASGIApp:
    """The application over a house."""
    app = application(house, version)
    edge = Edge(Limited(app), house, now, {("POST", PATH): app.state.events, **short_ways(app)})
    app.state.admit = edge.admit
    return edge


def application(house: House, version: str) -> FastAPI:
    """The routes alone."""
    metrics, intake, commits = Metrics(house.known_models, house.types), Intake(house), Commits(house)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        intake.room.open()
        commits.room.open()
        yield
        commits.room.close()
        intake.room.close()

    app = FastAPI(
        title="Andon",
        version=version,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    app.state.house, app.state.metrics, app.state.intake, app.state.commits = house, metrics, intake, commits
    app.state.reports = Buckets(house.settings.limits.reports_per_second, house.settings.limits.reports_burst)
    app.state.uploads = 0
    app.state.events = Events(house, intake, metrics)
    app.router.routes.append(Route(PATH, app.state.events, methods=["POST"], name=ACT))
    for part in PARTS:
        app.router.routes.extend(part.ROUTER.routes)  # as they are, so that whoever lists routes finds each of them
    _describe(app)
    for kind, handler in (
        (AndonError, on_error),
        (HTTPException, on_http_error),
        (RequestValidationError, on_invalid),
        (Exception, on_crash),
    ):
        app.add_exception_handler(kind, handler)
    return app


def _describe(app: FastAPI) -> None:
    @app.get("/api/v1/openapi.json", operation_id="api.describe", tags=["api"], responses=PROBLEMS)
    def openapi(request: Request, _: Caller) -> JSONResponse:
        """This description."""
        return JSONResponse(document_of(request.app))


def document_of(app: FastAPI) -> Document:
    """The OpenAPI document, with the route that stands outside FastAPI."""
    document = app.openapi()
    if PATH not in document["paths"]:
        schemas = document["components"]["schemas"]
        schemas["Problem"] = Problem.model_json_schema()
        schemas["Recorded"] = Recorded.model_json_schema()
        document["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "browser": {"type": "http", "scheme": "basic"},
        }
        for path, item in document["paths"].items():
            for operation in item.values() if path.startswith(("/api/", PAGES)) else ():
                operation["security"] = [{"token": []}, {"browser": []}] if path.startswith(PAGES) else [{"token": []}]
        document["paths"][PATH] = {"post": _events_operation()}
    return document


def _events_operation() -> dict[str, Any]:
    more = {
        str(code): {"description": text, "content": PROBLEMS[401]["content"]} for code, text in EVENT_PROBLEMS.items()
    }
    answers = {str(code): value for code, value in PROBLEMS.items() if code != 404}  # noqa: PLR2004
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Recorded"}}}
    headers = {
        "Andon-Producer": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,100}$"},
        "Andon-Epoch": {"type": "integer", "minimum": 0},
        "Andon-First": {"type": "integer", "minimum": 0},
        "Idempotency-Key": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    }
    return {
        "operationId": ACT,
        "tags": ["events"],
        "summary": "Record events: predictions, outcomes, reviews, steps; whole or not at all.",
        "parameters": [{"name": name, "in": "header", "schema": schema} for name, schema in headers.items()],
        "requestBody": {
            "required": True,
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                ARROW: {"schema": {"type": "string", "format": "binary"}},
            },
        },
        "responses": {"200": {"description": "They are on the disk.", "content": content}, **answers, **more},
        "security": [{"token": []}],
    }
