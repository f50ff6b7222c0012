"""Watching: replay a log evaluation by evaluation, as it would have been watched live, and report what went wrong."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter

from andon.alert.grouping import Group, Releases, group
from andon.base.errors import BadInput
from andon.base.interval import MICROSECOND, Grid, Interval
from andon.base.predicate import all_of, any_of, differs, is_null, within
from andon.base.share import Share, percent
from andon.detect.budget import Budget
from andon.detect.builtin.error_rate import alike
from andon.detect.classify import Signs, classify
from andon.detect.detector import Detector
from andon.detect.finding import Finding
from andon.detect.history import History
from andon.detect.hit import Hit, outcomes, search
from andon.detect.narrow import Inquiry, blamed, narrowed
from andon.detect.planning import (
    PACE_ROWS,
    Watched,
    evaluation_length,
    make_plan,
    watch,
    with_ripeness,
)
from andon.detect.tie import broken
from andon.detect.versions import new_versions
from andon.incident.description import WHOLE, Description, asks_where, describe, followed, of_version, picture, place_of
from andon.incident.limits import limits
from andon.incident.priority import Facts, propose, still_missing
from andon.incident.scan import Affected, Changed, DetectedIncident, Note, Scan
from andon.incident.versions import Judged, came_in
from andon.incident.versions import warnings as version_warnings
from andon.inventory.change import Change
from andon.inventory.model import Model
from andon.telemetry.plan import Plan
from andon.telemetry.question import Question
from andon.telemetry.source import LogSource

Progress = Callable[[str, int, int], None]
"""Told `(phase, done, in all)` now and then."""

FINDINGS_MAX = 8
EXAMPLES = 5
INNOCENT_KINDS = ("infra", "business")
"""Kinds of change that seldom alter an answer; another kind near the start is preferred."""
RARE = 0.01
"""Up to this expected share the first and last marked rows bound the failure."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to scan, and how.

    Attributes:
        log, reference: the decisions to judge, and known-good ones.
        model: what the operator declared, resolved against the log's columns.
        every: length of an evaluation; None lets the traffic decide.
        now: the replay ends here; None: just after the last row.
    """

    log: LogSource
    reference: LogSource
    model: Model
    every: timedelta | None = None
    now: datetime | None = None


class Watch:
    """Replays a log against a reference."""

    def __init__(
        self, detectors: Sequence[Detector], severities: Mapping[str, str], budget: Budget | None = None
    ) -> None:
        """Take the detectors to run, the default severity per incident type, and an alarm budget, else the model's."""
        self._detectors = tuple(detectors)
        self._severities = severities
        self._budget = budget

    def scan(self, request: Request, progress: Progress | None = None) -> Scan:
        """Every incident that the log shows, found with what was known at each evaluation only."""
        begun = time.monotonic()
        tell: Progress = progress or (lambda _phase, _done, _all: None)
        period = request.log.period()
        now = request.now or period.end
        if now <= period.start:
            raise BadInput(f"nothing was decided before --now {now.isoformat()}: the log starts at {period.start}")
        watched, history = self._count(request, now, tell)
        budget = self._budget or Budget(request.model.false_incidents_per_quarter)
        found = search(watched, history, self._detectors, budget, lambda d, n: tell("evaluating", d, n))
        earliest = request.log.time_of_row(PACE_ROWS)
        found = [hit for hit in found if earliest is not None and history.evaluation(hit.t) > earliest]
        day = -(-timedelta(days=1) // history.plan.grid.length)
        came = new_versions(watched, history).values()
        releases = Releases(tuple(first for _, first in came), outcomes(watched, history, self._detectors))
        incidents = tuple(self._incident(each, watched, request, history, now) for each in group(found, day, releases))
        judged = Judged(
            request.log, request.reference, watched, history, now, lambda plan: self._ask(plan, request, now)
        )
        versions = came_in(judged)
        first_seen = None if request.model.columns.version is None else versions.first
        grid, known = history.plan.grid, request.log.answer(Question("true", now))
        return Scan(
            model_id=request.model.id,
            rows=known.count,
            period=Interval(period.start, period.start if known.last is None else known.last + MICROSECOND),
            evaluation=grid.length,
            evaluations=max(grid.last_evaluation(now) - grid.bucket(period.start), 0),
            incidents=incidents,
            notes=_unblamed(versions.first, incidents),
            warnings=(*limits(request.model, judged), *version_warnings(judged, versions)),
            seconds=time.monotonic() - begun,
            detectors=tuple(each.name for each in self._detectors if each.cubes(watched)),
            versions=first_seen,
        )

    def _count(self, request: Request, now: datetime, tell: Progress) -> tuple[Watched, History]:
        length = request.every or request.model.evaluation or evaluation_length(request.log, request.model)
        tell("reading the reference", 0, 1)
        grid = Grid(length)
        watched = with_ripeness(watch(request.model, request.reference), request.reference, grid)
        cubes = [cube for detector in self._detectors for cube in detector.cubes(watched)]
        plan = make_plan(watched, cubes, grid)
        reference = request.reference.summarize(plan, request.reference.period().end)
        tell("reading the reference", 1, 1)
        log = request.log.summarize(plan, now, lambda done, rows: tell("counting rows", done, rows))
        return watched, History.of(plan, log, reference, now)

    def _narrowed(self, known: Description, watched: Watched, request: Request, history: History) -> Description:
        """The description with a slice of two columns, or of another one, where that says it better."""
        if not asks_where(known):
            return known
        now = history.evaluation(known.t)
        stream, marked = known.lead.stream, None
        if stream.late is not None and (shown := stream.mark.shown) is not None:
            marked = request.model.as_known(shown, request.log.schema().names, now)

        def ask(plan: Plan) -> History:
            return self._ask(plan, request, now)

        found = narrowed(Inquiry(known.lead, place_of(known, watched), known.run, watched, marked), history, ask)
        if found is not None:
            known = followed(known, found, watched)
        inquiry = Inquiry(known.lead, place_of(known, watched), known.run, watched, marked)
        version = None if known.signs.version else blamed(inquiry, history, ask)
        return known if version is None else of_version(known, version, watched)

    def _signs(self, known: Description, watched: Watched, request: Request, history: History) -> Signs:
        """Its signs, with what a column that moved in all traffic left behind."""
        signs, now = known.signs, history.evaluation(known.t)
        if signs.sliced or not signs.inputs_moved:
            return signs
        moved = known.lead.stream.mark, signs.inputs_moved
        tie = broken(moved, known.run, watched, history.plan.grid, lambda plan: self._ask(plan, request, now))
        return signs if tie is None else replace(signs, left_behind=tie.companion)

    def _ask(self, plan: Plan, request: Request, now: datetime) -> History:
        reference = request.reference.summarize(plan, request.reference.period().end)
        return History.of(plan, request.log.summarize(plan, now), reference, now)

    def _incident(
        self, each: Group, watched: Watched, request: Request, history: History, now: datetime
    ) -> DetectedIncident:
        model = request.model
        at_firing = self._narrowed(
            describe(each.at_firing(), each.first.t, watched, history), watched, request, history
        )
        slug, reason = classify(self._signs(at_firing, watched, request, history))
        told = describe(each, len(history.buckets) - 1, watched, history)
        known = self._narrowed(told, watched, request, history)
        shown = told.lead if told.lead.stream.late is not None else known.lead
        report = _Report(request, history, known, history.evaluation(each.first.t), now)
        affected, observed, wrong = report.affected(), report.observed(), report.wrong(watched)
        place = known.slice
        priority = propose(
            Facts(
                decisions=affected.count,
                risk=model.risk,
                defined_group=place is not None,
                protected_group=place is not None and watched.protects(place.columns),
            ),
            self._severities[slug],
        )
        series = picture(known)
        return DetectedIncident(
            incident_type=slug,
            priority=priority.level,
            severity=priority.severity,
            priority_rule=priority.rule,
            facts_missing=still_missing(priority.facts_missing, affected.count, 0 if wrong is None else wrong.of),
            summary=f"{_sentence(known, observed)}; {_when(reason, at_firing, known)}",
            started_at=report.started_at,
            started_at_low=report.low,
            started_at_high=report.high,
            detected_at=history.evaluation(each.first.t),
            ended_at=report.ended_at,
            slice=place,
            changed=Changed(known.features, known.signs.version, report.change),
            affected=affected,
            findings=tuple(report.finding(hit) for hit in _shown(each, shown, watched)),
            series=tuple(series),
            series_start=history.start(0),
            series_step=(history.evaluation(known.t) - history.start(0)) / max(len(series), 1),
            observed=observed,
            expected=known.before,
            wrong=wrong,
        )


def _unblamed(versions: Mapping[str, datetime], incidents: Sequence[DetectedIncident]) -> tuple[Note, ...]:
    """A remark for each version that came and that no incident names."""
    to_blame = {incident.changed.version for incident in incidents}
    return tuple(
        Note(at, f"version {name or '(empty)'} first seen in the log")
        for name, at in versions.items()
        if name not in to_blame
    )


class _Report:
    """One incident's bounds in time and rows: asks the log the few bounded questions that a summary cannot answer."""

    def __init__(
        self, request: Request, history: History, known: Description, detected: datetime, now: datetime
    ) -> None:
        self._request, self._history, self._known, self._now = request, history, known, now
        run, length = known.run, history.plan.grid.length
        self.low = history.start(run.low)
        latest = history.evaluation(run.high)
        started = history.start(run.start)
        over = history.evaluation(run.end - 1) if run.over else None
        self.change = self._change_near(self.low - length, latest + length)
        rows = self._rare_rows(over)
        if rows is not None:
            started = rows.start
            over = None if over is None else rows.end
        elif self.change is not None and self.change.kind not in INNOCENT_KINDS:
            started = self.change.at
        if over is not None and rows is None:
            over = self._ended_near(over - length, over + length) or over
        self.started_at = min(started, detected)
        self.low, self.high = min(self.low, self.started_at), max(latest, self.started_at)
        self.ended_at = over

    def _known_changes(self, low: datetime, high: datetime) -> list[Change]:
        return [c for c in self._request.model.changes if low <= c.at <= high and c.at < self._now]

    def _change_near(self, low: datetime, high: datetime) -> Change | None:
        best = self._history.start(self._known.run.start)
        near = self._known_changes(low, high)
        return min(near, key=lambda c: (c.kind in INNOCENT_KINDS, abs(c.at - best)), default=None)

    def _ended_near(self, low: datetime, high: datetime) -> datetime | None:
        near = [c.at for c in self._known_changes(low, high) if c.kind not in INNOCENT_KINDS]
        return min(near, key=lambda at: abs(at - (low + (high - low) / 2)), default=None)

    def _rare_rows(self, over: datetime | None) -> Interval | None:
        """First and last row that carries a rare mark: sharper than buckets."""
        mark = self._known.lead.stream.mark
        if not mark.rare or mark.predicate is None or self._known.before > RARE:
            return None
        asked = Question(all_of(mark.predicate, self._place()), over or self._now, since=self.low)
        found = self._request.log.answer(asked)
        if found.first is None or found.last is None:
            return None
        return Interval(found.first, found.last + MICROSECOND)

    def _place(self) -> str:
        return self._known.slice.predicate if self._known.slice is not None else "true"

    def _predicate(self, start: datetime) -> str:
        time_column, mark = self._request.model.columns.time, self._known.lead.stream.mark
        parts = [within(time_column, Interval(start, max(self.ended_at or self._now, start)))]
        if self._known.slice is not None:
            parts.append(self._known.slice.predicate)
        if mark.rare and mark.predicate is not None and self._known.after < WHOLE:
            parts.append(mark.predicate)
        return all_of(*parts)

    def affected(self) -> Affected:
        """The rows concerned; the bounds are those of the start."""

        def count(start: datetime) -> int:
            return self._request.log.answer(Question(self._predicate(start), self._now, since=start)).count

        low, point, high = count(self.high), count(self.started_at), count(self.low)
        return Affected(self._predicate(self.started_at), point, min(low, point), max(high, point))

    def observed(self) -> float:
        """The share of the leading mark in the part and the span: of their very rows if they can be asked for it."""
        known, model, mark = self._known, self._request.model, self._known.lead.stream.mark
        is_alike = self._request.log.schema().is_alike(self._request.reference.schema(), mark.features)
        if (shown := mark.shown) is None or not is_alike:
            return known.after
        shown = model.as_known(shown, self._request.log.schema().names, self._now)
        seen = self._share(self._place(), shown).value
        return known.after if seen is None else seen

    def wrong(self, watched: Watched) -> Share | None:
        """How many of the affected decisions were wrong, of those whose label had arrived."""
        if watched.classes is None or not alike(*(each.values for each in watched.classes)):
            return None
        model, types, (label, answer) = self._request.model, self._request.log.schema().types, watched.classes
        if label.column not in types or answer.column not in types:
            return None
        shown = model.as_known(differs(answer.column, label.column), types, self._now)
        found = self._share(self._predicate(self.started_at), shown)
        return found if found.of else None

    def _share(self, where: str, shown: str) -> Share:
        """The rows within the span that a predicate shows, of those that it says yes or no of."""
        end = min(max(self.ended_at or self._now, self.started_at), self._now)

        def count(predicate: str) -> int:
            asked = Question(all_of(where, predicate), end, since=self.started_at)
            return self._request.log.answer(asked).count

        hits = count(shown)
        return Share(hits, hits + count(f"not ({shown})"))

    def finding(self, hit: Hit) -> Finding:
        """A hit as a finding, with some entries that show it."""
        stream, mark = hit.stream, hit.stream.mark
        window = Interval(self._history.start(hit.t - hit.window + 1), self._history.evaluation(hit.t))
        part = slice(hit.t - hit.window + 1, hit.t + 1)
        total = stream.total[part].sum()
        return Finding(
            detector=stream.detector.name,
            layer=stream.detector.layer,
            statistic=stream.detector.statistic,
            value=hit.effect,
            low=hit.effect - 1.96 * hit.error,
            high=hit.effect + 1.96 * hit.error,
            threshold=max(hit.threshold * hit.error, mark.effect_min),
            n=int(total),
            window=window,
            at=self._history.evaluation(hit.t),
            slice=mark.slice,
            features=mark.features,
            before=hit.level_before,
            after=hit.level_now,
            what=mark.what,
            mark=mark.predicate,
            entries=self._entries(hit, window.end),
        )

    def _entries(self, hit: Hit, known: datetime) -> tuple[str, ...]:
        """Ids of some rows that the hit counted, by what was known then."""
        columns, mark = self._request.model.columns, hit.stream.mark
        first, end = hit.stream.decided(hit.t - hit.window + 1, hit.t + 1)
        shown: list[str] = []
        if hit.stream.late is not None:
            if columns.label_time is None:
                return ()
            came = within(columns.label_time, Interval(self._history.start(0), known))
            unknown = any_of(is_null(columns.label_time), f"not ({came})")
            shown.append(unknown if hit.stream.late.missing else came)
        shown += [mark.slice.predicate] if mark.slice is not None else []
        shown += [mark.predicate] if mark.predicate is not None and hit.effect > 0 else []
        since, before = self._history.start(first), min(self._history.evaluation(end - 1), known)
        return self._request.log.answer(Question(all_of(*shown), before, EXAMPLES, since)).examples


def _shown(each: Group, lead: Hit, watched: Watched) -> list[Hit]:
    """The leading hit, then those that moved by themselves: the clearest of each detector, then their next ones.

    One per detector, columns and slice; the sides of a number at all its cuts are one slice: where one of them moved,
    so did those beside it. A slice that kept its level while the rest moved is the other side of the same failure, and
    convinces nobody.
    """
    hits: dict[tuple[object, ...], Hit] = {}
    first = each.members.get(id(lead.stream), lead)
    for hit in (first, *sorted(each.members.values(), key=lambda hit: -abs(hit.z))):
        if hit is first or hit.moved_itself:
            mark = hit.stream.mark
            place = mark.slice.columns if mark.slice is not None and watched.is_cut(mark.slice) else mark.slice
            hits.setdefault((hit.stream.detector.name, mark.features, place), hit)
    turns, order = Counter[str](), []
    for hit in hits.values():
        order.append(turns[hit.stream.detector.name])
        turns[hit.stream.detector.name] += 1
    return [hit for _, hit in sorted(zip(order, hits.values(), strict=True), key=itemgetter(0))][:FINDINGS_MAX]


def _when(reason: str, at_firing: Description, known: Description) -> str:
    """Why it is of its type, which is that of when it was found: inputs may have moved since."""
    return f"when it was found, {reason}" if known.features and not at_firing.features else reason


def _sentence(known: Description, observed: float) -> str:
    what, where = known.lead.stream.mark.what, "" if known.slice is None else f" where {known.slice.predicate}"
    return f"{what} in {percent(observed)} of decisions{where}, {percent(known.before)} expected"
