"""Reads labels and alert rules of a Prometheus by its HTTP API (prometheus.io/docs/prometheus/latest/querying/api)."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from andon.base.errors import BadInput, Unavailable

TIMEOUT_SECONDS: Final = 10
BYTES_MAX: Final = 32 << 20


@dataclass(frozen=True, slots=True)
class AlertRule:
    """An alerting rule: its name, its expression, the labels that it sets."""

    name: str
    expr: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus at an address."""

    url: str

    def labels(self) -> Sequence[str]:
        """The names of its labels."""
        return [str(each) for each in self._ask("labels")]

    def values(self, label: str) -> Sequence[str]:
        """The values of a label."""
        return [str(each) for each in self._ask(f"label/{urllib.parse.quote(label, safe='')}/values")]

    def rules(self) -> Sequence[AlertRule]:
        """Its alerting rules."""
        groups = self._ask("rules?type=alert").get("groups", [])
        found = [rule for group in groups for rule in group.get("rules", []) if rule.get("type") == "alerting"]
        return [AlertRule(rule["name"], rule.get("query", ""), rule.get("labels", {})) for rule in found]

    def _ask(self, path: str) -> Any:
        """The `data` of an answer.

        Raises:
            BadInput: the address is none, or what answers is no Prometheus.
            Unavailable: it does not answer.
        """
        if urllib.parse.urlsplit(self.url).scheme not in ("http", "https"):
            raise BadInput(f"{self.url} is no web address: write http://HOST:PORT")
        request = urllib.request.Request(f"{self.url.rstrip('/')}/api/v1/{path}")  # noqa: S310  # the scheme is checked
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                document = json.loads(answer.read(BYTES_MAX))
        except urllib.error.HTTPError as error:
            raise BadInput(f"{self.url} answers {error.code}: name the address of a Prometheus") from None
        except (OSError, ValueError) as error:
            if isinstance(error, ValueError):
                raise BadInput(f"{self.url} is no Prometheus: it does not answer with JSON; mend the address") from None
            raise Unavailable(f"{self.url} does not answer: start it, or mend the address") from None
        if not isinstance(document, dict) or document.get("status") != "success":
            raise BadInput(f"{self.url} is no Prometheus: mend the address")
        return document["data"]
