"""The figures of a run, as JSON and as a table."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from quiet_replays.poisson import Rate, balanced_rate, rate, share
from quiet_replays.replay import FalseIncident, Outcome, plain

SCHEMA = "andon.quiet/1"
DAYS = 1_000
EVALUATIONS = 10_000

REMARKS = (
    "Intervals: exact Poisson, 95 % (Garwood).",
    "Every incident counts, also the second one of a replay; those of one replay hang together.",
    "Replays of one log share its rows: the intervals speak of more replays of these logs, not of other logs.",
    "Natural backgrounds drift, and a join between two blocks is a jump that the real log never made: what fires there",
    "and not in the history as it happened may be the join's doing.",
)


@dataclass(frozen=True)
class Result:
    """All that a run found.

    Attributes:
        settings: what was asked for.
        logs: per scenario how it was cut.
        replays: the scans of the replays, in order.
        history: the scans of the quiet parts as they happened; they count in no rate.
        skipped: scenarios without enough quiet history, and why.
        failed: scans that broke off: `(scenario, replay, error)`.
    """

    settings: dict[str, Any]
    logs: dict[str, dict[str, Any]]
    replays: tuple[Outcome, ...]
    history: tuple[Outcome, ...]
    skipped: dict[str, str]
    failed: tuple[tuple[str, int | None, str], ...]


@dataclass(frozen=True)
class Row:
    """Figures of some replays."""

    name: str
    replays: int
    days: int
    evaluations: int
    false: int
    with_any: int
    per_days: Rate
    per_evaluations: Rate

    @classmethod
    def of(
        cls, name: str, outcomes: Sequence[Outcome], counted: Callable[[FalseIncident], bool] | None = None
    ) -> "Row":
        """The figures of some replays, with all incidents or those that `counted` picks."""
        found = [sum(counted is None or counted(each) for each in outcome.incidents) for outcome in outcomes]
        days, evaluations = sum(o.days for o in outcomes), sum(o.evaluations for o in outcomes)
        return cls(
            name=name,
            replays=len(outcomes),
            days=days,
            evaluations=evaluations,
            false=sum(found),
            with_any=sum(each > 0 for each in found),
            per_days=rate(sum(found), days, DAYS),
            per_evaluations=rate(sum(found), evaluations, EVALUATIONS),
        )

    def plain(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "replays": self.replays,
            "model_days": self.days,
            "evaluations": self.evaluations,
            "false_incidents": self.false,
            "replays_with_any": {"count": self.with_any, "share": asdict(share(self.with_any, self.replays))},
            "per_1000_model_days": asdict(self.per_days),
            "per_10000_evaluations": asdict(self.per_evaluations),
        }


def overall(outcomes: Sequence[Outcome]) -> list[Row]:
    """Everything, then each kind of background."""
    return [Row.of("all", outcomes), *grouped(outcomes, lambda outcome: outcome.background)]


def balanced(outcomes: Sequence[Outcome]) -> tuple[Rate, Rate]:
    """Rates in which each dataset weighs the same: daily logs over years hold most model-days but few decisions."""
    rows = grouped(outcomes, lambda outcome: outcome.dataset)
    by_days = balanced_rate([(row.false, row.days) for row in rows], DAYS)
    return by_days, balanced_rate([(row.false, row.evaluations) for row in rows], EVALUATIONS)


def grouped(outcomes: Sequence[Outcome], key: Callable[[Outcome], str]) -> list[Row]:
    """One row per value of a key."""
    return [Row.of(name, [o for o in outcomes if key(o) == name]) for name in sorted({key(o) for o in outcomes})]


def split(outcomes: Sequence[Outcome], key: Callable[[FalseIncident], str]) -> list[Row]:
    """One row per value of a key of the incidents, over all replays."""

    def named(name: str) -> Row:
        return Row.of(name, outcomes, lambda each: key(each) == name)

    rows = [named(name) for name in {key(each) for outcome in outcomes for each in outcome.incidents}]
    return sorted(rows, key=lambda row: (-row.false, row.name))


def dispersion(outcomes: Sequence[Outcome]) -> float | None:
    """Variance over mean of the incidents per replay: 1 if they came independently, more if they cluster."""
    counts = [len(outcome.incidents) for outcome in outcomes]
    if len(counts) < 2 or not sum(counts):  # noqa: PLR2004
        return None
    mean = sum(counts) / len(counts)
    return sum((count - mean) ** 2 for count in counts) / (len(counts) - 1) / mean


def to_document(result: Result) -> dict[str, Any]:
    """Everything, as JSON."""
    replays = result.replays
    by_days, by_evaluations = balanced(replays)
    return {
        "schema": SCHEMA,
        "settings": result.settings,
        "remarks": list(REMARKS),
        "overall": [row.plain() for row in overall(replays)],
        "each_dataset_alike": {
            "per_1000_model_days": asdict(by_days),
            "per_10000_evaluations": asdict(by_evaluations),
        },
        "dispersion": dispersion(replays),
        "by_scenario": [row.plain() for row in grouped(replays, lambda o: o.scenario)],
        "by_dataset": [row.plain() for row in grouped(replays, lambda o: o.dataset)],
        "by_detector": [row.plain() for row in split(replays, lambda each: each.detector)],
        "by_type": [row.plain() for row in split(replays, lambda each: each.incident_type)],
        "as_it_happened": [plain(outcome) for outcome in result.history],
        "logs": result.logs,
        "skipped": result.skipped,
        "failed": [{"scenario": s, "replay": n, "error": text} for s, n, text in result.failed],
        "replays": [plain(outcome) for outcome in replays],
    }


def to_text(result: Result) -> str:
    """The same for people."""
    replays = result.replays
    lines = [f"{len(replays)} quiet replays of {len(result.logs)} logs, seed {result.settings['seed']}", ""]
    lines += _table("", overall(replays))
    by_days, by_evaluations = balanced(replays)
    lines += [f"{'each dataset alike':<36}{'':>35}{_shown(by_days)}{_shown(by_evaluations)}", ""]
    lines += _cluster(replays)
    for title, rows in (
        ("by scenario", grouped(replays, lambda o: o.scenario)),
        ("by dataset", grouped(replays, lambda o: o.dataset)),
        ("by detector of the leading finding", split(replays, lambda each: each.detector)),
        ("by incident type", split(replays, lambda each: each.incident_type)),
        ("as it happened: the quiet parts themselves, not resampled (in no rate above)", overall(result.history)),
    ):
        lines += [*_table(title, rows), ""]
    lines += _incidents("false incidents in the replays", replays)
    lines += _incidents("incidents in the quiet parts as they happened", result.history)
    lines += [f"skipped {name}: {why}" for name, why in sorted(result.skipped.items())]
    lines += [f"FAILED {scenario} {_number(number)}: {text}" for scenario, number, text in result.failed]
    return "\n".join([*lines, "", *REMARKS])


def _cluster(replays: Sequence[Outcome]) -> list[str]:
    any_of, spread = sum(bool(o.incidents) for o in replays), dispersion(replays)
    part = share(any_of, len(replays))
    if part.point is None or part.low is None or part.high is None:
        return []
    text = (
        f"replays with at least one: {any_of} of {len(replays)} ({part.point:.0%}, {part.low:.0%} to {part.high:.0%})"
    )
    clustered = "" if spread is None else f"; variance over mean of incidents per replay {spread:.2f} (1: independent)"
    return [text + clustered, ""]


def _table(title: str, rows: Iterable[Row]) -> Iterator[str]:
    if title:
        yield title
    yield f"{'':<36}{'replays':>8}{'days':>9}{'evals':>9}{'false':>9}" + "".join(
        f"{head:>30}" for head in ("per 1,000 model-days", "per 10,000 evaluations")
    )
    for row in rows:
        numbers = f"{row.replays:>8}{row.days:>9,}{row.evaluations:>9,}{row.false:>9}"
        yield f"{row.name[:35]:<36}{numbers}{_shown(row.per_days)}{_shown(row.per_evaluations)}"


def _shown(value: Rate) -> str:
    if value.point is None:
        return f"{'-':>30}"
    return f"{f'{value.point:.2f} ({value.low:.2f} to {value.high:.2f})':>30}"


def _incidents(title: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield title + ("" if any(outcome.incidents for outcome in outcomes) else ": none")
    for outcome in sorted(outcomes, key=lambda o: (o.scenario, o.number or 0)):
        for each in outcome.incidents:
            origin = "" if each.origin is None else f", really {each.origin:%Y-%m-%d %H:%M}"
            yield (
                f"  {outcome.scenario} {_number(outcome.number)}: {each.incident_type} by {each.detector}, detected "
                f"{each.detected_at:%Y-%m-%d %H:%M}, start {each.started_at:%Y-%m-%d %H:%M}{origin}"
            )
            yield f"      {each.summary}"
    yield ""


def _number(number: int | None) -> str:
    return "as it happened" if number is None else f"#{number}"
