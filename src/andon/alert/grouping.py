"""One group per cause: hits that overlap in time belong together, until the failure is over.

Whoever is woken should be woken once. While a failure runs, everything else that jumps is most likely its consequence,
so it joins; once the leading stream says that it is over, a jump that began later is a new cause.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil

from andon.detect.hit import NEAR, Hit, Stream, follow, got_better

ANSWERS = (
    "prediction_rate",
    "slice_prediction_rate",
    "changed_decisions",
    "shifted_score",
    "score_distribution",
    "estimated_performance",
)
"""Detectors of answers that moved, which no label judged."""
CALIBRATION = "calibration"
"""A version that tells good from bad more sharply makes its high scores mean more, and its low ones less."""
BUCKETS_MIN = 2
"""A failure that rows cannot show singly (a shifted share) must have been seen in this many buckets."""


ROWS_MIN = 30
"""A failure that rows show singly must have been seen in so many of them, or in as many buckets as any other."""

LEADS_MAX = 5
"""How many of the streams that fired together may lead: the clearest of each set of columns."""


@dataclass
class Group:
    """Hits of one cause.

    Attributes:
        fired_with: the hits of the evaluation at which it fired, the clearest first.
        members: the clearest hit so far of each stream, in order of joining.
    """

    fired_with: list[Hit]
    members: dict[int, Hit] = field(default_factory=dict)

    @property
    def first(self) -> Hit:
        return self.fired_with[0]

    def add(self, hit: Hit) -> None:
        """Take a hit in."""
        known = self.members.get(id(hit.stream))
        if known is None or abs(hit.z) > abs(known.z):
            self.members[id(hit.stream)] = hit

    def at_firing(self) -> "Group":
        """The group as it stood at the evaluation at which it fired."""
        return Group(self.fired_with, {id(hit.stream): hit for hit in self.fired_with})

    def leads(self) -> list[Hit]:
        """The hits that may lead, the clearest first: of those it fired with, one per set of columns and slice.

        Marks that single out the rows concerned come before shifted shares, and a slice that kept its level while the
        rest moved does not lead.
        """
        each: dict[object, Hit] = {}
        moved = [hit for hit in self.fired_with if hit.moved_itself]
        for hit in [hit for hit in moved if hit.stream.mark.rare] or moved:
            each.setdefault((hit.stream.mark.features, hit.stream.mark.slice), hit)
        return list(each.values())[:LEADS_MAX]

    def over_at(self, t: int) -> int | None:
        """The bucket at which it was over, by what is known at `t`: when every stream that may lead says so."""
        runs = [follow(hit, t) for hit in self.leads()]
        return max(run.end for run in runs) if all(run.over for run in runs) else None


@dataclass(frozen=True)
class Releases:
    """What tells a good release from a bad one: when new versions came, and how often answers were wrong.

    Answers that move with a new version may move for the better: whether they are right, labels tell. A score may be
    scaled anew.
    """

    came: tuple[int, ...] = ()
    outcome: Stream | None = None

    def explain(self, hit: Hit) -> bool:
        """Whether a hit is no reason to open an incident, by what is known at its evaluation."""
        mark = hit.stream.mark
        if mark.good_falls and hit.effect < 0:
            return True
        if hit.stream.detector.name not in (*ANSWERS, CALIBRATION):
            return False
        run = follow(hit, hit.t)
        if mark.version is None and not any(came <= hit.t and run.begins_near(came, NEAR) for came in self.came):
            return False
        better = self.outcome is not None and got_better(self.outcome, run, hit.t)
        return better or abs(hit.effect) < mark.rescaled_min


def group(hits: Iterable[Hit], day: int = 1, releases: Releases | None = None) -> list[Group]:
    """Groups in the order in which they fired; hits come in the order of evaluations, the clearest first.

    `day` is how many buckets a day has: what all rows of a time share (the weather) moves in spells of so long.
    `releases` says what came with a new version and is no failure.
    """
    releases = releases or Releases()
    groups: list[Group] = []
    waiting: dict[int, Hit] = {}
    at, over = -1, None
    for hit in hits:
        if groups and hit.t != at:
            over = groups[-1].over_at(hit.t)
        at = hit.t
        if groups and (over is None or not _later(hit, over)):
            groups[-1].add(hit)
            if hit.t == groups[-1].first.t and not releases.explain(hit):
                groups[-1].fired_with.append(hit)
        elif not hit.opens or releases.explain(hit):
            waiting[id(hit.stream)] = hit
        elif _lasting(hit, hit.t, day):
            recent = [each for each in waiting.values() if _lasting(each, hit.t, day)]
            groups.append(_opened(hit, recent, [each for each in recent if not releases.explain(each)]))
            waiting, over = {}, None
    return groups


def _opened(hit: Hit, waited: Iterable[Hit], leading: Iterable[Hit]) -> Group:
    """A new group, with what waited for something calm to confirm it and still goes on, and those of them may lead."""
    opened = Group([hit, *sorted(leading, key=lambda each: -abs(each.z))[:LEADS_MAX]], {})
    for each in (hit, *waited):
        opened.add(each)
    return opened


def _lasting(hit: Hit, t: int, day: int) -> bool:
    """Whether a hit is worth a new group, by what is known at `t`.

    A single bad bucket, a failure that is over by now and a slice that kept its level while the rest moved are not.
    """
    if not hit.moved_itself:
        return False
    run = follow(hit, t)
    if run.over:
        return False
    shown = hit.stream.mark.rare and hit.stream.count[run.start : run.end].sum() >= ROWS_MIN
    return bool(shown) or run.end - run.start >= max(BUCKETS_MIN, ceil(day * hit.shared))


def _later(hit: Hit, over: int) -> bool:
    """Whether a hit began after bucket `over`: by its window, or by its own run where the window reaches back.

    What only labels show came to be known in its window, and may have been decided long before.
    """
    is_later = hit.stream.late is None and hit.t - hit.window + 1 >= over
    return is_later or follow(hit, hit.t).start >= over
