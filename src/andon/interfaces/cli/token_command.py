"""`andon token`: make, list and take tokens in the journal of this machine; a running server knows within a second."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from andon.base.errors import BadInput, NotFound
from andon.bootstrap.journal import open_journal
from andon.bootstrap.settings import data_folder, make_folder
from andon.interfaces.cli import options, output
from andon.people.token import PAGERDUTY, Token
from andon.services.access import SIGNALLER, Grant


def create(grant: Grant, *, data: str | None, as_json: bool) -> None:
    """Make a token and print its secret, last and once."""
    folder = data_folder(data)
    make_folder(folder)
    with open_journal(folder, follows=False) as opened:
        made = opened.access().create_token(grant)
    if as_json:
        output.emit_json({**_shown(made.token), "token": made.secret})
        return
    token = made.token
    until = f"until {token.expires_at}" if token.expires_at else "until it is revoked"
    models = f", for {', '.join(token.models)} only" if token.models else ""
    output.emit(
        f"{token.id} for {token.name}, role {token.role}{models}, {until}. It is shown this once:\n{made.secret}\n"
    )


def show(*, data: str | None, as_json: bool) -> None:
    """List tokens, without their secrets."""
    with open_journal(_existing(data), follows=False) as opened:
        tokens = opened.access().list_tokens()
    if as_json:
        output.emit_json({"items": [_shown(token) for token in tokens], "next": None})
        return
    for token in tokens:
        state = "revoked" if token.revoked_at else f"until {token.expires_at}" if token.expires_at else "valid"
        output.emit(f"{token.id}  {token.role:10}  {state}  {token.name}\n")
    if not tokens:
        output.emit("there are no tokens: `andon token create` makes one\n")


def revoke(token_id: str, *, data: str | None, as_json: bool) -> None:
    """Take a token."""
    with open_journal(_existing(data), follows=False) as opened:
        token = opened.access().revoke_token(token_id)
    if as_json:
        output.emit_json(_shown(token))
        return
    output.emit(f"{token.id} of {token.name} is revoked; a running server refuses it within a second\n")


def role(given: str | None, kind: str | None) -> str:
    """The role of a new token: a routing key is a signaller's.

    Raises:
        BadInput: none is given.
    """
    if given is None and kind != PAGERDUTY:
        raise BadInput("a token needs a role: give --role, such as recorder, signaller or responder")
    return given or SIGNALLER


def expiry(text: str | None) -> datetime | None:
    """When a token ends: a length from now such as 90d, or a time."""
    if text is None:
        return None
    if options.LENGTH.fullmatch(text.strip().lower()):
        return datetime.now(UTC) + options.length(text, "--expires")  # noqa: TID251  # what the person means by a length
    return options.time(text, "--expires")


def _existing(data: str | None) -> Path:
    folder = data_folder(data)
    if not folder.exists():
        raise NotFound(f"there is no data folder {folder}: name it with --data")
    return folder


def _shown(token: Token) -> dict[str, object]:
    return {name: value for name, value in asdict(token).items() if name != "digest"}
