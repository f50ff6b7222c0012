"""The alert rules that Andon ships, as Prometheus reads them: a rule file, or the operator's custom resource."""

import re
from typing import Any, Final

import yaml

from andon.base.errors import BadInput
from andon.bootstrap.packs import pack

UNITS: Final = {"s": 1, "m": 60, "h": 3_600}
RESOURCE: Final = {
    "apiVersion": "monitoring.coreos.com/v1",
    "kind": "PrometheusRule",
    "metadata": {"name": "andon-ai-incidents", "namespace": "monitoring"},
}


def rules(url: str, *, faster: int = 1, as_resource: bool = False) -> str:
    """The rules as YAML.

    Args:
        url: where Andon answers; `runbook_url` points to its playbooks.
        faster: divides `for` and `interval`, to try the rules in seconds what takes minutes.
        as_resource: as a PrometheusRule (monitoring.coreos.com/v1) instead of a rule file.

    Raises:
        BadInput: the address or the divisor is none.
    """
    if not re.fullmatch(r"https?://[^\s\"']+", url):
        raise BadInput(f"--url {url} is no web address: write http://HOST:PORT or https://HOST")
    if faster < 1:
        raise BadInput("--faster divides times: give a whole number from 1")
    found = yaml.safe_load(pack("prometheus").joinpath("rules.yaml").read_text(encoding="utf-8"))
    groups = [_group(each, url.rstrip("/"), faster) for each in found["groups"]]
    document = {**RESOURCE, "spec": {"groups": groups}} if as_resource else {"groups": groups}
    return str(yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True))


def _group(group: dict[str, Any], url: str, faster: int) -> dict[str, Any]:
    made = [_rule(each, url, faster) for each in group["rules"]]
    return {"name": group["name"], "interval": _divided(group["interval"], faster), "rules": made}


def _rule(rule: dict[str, Any], url: str, faster: int) -> dict[str, Any]:
    kind = rule["labels"]["incident_type"]
    annotations = {
        "summary": rule["summary"],
        "runbook_url": f"{url}/playbooks/{kind}",
        "runbook": f"the same without a browser: andon show playbook {kind}",
    }
    kept = {name: rule[name] for name in ("alert", "expr")}
    return {**kept, "for": _divided(rule["for"], faster), "labels": rule["labels"], "annotations": annotations}


def _divided(text: str, faster: int) -> str:
    seconds = int(text[:-1]) * UNITS[text[-1]] / faster
    return text if faster == 1 else f"{max(1, round(seconds))}s"
