"""What to do first, as a page for a browser: where the alert rules' runbook_url leads."""

from functools import cache

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, StrictUndefined, Template

from andon.bootstrap.packs import pack, playbook
from andon.interfaces.api.guard import Caller
from andon.interfaces.api.problems import PROBLEMS

ROUTER = APIRouter(tags=["playbooks"], responses=PROBLEMS)


@ROUTER.get("/playbooks/{incident_type}", operation_id="api.playbook", response_class=HTMLResponse)
def get_playbook(incident_type: str, _: Caller) -> HTMLResponse:
    """What to do first in an incident of a type; a browser asks for the token as a password."""
    return HTMLResponse(_template().render(page=playbook(incident_type)))


@cache
def _template() -> Template:
    text = pack("page").joinpath("playbook.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(text)
