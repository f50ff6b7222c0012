"""How the alerts of a tool may be read: which checks page somebody, and when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from quality_peers.alerts import Alert, Incident, merge, merge_alone
from quality_peers.windows import Window


@dataclass(frozen=True, slots=True)
class Reading:
    """One row of the comparison.

    Attributes:
        tool: the module whose checks it reads.
        says: what pages somebody, in words.
        checks: their names; None: all.
        segments: whether each declared segment is watched alone as well.
        least: so many windows in a row must alert.
        alone: each alarm that goes on is an incident; else alerts of windows that follow each other are one.
    """

    tool: str
    says: str
    checks: frozenset[str] | None = None
    segments: bool = False
    least: int = 1
    alone: bool = False

    def incidents(self, alerts: Iterable[Alert], windows: Sequence[Window]) -> list[Incident]:
        """The incidents, in the order in which they were known."""
        found = (merge_alone if self.alone else merge)(self._chosen(alerts), windows, self.least)
        return sorted(found, key=lambda incident: incident.detected_at)

    def _chosen(self, alerts: Iterable[Alert]) -> list[Alert]:
        """The alerts that count."""
        named = (a for a in alerts if self.checks is None or a.check in self.checks)
        return [a for a in named if self.segments or a.segment is None]


_DATA = {"missing values", "unseen values"}
_METRICS = ("roc_auc", "f1", "mae", "rmse")
READINGS = {
    "evidently": Reading(
        "evidently",
        "half of the columns drift (DataDriftPreset), more missing or unseen values than the reference has, "
        "accuracy or ROC AUC 20 % lower, MAE or RMSE 10 % higher",
        frozenset({"dataset drift", "Accuracy worse", "RocAuc worse", "MAE worse", "RMSE worse", *_DATA}),
    ),
    "evidently-every-test": Reading(
        "evidently",
        "the same, and any column drifts or has 1 % of values out of range, or F1, precision or recall is 20 % lower",
    ),
    "evidently-each-alarm": Reading("evidently", "every test, each alarm by itself", alone=True),
    "nannyml": Reading(
        "nannyml",
        "performance, estimated (CBPE, DLE) or realised, is worse than its threshold; missing or unseen values",
        frozenset({f"{how} {metric} worse" for how in ("estimated", "realised") for metric in _METRICS} | _DATA),
    ),
    "nannyml-every-alert": Reading("nannyml", "the same, and any univariate or multivariate drift alert"),
    "nannyml-each-alarm": Reading("nannyml", "every alert, each alarm by itself", alone=True),
    "plain": Reading(
        "plain",
        "PSI over 0.2, a mean 3 sigma from the last 14, 5 points more nulls, a new category over 1 %, "
        "accuracy 5 points lower (error 20 % higher), four fifths",
    ),
    "plain-two-in-a-row": Reading("plain", "the same in two windows in a row", least=2),
    "plain-each-alarm": Reading("plain", "two windows in a row, each alarm by itself", least=2, alone=True),
    "plain-per-segment": Reading("plain", "as `plain`, and in each declared segment", segments=True),
}
