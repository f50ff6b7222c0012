"""The priority of an incident, proposed from facts: which rule, and which facts it lacks.

Every rule answers yes, no or not known. Not known never lowers: the default severity of the type stays the floor until
the facts that are known rule harm out, an unknown risk class is judged as high, and decisions of which nobody knows
whether they were wrong or whom they concerned are counted as if each were one person's wrong decision.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from andon.inventory.model import RiskClass

SEVERITIES: Final = {"P0": "critical", "P1": "high", "P2": "medium", "P3": "low"}
"""The priority decides; this scale is derived from it."""
LEVELS: Final = {severity: level for level, severity in SEVERITIES.items()}

PEOPLE_P0: Final = 1_000
PEOPLE_P1: Final = 100
PROTECTED_P0: Final = 100
LOSS_P0_USD: Final = 100_000
WRONG: Final = "how many of the decisions were wrong"
"""What is missing while nobody looked."""
PEOPLE_UNKNOWN: Final = "how many people they concern (decisions are counted, not people)"
"""A scan does not count them, whether a column names them or not."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about an incident; None: not known.

    Attributes:
        decisions: decisions that the failure touched.
        wrong: of these, how many were wrong.
        people: distinct people concerned (0: the decisions concern nobody); None without a subject column.
        risk: risk class of the model.
        defined_group: whether the failure singles out a defined group (a slice).
        protected_group: whether that group is a protected one.
        physical_harm, confirmed_harm: whether a person came to harm; `confirmed_harm` False: looked into, none.
        loss_usd: financial loss.
        breach_of_law, compliance_gap: whether a law is being broken, whether a duty is not met.
        personal_data: whether outputs hold personal data.
        attack_works: whether crafted inputs get what they want.
        within_thresholds: whether quality declines within its thresholds only.
    """

    decisions: int
    wrong: int | None = None
    people: int | None = None
    risk: RiskClass = RiskClass.UNKNOWN
    defined_group: bool | None = None
    protected_group: bool | None = None
    physical_harm: bool | None = None
    confirmed_harm: bool | None = None
    loss_usd: float | None = None
    breach_of_law: bool | None = None
    compliance_gap: bool | None = None
    personal_data: bool | None = None
    attack_works: bool | None = None
    within_thresholds: bool | None = None


@dataclass(frozen=True, slots=True)
class Priority:
    """A proposed priority, why, and what would have to be known to be surer."""

    level: str
    severity: str
    rule: str
    facts_missing: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: `holds` says yes, no or not known; `lacks` names the facts needed to be sure."""

    level: str
    words: Callable[[Facts], str]
    holds: Callable[[Facts], bool | None]
    lacks: Callable[[Facts], tuple[str, ...]]


@lru_cache(1_024)
def propose(facts: Facts, default_severity: str, told_severity: str | None = None) -> Priority:
    """The priority that the facts call for.

    Args:
        facts: what is known.
        default_severity: of the incident's type (the taxonomy's).
        told_severity: what the source of an alert calls it; it raises the type's default, never lowers it.
    """
    harmless = rules_harm_out(facts)
    if harmless is not None:
        return _without_harm(facts, harmless)
    floor, said = _floor(default_severity, told_severity)
    fired = next((rule for rule in RULES if rule.holds(facts)), None)
    if fired is not None and fired.level <= floor:
        return _priority(fired.level, fired.words(facts), (*fired.lacks(facts), *_open(facts, fired.level)))
    words = f"{said}, and no known fact rules harm out"
    return _priority(floor, words, (*_assumed(facts), *_open(facts, floor)))


def _floor(default: str, told: str | None) -> tuple[str, str]:
    """The level that holds until facts rule harm out, and who says so."""
    if told is not None and LEVELS[told] < LEVELS[default]:
        return LEVELS[told], f"its source calls it {told}, above the default of this type, {default}"
    return LEVELS[default], f"the default of this type is {default}"


def still_missing(missing: tuple[str, ...], decisions: int, labelled: int) -> tuple[str, ...]:
    """The missing facts, where so many of the decisions have labels that say which were wrong.

    The priority does not go by them: a decision may harm though its label agrees with it, such as the help that nobody
    was sent because it is seldom needed.
    """
    if not labelled:
        return missing
    left = f"how many of the {decisions - labelled:,} decisions without a label were wrong"
    told = (left if each == WRONG else each for each in missing)
    return tuple(each for each in told if each != left or labelled < decisions)


def rules_harm_out(facts: Facts) -> str | None:
    """The known fact that rules harm out, in words; None as long as harm cannot be ruled out."""
    harm = (facts.physical_harm, facts.confirmed_harm, facts.breach_of_law, facts.compliance_gap, facts.personal_data)
    if any(harm) or facts.attack_works or facts.protected_group or (facts.loss_usd or 0) > LOSS_P0_USD:
        return None
    reasons = (
        (facts.wrong == 0, "none of the decisions was wrong"),
        (facts.people == 0, "the decisions concern no person"),
        (facts.confirmed_harm is False, "it was looked into, and nobody came to harm"),
        (facts.risk is RiskClass.MINIMAL, "the model's use is declared to be of minimal risk"),
    )
    return next((words for holds, words in reasons if holds), None)


