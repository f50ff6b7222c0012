"""Every route, by reflection: closed to strangers, permitted by role, with secure headers and problem documents."""

import re

import pytest
import yaml
from fastapi.routing import APIRoute
from starlette.routing import Route

from andon.bootstrap.packs import load_permissions, pack
from andon.interfaces.api.app import application, document_of
from andon.interfaces.api.edge import BY_KEY, OPEN, PAGES
from houses import client_of, house_in, token

ROLES = ("viewer", "responder", "commander", "reviewer", "compliance", "admin", "recorder", "signaller", "reporter")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with house_in(tmp_path_factory.mktemp("house"), failures_burst=10_000) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(house):
    with client_of(house) as opened:
        yield opened


def routes(app):
    """Every route there is, whoever added it."""
    found = []
    for route in app.routes:
        assert isinstance(route, (APIRoute, Route)), f"{route} is a kind of route that this test does not know"
        found += [(method, route.path) for method in sorted(route.methods - {"HEAD"})]
    return found


@pytest.fixture(scope="module")
def app(house):
    return application(house, "test")


def concrete(path):
    named = re.sub(r"\{[^}]+\}", "x", path)
    return f"{named}?seconds=0" if path.endswith("/stream") else named


def test_a_stranger_gets_401_from_all_but_health(app, client):
    listed = routes(app)
    assert len(listed) >= 14
    for method, path in listed:
        answer = client.request(method, concrete(path))
        assert answer.status_code == (200 if path in OPEN else 401), (method, path)
        if path not in OPEN:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Basic" if path.startswith(PAGES) else "Bearer")
            assert {"type", "title", "detail", "fix"} <= answer.json().keys()


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/nothing", "/docs", "/openapi.json", "/api/v1", "/healthz/", "//healthz"]
)
def test_a_stranger_cannot_tell_what_exists(client, path):
    assert client.get(path, follow_redirects=False).status_code == 401


def test_every_role_may_what_the_pack_says_and_nothing_else(app, client, house):
    permissions = load_permissions()
    assert set(permissions.roles) == set(ROLES)
    acts = {route.operation_id for route in app.routes if isinstance(route, APIRoute) and route.path not in OPEN}
    acts.add("ingest.accept")
    assert acts == set(permissions.acts)
    paths = {(m, r.path): getattr(r, "operation_id", r.name) for r in app.routes for m in r.methods - {"HEAD"}}
    for role in ROLES:
        header = token(house, role)
        for (method, path), act in paths.items():
            if path in OPEN or path in BY_KEY:
                continue
            answer = client.request(method, concrete(path), headers=header)
            assert (answer.status_code == 403) == (not permissions.allows(role, act)), (role, act, answer.text)
            if answer.status_code == 403:
                assert answer.json()["fix"].startswith("use a token of")


def test_permissions_are_a_file_that_names_only_roles_that_exist():
    content = yaml.safe_load(pack("permissions.yaml").read_text())
    assert {role for roles in content["acts"].values() for role in roles} <= set(content["roles"])


@pytest.mark.parametrize(
    ("body", "status", "fix"),
    [
        (b'{"a":', 422, "send one JSON document in UTF-8"),
        (b'{"model_id": "\xff"}', 400, "send one JSON document in UTF-8"),
        (b"[" * 20_000 + b"]" * 20_000, 400, "nested less than 1,000 deep"),
        (b'{"title": "x"}', 422, "mend body.model_id; /api/v1/openapi.json says what it takes"),
    ],
)
def test_a_body_that_cannot_be_read_comes_back_with_the_mend(client, house, body, status, fix):
    headers = token(house, "commander") | {"content-type": "application/json"}
    answer = client.post("/api/v1/incidents", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert fix in answer.json()["fix"]


def test_a_reason_is_in_words(client, house):
    asked = {"model_id": "m", "incident_type": "model_drift", "title": "a\0b", "started_at": "0001-01-01T00:00:00Z"}
    answer = client.post("/api/v1/incidents", json=asked, headers=token(house, "commander"))
    said = {each["field"]: each["reason"] for each in answer.json()["fields"]}
    assert said["body.title"] == "String should not hold the letter NUL"
    assert said["body.started_at"] == "a time from 1970 to 9998 is needed"


def test_every_answer_has_secure_headers(client, house):
    admin = token(house, "admin")
    for answer in (
        client.get("/healthz"),
        client.get("/nothing"),
        client.get("/nothing", headers=admin),
        client.get("/api/v1/tokens", headers=admin),
        client.post("/api/v1/events", headers=admin),
        client.put("/api/v1/tokens", headers=admin),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["fix"]


def test_the_description_names_every_route(app, client, house):
    described = {(m.upper(), path) for path, item in document_of(app)["paths"].items() for m in item}
    assert described == set(routes(app))
    answer = client.get("/api/v1/openapi.json", headers=token(house, "viewer"))
    assert answer.json()["paths"].keys() == document_of(app)["paths"].keys()


def test_health_holds_no_personal_data(client, house):
    token(house, "viewer", name="Ada Lovelace")
    for path in OPEN:
        text = client.get(path).text
        assert "Ada" not in text
        assert "tok_" not in text
    assert "andon_ready 1.0" in client.get("/metrics").text
