"""Events as the SDK makes them: what names nothing is refused where it is written, not later by the server."""

import pytest

from andon_sdk import wire


@pytest.mark.parametrize("name", ["id", "model_id"])
@pytest.mark.parametrize("text", ["", " ", "\u2003\n"])
def test_a_name_that_is_empty_or_blank_is_refused(name, text):
    with pytest.raises(ValueError, match=f"^{name} is empty or blank: give a text that names it$"):
        wire.event("outcome", {"id": "p1", "model_id": "m", "label": 1, name: text})


def test_an_id_is_made_where_there_is_none():
    assert wire.event("prediction", {"model_id": "m", "id": None})["id"]
    assert wire.event("prediction", {"model_id": "m", "id": "p1"})["id"] == "p1"


def test_a_number_as_an_id_is_left_to_the_server():
    """It refuses it and says so; another id in its place would belong to nothing."""
    assert wire.event("outcome", {"model_id": "m", "id": 0, "label": 1})["id"] == 0


def test_what_has_no_end_or_bottom_is_refused_in_one_sentence():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    endless: dict = {}
    endless["self"] = endless
    for inputs in (deep, endless, {"a": float("nan"), "b": deep}):
        with pytest.raises(ValueError, match="nested too deep, or holds itself: "):
            wire.encode({"inputs": inputs})