def _priority(level: str, rule: str, missing: tuple[str, ...]) -> Priority:
    return Priority(level, SEVERITIES[level], rule, tuple(dict.fromkeys(missing)))


def _without_harm(facts: Facts, harmless: str) -> Priority:
    if facts.within_thresholds:
        return _priority("P3", f"quality declines within its thresholds; {harmless}", _open(facts, "P3"))
    return _priority("P2", f"wrong for a subset of inputs, and {harmless}", _open(facts, "P2"))


def _open(facts: Facts, level: str) -> tuple[str, ...]:
    """Facts that are not known and could raise the priority above a level."""
    return tuple(
        name for rule in RULES if rule.level < level and rule.holds(facts) is None for name in rule.lacks(facts)
    )


def _assumed(facts: Facts) -> tuple[str, ...]:
    """Facts that would have to be known to go below the floor."""
    asked = (
        (facts.wrong is None, WRONG),
        (facts.people is None, PEOPLE_UNKNOWN),
        (facts.risk is RiskClass.UNKNOWN, "the model's risk class (judged as high)"),
        (facts.confirmed_harm is None, "whether anybody came to harm"),
    )
    return tuple(name for unknown, name in asked if unknown)


def _people(facts: Facts) -> int:
    """People with a wrong decision, at most: what is not known is taken at its highest.

    Whoever counts people need not know the decisions: no number of decisions lowers that of people.
    """
    if facts.people is None:
        return facts.decisions if facts.wrong is None else facts.wrong
    return facts.people if facts.wrong is None else min(facts.wrong, facts.people)


def _people_words(facts: Facts, limit: int) -> str:
    if facts.people is None:
        kind = "decisions touched" if facts.wrong is None else "wrong decisions"
        return f"{_people(facts):,} {kind}: if each is one person, {limit:,} or more people"
    got = "may have got wrong decisions" if facts.wrong is None else "got wrong decisions"
    return f"{_people(facts):,} people {got} ({limit:,} or more)"


def _people_lacks(facts: Facts) -> tuple[str, ...]:
    return _assumed(facts)[: (facts.wrong is None) + (facts.people is None)]


def _high_risk(facts: Facts) -> bool:
    return facts.risk in (RiskClass.HIGH, RiskClass.UNKNOWN)


def _risk_lacks(facts: Facts) -> tuple[str, ...]:
    return ("the model's risk class (judged as high)",) if facts.risk is RiskClass.UNKNOWN else ()


def _and(*parts: bool | None) -> bool | None:
    """Yes, no or not known of several conditions together."""
    if any(part is False for part in parts):
        return False
    return None if any(part is None for part in parts) else True


def _protected_at_scale(facts: Facts) -> bool | None:
    return _and(facts.protected_group, _high_risk(facts), _people(facts) >= PROTECTED_P0)


def _protected_lacks(facts: Facts) -> tuple[str, ...]:
    group = ("whether the group is a protected one",) if facts.protected_group is None else ()
    return (*group, *_people_lacks(facts), *_risk_lacks(facts))


def _harm_lacks(facts: Facts) -> tuple[str, ...]:
    return (*(("whether anybody came to harm",) if facts.confirmed_harm is None else ()), *_risk_lacks(facts))


def _fact(level: str, name: str, words: str, question: str) -> Rule:
    """The rule that one yes-or-no fact is enough."""

    def lacks(facts: Facts) -> tuple[str, ...]:
        return (question,) if getattr(facts, name) is None else ()

    return Rule(level, lambda _: words, lambda facts: getattr(facts, name), lacks)


def _count(level: str, limit: int) -> Rule:
    """The rule that a number of people is enough."""
    return Rule(level, lambda facts: _people_words(facts, limit), lambda facts: _people(facts) >= limit, _people_lacks)


RULES: Final = (
    _fact("P0", "physical_harm", "a person was physically harmed", "whether anybody was physically harmed"),
    Rule(
        "P0",
        lambda facts: f"a loss of ${facts.loss_usd:,.0f}, above ${LOSS_P0_USD:,}",
        lambda facts: None if facts.loss_usd is None else facts.loss_usd > LOSS_P0_USD,
        lambda facts: ("the financial loss",) if facts.loss_usd is None else (),
    ),
    _fact("P0", "breach_of_law", "a law is being broken", "whether a law is being broken"),
    _count("P0", PEOPLE_P0),
    Rule(
        "P0",
        lambda facts: f"a protected group harmed at scale by a high-risk model: {_people_words(facts, PROTECTED_P0)}",
        _protected_at_scale,
        _protected_lacks,
    ),
    _fact("P1", "defined_group", "systematically wrong for a defined group", "whether it hits a defined group"),
    _fact("P1", "compliance_gap", "a duty is not met", "whether a duty is not met"),
    _count("P1", PEOPLE_P1),
    _fact("P1", "personal_data", "personal data in outputs", "whether outputs hold personal data"),
    _fact("P1", "attack_works", "an attack that works", "whether an attack works"),
    Rule(
        "P1",
        lambda _: "a high-risk model with confirmed harm",
        lambda facts: _and(facts.confirmed_harm, _high_risk(facts)),
        _harm_lacks,
    ),
)
"""The table of the contract, most urgent first; P2 and P3 are what remains."""
