"""How to mend a value that came from outside, in words; made of what pydantic found.

The values themselves are not repeated: they may be hostile, or personal.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from andon.base.nearest import nearest

KINDS: Final = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "keys, each with its value",
    "model": "keys, each with its value",
    "model_attributes": "keys, each with its value",
}
"""What is wanted, by the beginning of pydantic's name of the error."""

DIGEST: Final = ", or a digest: sha256: and 64 hexadecimal digits"
LIMITS: Final = {
    "string_too_long": "it has over {max_length} letters; shorten it",
    "too_long": "it has over {max_length} items; send them in parts",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
    "greater_than": "write more than {gt}",
    "less_than": "write less than {lt}",
}


def mend_of(found: Mapping[str, Any], known: Collection[str] = ()) -> str:
    """How to mend the place that an error names; `known`: the names that could stand there."""
    kind, context = str(found["type"]), found.get("ctx", {})
    if kind == "extra_forbidden":
        return f"it is not known here; {_meant(str(found['loc'][-1]), known)}"
    if kind == "missing":
        return "it is missing; write it"
    if kind == "string_too_short" and context["min_length"] == 1:
        return "it is empty; write something"
    bound = _bound(kind, context)
    if bound is not None:
        return bound
    wanted = next((text for name, text in KINDS.items() if kind in (f"{name}_type", f"{name}_parsing")), None)
    if wanted is None and kind in ("literal_error", "enum"):
        wanted = context["expected"]
    text = str(found["msg"]).removeprefix("Value error, ")
    return f"write {wanted}" if wanted else f"{text[:1].lower()}{text[1:]}"


def _bound(kind: str, context: Mapping[str, Any]) -> str | None:
    """How to mend what is too long, too much, or no address; None: it is something else."""
    if kind in LIMITS:
        told = {name: f"{value:,}" if isinstance(value, int | float) else value for name, value in context.items()}
        return LIMITS[kind].format(**told)
    if kind == "string_pattern_mismatch" and "https?" in context["pattern"]:
        return "write an address, such as https://host/page" + (DIGEST if "sha256" in context["pattern"] else "")
    return None


def _meant(name: str, known: Collection[str]) -> str:
    near = nearest(name, known)
    if near is not None:
        return f"did you mean {near}?"
    return f"leave it out, or write one of {', '.join(known)}" if known else "leave it out"
