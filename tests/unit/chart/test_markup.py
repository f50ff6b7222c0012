"""Whatever comes from outside stands in a picture as text, never as markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.chart import markup
from svg import parsed

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]>&amp;'\"",
    "\u202egnp.exe",
    "\x1b[31m",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_holds_no_markup_and_no_hidden_letter(text):
    shown = markup.escaped(text)
    assert not set(shown) & set("<>\"'\u202e\x1b\ud800")
    assert parsed(f"<a b='{shown}'>{shown}</a>").text


@given(st.text(), st.text(), st.text())
def test_any_text_makes_well_formed_markup(name, description, word):
    drawn = markup.picture("key", 100, name, description, [markup.label(word, 500, 10)])
    root = parsed(drawn)
    title, desc, text = root
    assert (title.text or "") == markup.visible(name)
    assert (desc.text or "") == markup.visible(description)
    assert (text.text or "") == markup.visible(word)
    assert root.attrib["aria-labelledby"] == title.attrib["id"]
    assert root.attrib["aria-describedby"] == desc.attrib["id"]


@given(st.text(max_size=200), st.integers(2, 60))
def test_shortened_text_is_short_and_says_that_it_is(text, most):
    shown = markup.shortened(text, most)
    assert len(shown) <= most
    assert shown == markup.visible(text) or shown.endswith("…")


def test_text_is_shortened_after_a_word_where_that_leaves_enough():
    assert markup.shortened("would decide otherwise than before", 21) == "would decide…"
    assert markup.shortened("would decide otherwise than before", 23) == "would decide otherwise…"
    assert markup.shortened("a longword_without_an_end", 12) == "a longword_…"


def test_ten_kilobytes_are_shortened_at_once():
    assert markup.shortened("y" * 10_000, 20) == "y" * 19 + "…"


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.125, "0.12"), (-0.001, "0"), (333.333333, "333.33"), (0, "0")]
)
def test_numbers_are_short(value, text):
    assert markup.number(value) == text


def test_an_element_without_content_closes_itself():
    assert markup.element("rect", x=1, class_="a", viewBox="0 0 1 1") == '<rect x="1" class="a" viewBox="0 0 1 1"/>'
