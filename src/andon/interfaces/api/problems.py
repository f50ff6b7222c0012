"""Errors as problem+json (RFC 9457): what, where, and how to mend it."""

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from andon.base.errors import OVER_HTTP, AndonError, BadInput
from andon.base.flaw import mend_of
from andon.interfaces.api.bodies import NO_NUL

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 1
NO_JSON: Final = "send one JSON document in UTF-8, nested less than 1,000 deep"
DESCRIBED: Final = "/api/v1/openapi.json"
CRASHED: Final = "something broke in the server: look into its log for the time of this answer"
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    code: {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for code, text in (
        (400, "the body cannot be read"),
        (401, "no valid token"),
        (403, "not permitted"),
        (404, "not found"),
        (409, "conflict"),
        (412, "changed since it was read"),
        (422, "bad input, or refused by a rule"),
        (429, "too many requests"),
        (500, "evidence is not what was recorded"),
        (503, "busy or unavailable"),
    )
}


class HttpProblem(BadInput):
    """An error of HTTP itself, such as a body over the limit."""

    def __init__(self, status: int, title: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.title, self.more = status, title, more


def problem_of(error: AndonError) -> Response:
    """The answer to an error; `fix` is what stands behind the colon of its sentence."""
    text = str(error)
    if isinstance(error, HttpProblem):
        return problem(error.status, error.title, text, **error.more)
    status, title = next(((s, t) for kind, s, t in OVER_HTTP if isinstance(error, kind)), (500, "internal error"))
    more: dict[str, Any] = {}
    if lines := getattr(error, "lines", None):
        more = {"count": getattr(error, "count", len(lines)), "lines": [{"line": n, "reason": why} for n, why in lines]}
    return problem(status, title, text, **more)


def problem(status: int, title: str, detail: str, **more: Any) -> Response:
    """A problem document."""
    what, colon, fix = detail.partition(": ")
    body = {
        "type": f"urn:andon:problem:{title.replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail,
        "fix": fix if colon else what,
        **more,
    }
    headers = {"Retry-After": str(RETRY_SECONDS)} if status in (429, 503) else {}
    if status == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = 'Bearer realm="andon"'
    return Response(json.dumps(body, ensure_ascii=False).encode(), status, headers, MEDIA_TYPE)


async def on_error(_: Request, error: Exception) -> Response:
    """For Starlette: an AndonError."""
    assert isinstance(error, AndonError)  # noqa: S101  # it is registered for those
    return problem_of(error)


async def on_crash(_: Request, __: Exception) -> Response:
    """For Starlette: whatever broke; the edge writes it down."""
    return problem(500, "internal error", CRASHED)


async def on_http_error(_: Request, error: Exception) -> Response:
    """For Starlette: no such path, no such method."""
    status = getattr(error, "status_code", 500)
    fix = {404: f"look at {DESCRIBED}", 405: "use another method"}.get(status, "mend the request")
    detail = str(getattr(error, "detail", "the request cannot be answered"))
    if status == 400 and "parsing the body" in detail:  # noqa: PLR2004  # FastAPI's words for bytes that are no JSON
        return problem(400, "bad request", f"the body cannot be read: {NO_JSON}")
    title = "body too large" if status == 413 else detail.lower()  # noqa: PLR2004
    answer = problem(status, title, detail if ": " in detail else f"{detail}: {fix}")
    for name, value in (getattr(error, "headers", None) or {}).items():
        answer.headers[name] = value
    return answer


async def on_invalid(_: Request, error: Exception) -> Response:
    """For FastAPI: a body or a parameter is not as the schema says; values are not repeated."""
    found: list[dict[str, Any]] = getattr(error, "errors", list)()
    fields = [{"field": ".".join(map(str, each["loc"])), "reason": _reason(each)} for each in found]
    first = fields[0] if fields else {"field": "body", "reason": "not as the schema says"}
    if found and found[0].get("type") == "json_invalid":
        return problem(
            422, "bad input", f"the body is no JSON at letter {found[0]['loc'][-1]}: {NO_JSON}", fields=fields
        )
    detail = f"{first['field']}: {first['reason']}"
    return problem(
        422, "bad input", detail, fields=fields, fix=f"mend {first['field']}; {DESCRIBED} says what it takes"
    )


def _reason(found: Mapping[str, Any]) -> str:
    """Why a value is not taken, and how to mend it, in words."""
    if found.get("ctx", {}).get("pattern") == NO_NUL:
        return "String should not hold the letter NUL"
    return mend_of(found)
