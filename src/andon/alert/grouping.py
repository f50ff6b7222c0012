"""One group per cause: hits that overlap in time belong together, until the failure is over.

Whoever is woken should be woken once. While a failure runs, everything else that jumps is most likely its consequence,
so it joins; once the leading stream says that it is over, a jump that began later is a new cause.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from andon.detect.hit import Hit, follow
from andon.detect.onset import Run

BUCKETS_MIN = 2
"""A failure that rows cannot show singly (a shifted share) must have been seen in this many buckets."""


@dataclass
class Group:
    """Hits of one cause.

    Attributes:
        first: the hit at which it fired (the clearest one of that evaluation).
        members: the clearest hit so far of each stream, in order of joining.
    """

    first: Hit
    members: dict[int, Hit] = field(default_factory=dict)
    closed: Run | None = None

    def add(self, hit: Hit) -> None:
        known = self.members.get(id(hit.stream))
        if known is None or abs(hit.z) > abs(known.z):
            self.members[id(hit.stream)] = hit

    def at_firing(self) -> "Group":
        """The group as it stood at the evaluation at which it fired."""
        group = Group(self.first)
        for hit in self.fired_with:
            group.add(hit)
        return group

    fired_with: list[Hit] = field(default_factory=list)

    def over_before(self, t: int) -> Run | None:
        """The run of the leading stream if, by what is known at `t`, it is over."""
        run = follow(self.first, t)
        return run if run.over else None


def group(hits: Iterable[Hit]) -> list[Group]:
    """Groups in the order in which they fired; hits come in the order of evaluations, the clearest first."""
    groups: list[Group] = []
    current: Group | None = None
    at, over = -1, None
    for hit in hits:
        if current is not None and hit.t != at:
            over = current.over_before(hit.t)
        at = hit.t
        if current is None or (over is not None and _later(hit, over)):
            if not _lasting(hit):
                continue
            current = Group(hit)
            groups.append(current)
            over = None
        current.add(hit)
        if hit.t == current.first.t:
            current.fired_with.append(hit)
    return groups


def _lasting(hit: Hit) -> bool:
    """Whether a hit is worth a new group: a single bad bucket, or a failure that is over by now, is no incident."""
    run = follow(hit, hit.t)
    return not run.over and (hit.stream.mark.rare or run.end - run.start >= BUCKETS_MIN)


def _later(hit: Hit, over: Run) -> bool:
    """Whether a hit began after a run was over: by its window, or by its own run where the window reaches back."""
    if hit.t - hit.window + 1 >= over.end:
        return True
    return follow(hit, hit.t).start >= over.end
