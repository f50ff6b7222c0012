"""What a report in words is about: its type and the facts it states, by rules that are data, each with a name.

A rule is a list of words and phrases; a type's score is the sum of the weights of its rules that fit. Words of a
hostile text can only choose among types: no part of it is run, and each pattern is matched in linear time.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from andon.base.errors import BadInput
from andon.incident.priority import Facts, propose

UNCLASSIFIED: Final = "unclassified"
TEXT_MAX: Final = 20_000
"""Letters of a report."""
UNSURE: Final = "high"
"""The severity to start from where no type fits."""
_PEOPLE: Final = re.compile(
    r"\b(\d{1,3}(?:[, ]\d{3})+|\d{1,9})(?:\s+\w{1,20}){0,2}?\s+"
    r"(?:people|persons|users|customers|patients|applicants|families|workers|students|claimants|accounts)\b"
)
_WRONG: Final = re.compile(
    r"\b(\d{1,3}(?:[, ]\d{3})+|\d{1,9})(?:\s+\w{1,20}){0,2}?\s+(?:decisions|predictions|transactions|applications)\b"
)
_MONEY: Final = re.compile(
    r"(?:\$|usd\s?|us\$|€|eur\s?|£|gbp\s?)\s?(\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.\d+)?\s?(k\b|thousand|m\b|million|bn\b|billion)?"
)
_SCALE: Final = {"k": 1_000, "thousand": 1_000, "m": 10**6, "million": 10**6, "bn": 10**9, "billion": 10**9}

Phrase = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9 '&/.-]*\*?$", max_length=80)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WordRule(_Strict):
    """A rule: what it says for, how strongly, and the words (`*` at the end: any ending)."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    weight: int = Field(1, ge=1, le=10)
    any: tuple[Phrase, ...] = Field(min_length=1)
    unless: tuple[Phrase, ...] = ()


class TypeRule(WordRule):
    """A rule for a type of incident."""

    type: str


class FactRule(WordRule):
    """A rule for a fact of the priority (`people`, `loss_usd` and `wrong` are read as numbers)."""

    fact: Literal[
        "physical_harm",
        "breach_of_law",
        "compliance_gap",
        "personal_data",
        "attack_works",
        "protected_group",
        "confirmed_harm",
    ]


class Wording(_Strict):
    """A file of rules."""

    schema_: Literal["andon.wording/1"] = Field(alias="schema")
    types: tuple[TypeRule, ...] = Field(min_length=1)
    facts: tuple[FactRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text is about.

    Attributes:
        incident_type: the type whose rules fit best; `unclassified` where none fits.
        priority, severity, priority_rule: as the facts that it states propose.
        rules: the rules that fit, the strongest of the type first: what a person checks.
        facts: what it states.
        scores: of each type that fits.
    """

    incident_type: str
    priority: str
    severity: str
    rule: str
    priority_rule: str
    facts_missing: tuple[str, ...]
    rules: tuple[str, ...]
    facts: Mapping[str, Any]
    scores: Mapping[str, int]


def parse(content: object, types: Sequence[str], name: str) -> Wording:
    """Rules from the content of their file.

    Raises:
        BadInput: they are none; the place is named.
    """
    try:
        found = Wording.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadInput(f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    for rule in found.types:
        if rule.type not in types:
            raise BadInput(
                f"{name}: the rule {rule.name!r} names the type {rule.type}: it is one of {', '.join(types)}"
            )
    return found


class Classifier:
    """Reads texts by rules."""

    def __init__(self, wording: Wording, floors: Mapping[str, str]) -> None:
        """`floors`: the default severity of each type."""
        self._floors = floors
        self._types = [(rule, _pattern(rule.any), _pattern(rule.unless)) for rule in wording.types]
        self._facts = [(rule, _pattern(rule.any), _pattern(rule.unless)) for rule in wording.facts]

    def read(self, text: str) -> Reading:
        """What a text is about.

        Raises:
            BadInput: it is empty or too long.
        """
        if not 0 < len(text.strip()) <= TEXT_MAX:
            raise BadInput(f"a report has 1 to {TEXT_MAX:,} letters: say what happened, to whom, and when")
        plain = " ".join(text.lower().replace("\u2019", "'").split())
        fitting = [rule for rule, words, unless in self._types if _fits(plain, words, unless)]
        scores: dict[str, int] = {}
        for rule in fitting:
            scores[rule.type] = scores.get(rule.type, 0) + rule.weight
        kind = max(scores, key=lambda each: scores[each]) if scores else UNCLASSIFIED
        mine = sorted((rule for rule in fitting if rule.type == kind), key=lambda rule: -rule.weight)
        facts = self._stated(plain)
        proposed = propose(Facts(0, **facts), self._floors.get(kind, UNSURE))
        names = tuple(rule.name for rule in mine)
        return Reading(
            kind,
            proposed.level,
            proposed.severity,
            names[0] if names else "no rule fits: a person has to say which type it is",
            proposed.rule,
            proposed.facts_missing,
            names,
            facts,
            dict(sorted(scores.items(), key=lambda item: -item[1])),
        )

    def _stated(self, plain: str) -> dict[str, Any]:
        """The facts that a text states; what it does not say stays unknown."""
        found: dict[str, Any] = {rule.fact: True for rule, words, unless in self._facts if _fits(plain, words, unless)}
        people = max((_number(each) for each in _PEOPLE.findall(plain)), default=0)
        if people:
            found |= {"people": people, "wrong": people}
        elif wrong := [_number(each) for each in _WRONG.findall(plain)]:
            found["wrong"] = max(wrong)
        losses = [_number(amount) * _SCALE.get(unit, 1) for amount, unit in _MONEY.findall(plain)]
        if losses and _fits(plain, _LOSS, None):
            found["loss_usd"] = float(max(losses))
        return found


def _number(text: str) -> int:
    return int(text.replace(",", "").replace(" ", ""))


def _pattern(phrases: Sequence[str]) -> re.Pattern[str] | None:
    """One alternation of literal phrases, the longest first: linear in the text."""
    if not phrases:
        return None
    parts = [
        re.escape(each.removesuffix("*")) + ("" if each.endswith("*") else r"\b")
        for each in sorted(phrases, key=len, reverse=True)
    ]
    return re.compile(rf"\b(?:{'|'.join(parts)})")


_LOSS: Final = _pattern(
    ("loss*", "lost", "cost*", "damage*", "stole*", "write-down*", "refund*", "fraud*", "transfer*")
)


def _fits(plain: str, words: re.Pattern[str] | None, unless: re.Pattern[str] | None) -> bool:
    """Whether the words stand in a text where `unless` does not cover them."""
    if words is None:
        return False
    kept = plain if unless is None else unless.sub(" ", plain)
    return words.search(kept) is not None
