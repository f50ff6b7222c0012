"""Every kind of fact about incidents has its words, and what has none is named."""

from andon.incident import endings, fold, fold_work
from andon.incident.words import LINES, words_of


def test_every_kind_has_words():
    kinds = (fold.FOLDS | fold_work.FOLDS | endings.FOLDS).keys()
    assert kinds - LINES.keys() == set()
    assert LINES.keys() - kinds == {"event_imported"}


def test_a_kind_of_a_newer_version_is_named():
    assert words_of("moon_landed", {}, {}) == "moon landed"
