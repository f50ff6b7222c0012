"""Guesses as sentences, as a `model.yaml` with its reasons, and as a document."""

from collections.abc import Iterable
from typing import Any

import yaml

from andon.base.visible import visible
from andon.incident.scan import Warning  # noqa: A004  # the contract's word
from andon.inventory.guess import Guess, Proposal

_WIDE = 10_000


def model_yaml(guess: Guess, log: str) -> str:
    """The file: each key behind its reason; what only a person can answer is a comment."""
    lines = [f"# Proposed by `andon init` from {visible(log)}. Check each line; nobody but you knows what is meant."]
    for each in guess.proposals:
        lines += ["", f"# {each.sureness}: {visible(each.reason)}", _line(each)]
    if guess.questions:
        lines += ["", "# Questions that only you can answer: take the # away before a key, and fill it in."]
    for each in guess.questions:
        lines += ["#", f"# {visible(each.reason)}", f"# {_line(each)}"]
    if guess.unanswerable:
        lines += ["", "# What this log can never answer, as it holds nothing of it:"]
        lines += [f"# - {visible(text)}" for text in guess.unanswerable]
    return "\n".join(lines) + "\n"


def document(guess: Guess) -> dict[str, Any]:
    """The guess as `andon.init/1`."""
    return {
        "schema": "andon.init/1",
        "model": guess.content(),
        "guesses": [_entry(each) for each in guess.proposals],
        "questions": [_entry(each) for each in guess.questions],
        "cannot_answer": list(guess.unanswerable),
    }


def warnings(guess: Guess) -> tuple[Warning, ...]:
    """What a reader of a scan without a model file has to know."""
    guessed = (
        Warning("guessed", f"{each.key} was guessed to be {_shown(each)} ({each.sureness}: {each.reason})")
        for each in guess.proposals
    )
    asked = (
        Warning(
            "not_asked", f"{each.key} was left out ({each.reason}); say it in a model.yaml, which andon init writes"
        )
        for each in guess.questions
    )
    unread = () if guess.unread is None else (Warning("not_guessed", f"nothing is known of {guess.unread}"),)
    return (*guessed, *asked, *unread)


def line(guess: Guess) -> str:
    """All that was guessed on one line, for whoever wants to read no more."""
    told = ", ".join(f"{each.key}: {_shown(each)}" for each in guess.proposals)
    return f"guessed, as no --model was named: {visible(told)} (andon init writes a model.yaml to check)"


def _entry(each: Proposal) -> dict[str, Any]:
    value = list(each.value) if isinstance(each.value, tuple) else each.value
    return {"key": each.key, "value": value, "reason": each.reason, "sureness": str(each.sureness)}


def _shown(each: Proposal) -> str:
    return each.value if isinstance(each.value, str) else ", ".join(each.value)


def _line(each: Proposal) -> str:
    if isinstance(each.value, str):
        return f"{each.key}: {_scalar(each.value)}" if each.value else f"{each.key}:"
    return f"{each.key}: [{', '.join(_scalars(each.value))}]"


def _scalars(values: Iterable[str]) -> list[str]:
    return [_scalar(value) for value in values]


def _scalar(text: str) -> str:
    """A text as YAML reads it back, also within a list, on one line."""
    flow = yaml.safe_dump([text], default_flow_style=True, width=_WIDE, allow_unicode=True)
    return flow.strip().removeprefix("[").removesuffix("]")
