"""How to mend what validation found, in words."""

from enum import Enum
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from andon.base.flaw import mend_of


class Shape(Enum):
    ROUND = "round"


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=1_000)
    count: int = Field(0, ge=0, le=7_776_000)
    colour: Literal["red", "green"] = "red"
    shape: Shape | None = None
    parts: list[str] = Field([], max_length=2)
    at: str = ""
    url: str = Field("", pattern="^https?://.+$")

    @field_validator("at")
    @classmethod
    def _at(cls, at):
        if at == "never":
            raise ValueError("A time is needed")
        return at


@pytest.mark.parametrize(
    ("body", "known", "mend"),
    [
        ({}, (), "it is missing; write it"),
        ({"name": ""}, (), "it is empty; write something"),
        ({"name": 5}, (), "write a text"),
        ({"name": "x", "count": "many"}, (), "write a whole number"),
        ({"name": "x", "count": -1}, (), "write 0 or more"),
        ({"name": "x", "count": 9_000_000}, (), "write 7,776,000 or less"),
        ({"name": "x", "colour": "blue"}, (), "write 'red' or 'green'"),
        ({"name": "x", "shape": "blue"}, (), "write 'round'"),
        ({"name": "x", "parts": "a"}, (), "write a list"),
        ({"name": "x" * 1_001}, (), "it has over 1,000 letters; shorten it"),
        ({"name": "x", "parts": ["a", "b", "c"]}, (), "it has over 2 items; send them in parts"),
        ({"name": "x", "url": "javascript:x"}, (), "write an address, such as https://host/page"),
        ({"name": "x", "at": "never"}, (), "a time is needed"),
        ({"name": "x", "color": 1}, Asked.model_fields, "it is not known here; did you mean colour?"),
        ({"name": "x", "zzz": 1}, ("name", "at"), "it is not known here; leave it out, or write one of name, at"),
        ({"name": "x", "zzz": 1}, (), "it is not known here; leave it out"),
    ],
)
def test_mends(body, known, mend):
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate(body)
    assert mend_of(caught.value.errors()[0], known) == mend


def test_a_value_is_not_repeated():
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate({"name": "x", "count": "Frau Meier"})
    assert "Meier" not in mend_of(caught.value.errors()[0])
