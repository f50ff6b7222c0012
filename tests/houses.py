"""A server's house in a folder, and a client that talks to its application without a network between."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from andon.bootstrap.house import House, open_house
from andon.bootstrap.journal import now
from andon.bootstrap.settings import Limits, Settings
from andon.interfaces.api.app import create
from andon.services.access import Grant
from journals import prepare

NDJSON = {"content-type": "application/x-ndjson"}
EVENTS = "/api/v1/events"
YEAR = now().year
"""Incidents are numbered by it."""


def event(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"p{number}", "ts": "2026-03-01T00:00:00Z", "model_id": "m", "prediction": 1} | more


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in events)


@contextmanager
def house_in(folder: Path, database: str | None = None, **limits: Any) -> Iterator[House]:
    if database is None:
        prepare(folder)
    with open_house(Settings(folder, "127.0.0.1", 0, database, Limits(**limits))) as house:
        yield house


@contextmanager
def client_of(house: House, clock: Callable[[], datetime] = now) -> Iterator[TestClient]:
    app = create(house, clock, "test")
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def token(house: House, role: str, *models: str, name: str = "tester", **more: Any) -> dict[str, str]:
    """The header of a new token."""
    made = house.access("test").create_token(Grant(name, role, models, **more))
    house.learn()
    return {"authorization": f"Bearer {made.secret}"}
