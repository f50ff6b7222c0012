"""The follower: in order, once, only under its own epoch; outsiders after the ledger, in order, until they answer."""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from andon.adapters.memory_ledger import MemoryLedger
from andon.base.errors import Unavailable
from andon.ledger.journal import Message
from andon.services.follow import Fenced, Follow, position_of
from journals import creation, memory_journal
from ledgers import SIGNER

AT = datetime(2026, 3, 1, tzinfo=UTC)


class Lease:
    """A lease in memory."""

    def __init__(self):
        self.epoch, self.is_mine, self.noted = 1, True, 0

    def claim(self, _):
        return self.epoch if self.is_mine else None

    def is_held(self, epoch):
        return self.is_mine and epoch == self.epoch

    def note(self, _, seq):
        self.noted = seq

    def let_go(self, _):
        self.is_mine = False


class Chat:
    """An outsider that answers, or not."""

    def __init__(self, log):
        self.told, self.is_away, self.log = [], False, log

    def send(self, message_id, message):
        if self.is_away:
            raise Unavailable("nobody answers")
        assert position_of(self.log) >= int(message_id.split(":")[0]), "told before the ledger had it"
        self.told.append(message.body)


@pytest.fixture
def parts():
    journal, lease, log = memory_journal(), Lease(), MemoryLedger(SIGNER)

    @contextmanager
    def opened():
        yield log

    chat = Chat(log)
    return journal, lease, log, chat, Follow(journal, lease, opened, {"chat": chat})


def test_entries_are_appended_in_order_and_once(parts):
    journal, lease, log, _, follow = parts
    for number in range(3):
        journal.commit(creation(number))
        assert follow.step(AT)
    assert follow.step(AT)
    assert [entry.header for _, entry in log.read()] == [row.entry for row in journal.rows(0)]
    assert lease.noted == position_of(log) == 3


def test_another_holder_follows(parts):
    journal, lease, log, _, follow = parts
    journal.commit(creation(1))
    lease.is_mine = False
    assert not follow.step(AT)
    assert log.size == 0


def test_a_follower_that_was_replaced_appends_nothing(parts):
    journal, lease, log, _, follow = parts
    journal.commit(creation(1))

    def replaced(point):
        if point == "lease":
            lease.epoch += 1

    follow.reach = replaced
    with pytest.raises(Fenced):
        follow.step(AT)
    assert log.size == 0


def test_outsiders_hear_in_order_and_again_when_they_were_away(parts):
    journal, _, _, chat, follow = parts
    journal.commit(creation(1, Message("chat", "a"), Message("nobody", "x")))
    journal.commit(creation(2, Message("chat", "b")))
    follow.tell("chat")
    assert chat.told == []  # nothing is in the ledger yet
    chat.is_away = True
    follow.step(AT)
    follow.tell("chat")
    assert (chat.told, follow.troubles) == ([], {"chat": "nobody answers"})
    chat.is_away = False
    follow.tell("chat")
    assert (chat.told, follow.troubles) == (["a", "b"], {})
    follow.tell("chat")
    assert chat.told == ["a", "b"]
    assert [each.body for _, each in journal.messages("nobody")] == ["x"]


def test_an_outsider_that_never_answers_holds_the_ledger_up_by_nothing(parts):
    journal, _, log, chat, follow = parts
    asked, may_answer = threading.Event(), threading.Event()

    class Dead:
        def send(self, *_):
            asked.set()
            may_answer.wait(30)

    follow.outsiders = {"tracker": Dead(), "chat": chat}
    journal.commit(creation(1, Message("tracker", "x"), Message("chat", "a")))
    follow.step(AT)
    telling = threading.Thread(target=follow.tell, args=("tracker",))
    telling.start()
    assert asked.wait(30)
    journal.commit(creation(2, Message("chat", "b")))
    follow.step(AT)
    follow.tell("chat")
    assert (position_of(log), chat.told) == (2, ["a", "b"])
    assert telling.is_alive()
    may_answer.set()
    telling.join()


def test_who_leaves_follows_no_more_and_tells_nobody(parts):
    journal, lease, _, chat, follow = parts
    journal.commit(creation(1, Message("chat", "a")))
    follow.step(AT)
    follow.leave()
    assert not lease.is_mine
    follow.tell("chat")
    assert chat.told == []
