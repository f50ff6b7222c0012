"""Names whose keys are made ahead: each is given once, and a key made ahead is the key in the file."""

import itertools

import pytest

from andon.adapters.keyring import Keyring
from andon.adapters.ready_names import LEAST, ReadyNames
from andon.base.errors import Unavailable


@pytest.fixture
def keys(tmp_path):
    made = Keyring(tmp_path / "keys.db")
    yield made
    made.close()


@pytest.fixture
def names(keys):
    counter = itertools.count()
    return ReadyNames(keys, lambda: f"sig_{next(counter)}")


def test_each_name_is_given_once_ready_or_not(names):
    given = [names.take() for _ in range(3)]
    names.fill()
    given += [names.take() for _ in range(3 * LEAST)]
    assert len(set(given)) == len(given)


def test_so_many_are_made_as_were_taken(names, keys):
    names.fill()
    assert len(keys._ahead) == LEAST
    for _ in range(100):
        names.take()
    names.fill()
    assert len(names._ready) == 200
    names.fill()  # none was taken: nothing is made
    assert len(keys._ahead) == 200 + LEAST


def test_a_key_made_ahead_is_the_one_in_the_file(names, keys, tmp_path):
    names.fill()
    name = names.take()
    key_id, sealed = keys.seal(name, b"text", b"here")
    other = Keyring(tmp_path / "keys.db")
    assert other.open(key_id, sealed, b"here") == b"text"
    other.close()


def test_a_name_that_was_forgotten_before_its_text_came_gets_another_key(names, keys):
    names.fill()
    name = names.take()
    keys.forget(name)
    key_id, sealed = keys.seal(name, b"text", b"here")
    assert key_id != name
    assert keys.open(key_id, sealed, b"here") == b"text"


def test_keys_that_cannot_be_written_give_no_names(names, keys):
    keys.close()
    with pytest.raises(Unavailable, match="the keys in"):
        names.fill()
    assert not names._ready
