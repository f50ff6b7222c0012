"""Tokens."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from andon.interfaces.api.bodies import TokenAsked, TokenMade, Tokens, TokenShown
from andon.interfaces.api.guard import Caller, Here, RequestId
from andon.interfaces.api.problems import PROBLEMS
from andon.people.token import Token
from andon.services.access import Grant

ROUTER = APIRouter(prefix="/api/v1", tags=["access"], responses=PROBLEMS)


@ROUTER.post("/tokens", status_code=201, operation_id="access.create_token")
def make_token(asked: TokenAsked, caller: Caller, house: Here, request: RequestId) -> TokenMade:
    """Make a token; its secret is in this answer and nowhere else."""
    grant = Grant(asked.name, asked.role, asked.models, asked.expires_at, asked.kind)
    made = house.access(caller.id).create_token(grant, request)
    house.learn()
    return TokenMade(**_shown(made.token), token=made.secret)


@ROUTER.get("/tokens", operation_id="access.list_tokens")
def list_tokens(caller: Caller, house: Here) -> Tokens:
    """All tokens, without their secrets."""
    return Tokens(items=[TokenShown(**_shown(token)) for token in house.access(caller.id).list_tokens()])


@ROUTER.delete("/tokens/{token_id}", operation_id="access.revoke_token")
def revoke_token(token_id: str, caller: Caller, house: Here) -> TokenShown:
    """Take a token: from now on it opens nothing."""
    revoked = house.access(caller.id).revoke_token(token_id)
    house.learn()
    return TokenShown(**_shown(revoked))


def _shown(token: Token) -> dict[str, Any]:
    return {name: value for name, value in asdict(token).items() if name != "digest"}
