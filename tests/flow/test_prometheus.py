"""The shipped rules in a real Prometheus and Alertmanager: they fire on Andon's metrics and open the incident."""

import base64
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import yaml

import components
from andon.base.errors import BadInput
from andon.bootstrap.packs import floors
from andon.bootstrap.rules import rules
from servers import ANDON, SECRET, serving

CASES = sorted((Path(__file__).parents[1] / "data").glob("prometheus_*_test.yml"))
URL = "http://127.0.0.1:8600"


def until(condition, seconds):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)
    return found


def promtool(folder, *words):
    return subprocess.run(  # noqa: S603
        [components.promtool(), *words], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("cases", CASES, ids=lambda path: path.stem)
def test_the_rules_pass_promtool(cases, tmp_path):
    (tmp_path / "rules.yml").write_text(rules(URL))
    shutil.copy(cases, tmp_path / "cases.yml")
    for words in (("check", "rules", "rules.yml"), ("test", "rules", "cases.yml")):
        done = promtool(tmp_path, *words)
        assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_a_rule_for_every_type_with_a_runbook():
    found = [rule for group in yaml.safe_load(rules(URL))["groups"] for rule in group["rules"]]
    assert {rule["labels"]["incident_type"] for rule in found} == set(floors())
    assert all(rule["annotations"]["runbook_url"].startswith(f"{URL}/playbooks/") for rule in found)
    assert len({rule["alert"] for rule in found}) == len(found)


def test_the_runbook_of_every_rule_opens_in_a_browser_that_has_a_token_and_in_no_other(tmp_path, andon):
    with serving(tmp_path) as server:
        secret = server.secret  # one made beside the server is a stranger until it has looked
        password = base64.b64encode(f"ada:{secret}".encode()).decode()
        for rule in [rule for group in yaml.safe_load(rules(server.url))["groups"] for rule in group["rules"]]:
            path = rule["annotations"]["runbook_url"].removeprefix(server.url)
            assert server.ask("GET", path)[0] == 401
            for header in (f"Basic {password}", f"Bearer {secret}"):
                code, page = server.ask("GET", path, authorization=header)
                assert code == 200
                assert b"what to do first</h1>" in page
            code, said, err = andon(*rule["annotations"]["runbook"].partition(": andon ")[2].split())
            assert (code, err) == (0, "")
            assert "What to do first" in said
        for wrong in (f"Basic {password[:-4]}", "Basic x", "Basic", f"Basic {base64.b64encode(b'ada').decode()}"):
            assert server.ask("GET", path, authorization=wrong)[0] == 401
        assert server.ask("GET", "/api/v1/incidents", authorization=f"Basic {password}")[0] == 401  # pages only
        assert server.ask("GET", "/playbooks/model_drif", token=secret)[0] == 404


def test_the_operators_resource_holds_the_same_groups_and_times_divide():
    plain, resource = yaml.safe_load(rules(URL)), yaml.safe_load(rules(URL, as_resource=True))
    assert (resource["kind"], resource["spec"]) == ("PrometheusRule", plain)
    fast = yaml.safe_load(rules(URL, faster=60))["groups"][0]
    assert (fast["interval"], fast["rules"][0]["for"]) == ("1s", "15s")
    for wrong in ({"url": "file:///etc"}, {"url": URL, "faster": 0}):
        with pytest.raises(BadInput):
            rules(**wrong)


def scan(server, live):
    figures = {"live_accuracy": {"v1": "0.9", "v2": live}, "baseline_accuracy": {"v1": "0.92"}}
    body = {"scan": {"schema": "andon.scan/1", "model_id": "loans", "incidents": []}, "figures": figures}
    taken = server.ask(
        "POST", "/api/v1/signals/scan", json.dumps(body).encode(), server.secret, content_type="application/json"
    )
    assert taken[0] == 202


def test_a_rule_fires_opens_the_incident_and_the_resolve_arrives(tmp_path):
    with serving(tmp_path / "data") as server:
        signaller = SECRET.findall(server.said)[-1]
        assert signaller != server.secret
        receiver = {
            "url": f"{server.url}/api/v1/signals/alertmanager",
            "http_config": {"authorization": {"credentials": signaller}},
        }
        scan(server, "0.70")
        target = server.url.removeprefix("http://")
        fast = rules(server.url, faster=60)
        with (
            components.alertmanager(tmp_path / "alertmanager", receiver) as alertmanager,
            components.prometheus(tmp_path / "prometheus", target, fast, alertmanager) as prometheus,
        ):
            incidents = "/api/v1/incidents"
            [incident] = until(lambda: server.ask("GET", incidents, token=server.secret)[1]["items"], 60)
            assert (incident["model_id"], incident["model_version"]) == ("loans", "v2")
            assert incident["incident_type"] == "model_performance_degradation"
            assert incident["title"] == "Model loans v2: accuracy fell to 70%, under 90% of the baseline"
            assert incident["detected_by"] == "AIModelPerformanceDegraded alert"
            scan(server, "0.91")
            until(lambda: server.ask("GET", incidents, token=server.secret)[1]["items"][0]["ended"] == 1, 60)
            proposed = subprocess.run(  # noqa: S603
                [ANDON, "connect", "prometheus", prometheus, "--json"], capture_output=True, text=True, check=False
            )
        assert proposed.returncode == 0, proposed.stderr
        found = json.loads(proposed.stdout)
        assert (found["label"], found["models"]) == ("model_id", ["loans"])
        assert "AIModelPerformanceDegraded" in found["mapped"]
        assert found["maps"] == []


def test_connecting_to_what_is_none_says_so(tmp_path):
    with serving(tmp_path / "data") as server:
        for url, code in ((server.url, 2), ("http://127.0.0.1:9", 4), ("ftp://x", 2)):
            done = subprocess.run(  # noqa: S603
                [ANDON, "connect", "prometheus", url], capture_output=True, text=True, check=False
            )
            assert done.returncode == code, done.stderr
            assert "Traceback" not in done.stderr


UNMAPPED_RULES = """
groups:
  - name: others
    rules:
      - {alert: LoansApiSlow, expr: 'up{job="loans-api"} < 0', labels: {incident_type: resource_exhaustion}}
      - {alert: DiskFull, expr: 'up < 0'}
"""


def test_a_rule_that_names_no_model_gets_a_map(tmp_path):
    with serving(tmp_path / "data") as server:
        entry = b'{"id": "loans", "owner": "x"}'
        server.ask("POST", "/api/v1/models", entry, server.secret, content_type="application/json")
        target = server.url.removeprefix("http://")
        with components.prometheus(tmp_path / "prometheus", target, UNMAPPED_RULES) as prometheus:

            def proposed():
                words = [ANDON, "connect", "prometheus", prometheus, "--out", str(tmp_path / "models.yaml")]
                done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
                return done.stdout if "by the label model_id" in done.stdout else ""

            said = until(proposed, 60)
        assert "andon signal map alertname=LoansApiSlow --model loans --type resource_exhaustion" in said
        assert "andon signal map alertname=DiskFull --model MODEL" in said
        assert yaml.safe_load((tmp_path / "models.yaml").read_text())["id"] == "loans"
