"""The colours of the console and of the page: contrast by WCAG's formula, light and dark."""

import re
from importlib.resources import files

import pytest

STYLE = (files("andon") / "packs" / "page" / "tokens.css").read_text(encoding="utf-8")
GROUNDS = ("bg", "surface", "sunken")


def tokens(scheme):
    light, dark = STYLE.split("@media screen and (prefers-color-scheme: dark)")
    part = light if scheme == "light" else dark.split("@media (prefers-contrast")[0]
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9A-F]{6})", part))


def channels(colour):
    raw = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in raw]


def luminance(colour):
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), channels(colour), strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


both = pytest.mark.parametrize("scheme", ["light", "dark"])


def test_the_formula_is_wcags():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


@both
def test_text_stands_out_from_every_ground(scheme):
    known = tokens(scheme)
    for text in ("ink", "ink2", "ink3", "action", "red", "amber", "green"):
        assert all(contrast(known[text], known[ground]) >= 4.5 for ground in GROUNDS), text
    assert contrast(known["ink"], known["amber-wash"]) >= 4.5


@both
def test_marks_and_edges_stand_out_from_the_surface(scheme):
    known = tokens(scheme)
    for mark in ("s-ref", "s-cur", "s-aff", "s-fix", "edge", "red-fill"):
        assert contrast(known[mark], known["surface"]) >= 3, mark


def test_both_schemes_name_the_same_tokens():
    assert tokens("light").keys() == tokens("dark").keys()
