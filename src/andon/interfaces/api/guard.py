"""Which act a route is, and whether the caller may do it. A route's `operation_id` names its act: `service.method`.

The dependencies are coroutines though they wait for nothing: a plain function would be carried out in another thread,
which costs more than all they do.
"""

import hmac
import re
from contextlib import suppress
from hashlib import sha256
from typing import Annotated, Final

import orjson
from fastapi import Depends, Header, Request

from andon.base.errors import BadInput, Denied
from andon.bootstrap.house import House
from andon.incident.desk import Ask
from andon.ledger.journal import RequestName
from andon.people.token import Token

KEY_LETTERS_MAX: Final = 255
ETAG: Final = re.compile(r'(?:W/)?"([0-9]{1,15})"')


def house_of(request: Request) -> House:
    """The house that the server stands on."""
    house: House = request.app.state.house
    return house


async def here(request: Request) -> House:
    """The house, for a route."""
    return house_of(request)


async def permitted(request: Request) -> Token:
    """The caller, if its role may do the route's act.

    Raises:
        Denied: it may not.
    """
    caller: Token = request.state.caller
    house = house_of(request)
    try:
        house.permissions.require(caller.role, request.scope["route"].operation_id)
    except Denied:
        house.signals.denied(caller.id)
        raise
    return caller


async def signal_id(
    request: Request,
    caller: Annotated[Token, Depends(permitted)],
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=KEY_LETTERS_MAX)] = None,
) -> str | None:
    """The id of a request that carries a key: the same key of the same caller at the same path is the same request.

    For signals, whose bodies are read in parts, and whose entries hold what they were made of.
    """
    if idempotency_key is None:
        return None
    return (
        "key_"
        + sha256(f"{caller.id}\n{request.method} {request.url.path}\n{idempotency_key}".encode()).hexdigest()[:32]
    )


async def request_id(
    request: Request,
    name: Annotated[str | None, Depends(signal_id)],
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=KEY_LETTERS_MAX)] = None,
) -> str | None:
    """The id of a request that carries a key, with what it asks for: the same key with another body is refused."""
    if name is None or idempotency_key is None:
        return None
    return RequestName(name, await _content(request, idempotency_key))


async def _content(request: Request, key: str) -> str:
    """What a request asks for, as a digest; under its key, so that nobody finds the text by guessing."""
    body = await request.body()
    with suppress(orjson.JSONDecodeError):  # the same JSON in other bytes asks for the same
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    return hmac.new(key.encode(), request.url.query.encode() + b"\n" + body, "sha256").hexdigest()[:32]


async def asked(
    request: Annotated[str | None, Depends(request_id)],
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> Ask:
    """How a change of an incident is asked for: `Idempotency-Key`, and `If-Match` with the ETag that was looked at.

    Raises:
        BadInput: the ETag is none that this server gives.
    """
    return Ask(request, version_of(if_match))


def version_of(if_match: str | None) -> int | None:
    """The version that `If-Match` names; None: any.

    Raises:
        BadInput: it names none.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    match = ETAG.fullmatch(if_match.strip())
    if match is None:
        raise BadInput('If-Match holds no version of an incident: send the ETag of its last answer, such as "17"')
    return int(match[1])


Asking = Annotated[Ask, Depends(asked)]
Caller = Annotated[Token, Depends(permitted)]
Here = Annotated[House, Depends(here)]
RequestId = Annotated[str | None, Depends(request_id)]
SignalId = Annotated[str | None, Depends(signal_id)]
