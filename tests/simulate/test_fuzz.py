"""schemathesis against a real server, as its administrator: no answer of 5xx, and answers as the description says."""

import subprocess
import sys
from pathlib import Path

import pytest

from houses import event, lines
from servers import declare, serving

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
SEAL = b'{"model_id":"m","reason":"x"}'


def fuzz(tmp_path, *words):
    with serving(tmp_path / "data") as server:
        server.post_events(lines(event(1)), server.secret)
        server.ask(
            "POST", "/api/v1/seals", b'{"model_id":"m","reason":"x"}', server.secret, content_type="application/json"
        )
        for number in range(2):
            declare(server, server.secret, model_id=f"m{number}")
        description = server.ask("GET", "/api/v1/openapi.json", token=server.secret)
        assert description[0] == 200
        command = [
            *(SCHEMATHESIS, "run", f"{server.url}/api/v1/openapi.json", "--url", server.url),
            *("--header", f"Authorization: Bearer {server.secret}"),
            *("--checks", CHECKS, "--seed", "1", "--no-color"),
            *("--exclude-operation-id", "access.revoke_token"),  # it would take its own
            *("--exclude-operation-id", "respond.news"),  # a stream that does not end by itself
            *words,
        ]
        environment = {"SCHEMATHESIS_HOOKS": "fuzz_hooks", "PYTHONPATH": str(Path(__file__).parent), "PATH": ""}
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        assert server.ask("GET", "/readyz")[0] == 200


def test_no_5xx(tmp_path):
    fuzz(tmp_path, "--phases", "examples,fuzzing", "--max-examples", "5")


@pytest.mark.soak
def test_no_5xx_with_more_examples(tmp_path):
    fuzz(tmp_path)
