"""Alerts of which nothing says which model they are about: kept by group, with a proposal for each."""

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

TELLING: Final = (
    *("model", "model_name", "modelname", "model_id", "app", "app_kubernetes_io_name", "service", "deployment"),
    *("job", "component", "container", "namespace", "suite", "metric", "alertname", "event_source"),
)
"""Labels that may tell a model, the most telling first."""
_ALIKE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Proposal:
    """A map to make: the label that tells these alerts apart, and the model that its value resembles, if one does."""

    label: str
    value: str
    model_id: str | None


@dataclass(frozen=True, slots=True)
class UnmappedGroup:
    """Alerts of one group key.

    Attributes:
        group_key: as their source names what belongs together.
        source: who sends them.
        alerts: how many, and how many of them fire.
        title: of the newest.
        labels: what all of them have.
        proposal: None: no label tells them apart.
    """

    group_key: str
    source: str
    alerts: int
    firing: int
    title: str
    labels: Mapping[str, str]
    proposal: Proposal | None


def propose(labels: Mapping[str, str], models: Collection[str]) -> Proposal | None:
    """The map that labels suggest: a label whose value names or resembles a model, else the most telling one."""
    told = [(name, labels[name]) for name in TELLING if labels.get(name)]
    for name, value in told:
        near = _resembled(value, models)
        if near is not None:
            return Proposal(name, value, near)
    return None if not told else Proposal(*told[0], None)


def grouped(
    rows: Iterable[tuple[str, str, str, bool, Mapping[str, str]]], models: Collection[str]
) -> Sequence[UnmappedGroup]:
    """Groups, the largest first, of (group key, source, title, whether it fires, labels)."""
    found: dict[tuple[str, str], list[tuple[str, bool, Mapping[str, str]]]] = {}
    for group_key, source, title, fires, labels in rows:
        found.setdefault((source, group_key), []).append((title, fires, labels))
    groups = []
    for (source, group_key), members in found.items():
        common = dict(set.intersection(*(set(labels.items()) for _, _, labels in members)))
        firing = sum(fires for _, fires, _ in members)
        proposal = propose(common, models)
        groups.append(UnmappedGroup(group_key, source, len(members), firing, members[-1][0], common, proposal))
    return sorted(groups, key=lambda each: (-each.alerts, each.source, each.group_key))


def _resembled(value: str, models: Collection[str]) -> str | None:
    """The model that a value names, holds, or nearly is."""
    low = value.lower().replace("_", "-")
    by_name = {name.lower().replace("_", "-"): name for name in sorted(models)}
    if low in by_name:
        return by_name[low]
    held = [name for name in by_name if name in low or (len(low) > 3 and low in name)]  # noqa: PLR2004  # `ml` is in many
    if held:
        return by_name[max(held, key=len)]
    near = difflib.get_close_matches(low, list(by_name), n=1, cutoff=_ALIKE)
    return by_name[near[0]] if near else None
