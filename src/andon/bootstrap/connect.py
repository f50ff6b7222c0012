"""Looks at a Prometheus that is there already, and proposes models to register and maps to make."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from andon.adapters.prometheus import AlertRule, Prometheus
from andon.alert.unmapped import TELLING, propose

MODEL_LABELS: Final = ("model_id", "model", "model_name", "modelname")
"""Labels that name models outright, the best first."""
MODELS_MAX: Final = 500
_MATCHER: Final = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"([^"\\]{1,200})"')


@dataclass(frozen=True, slots=True)
class ProposedMap:
    """An alert rule that names no model, and the map that makes its alerts belong to one; None: a person has to say."""

    alert: str
    matchers: tuple[str, ...]
    model_id: str | None
    incident_type: str | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a Prometheus shows.

    Attributes:
        label: that names the models; None: there is none.
        models: its values.
        maps: for alert rules that name no model.
        mapped: alert rules that do.
    """

    label: str | None
    models: tuple[str, ...]
    maps: tuple[ProposedMap, ...]
    mapped: tuple[str, ...]

    def inventory(self, owner: str = "to be named") -> list[dict[str, Any]]:
        """The models as entries for `andon apply`."""
        return [{"id": name, "owner": owner} for name in self.models]


def look_at(url: str, types: Sequence[str]) -> Proposal:
    """What a Prometheus proposes.

    Raises:
        BadInput: the address is none of a Prometheus.
        Unavailable: it does not answer.
    """
    prometheus = Prometheus(url)
    names = set(prometheus.labels())
    label = next((each for each in MODEL_LABELS if each in names), None)
    models = () if label is None else tuple(sorted(prometheus.values(label))[:MODELS_MAX])
    maps, mapped = [], []
    for rule in prometheus.rules():
        if "model_id" in rule.labels or re.search(r"\bmodel_id\b", rule.expr) or _keeps_models(rule, label):
            mapped.append(rule.name)
        else:
            maps.append(_proposed(rule, models, label, types))
    return Proposal(label, models, tuple(maps), tuple(mapped))


def _keeps_models(rule: AlertRule, label: str | None) -> bool:
    """Whether a rule's series carry `model_id` as they are: it looks at a metric of models, and groups nothing away."""
    return label == "model_id" and rule.expr.startswith("model_") and " by " not in rule.expr


def _proposed(rule: AlertRule, models: Sequence[str], label: str | None, types: Sequence[str]) -> ProposedMap:
    told = {**dict(_MATCHER.findall(rule.expr)), **rule.labels}
    named = None if label is None else told.get(label)
    found = propose({name: value for name, value in told.items() if name in TELLING}, models)
    model_id = named or (found.model_id if found is not None else None)
    kind = rule.labels.get("incident_type")
    return ProposedMap(rule.name, (f"alertname={rule.name}",), model_id, kind if kind in types else None)
