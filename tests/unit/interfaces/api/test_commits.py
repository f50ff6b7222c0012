"""Commands of requests: what waits is done together, each is told its own, and too much is refused."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from andon.base.errors import Busy, Conflict
from andon.interfaces.api.commits import TOGETHER_MAX, Commits
from andon.ledger.journal import Command
from coroutines import run
from journals import creation, memory_journal


class Slow:
    """A journal that begins when it is let; notes how many commands came together."""

    def __init__(self):
        self.journal, self.begin, self.groups = memory_journal(), threading.Event(), []

    def commit_all(self, commands):
        self.begin.wait(30)
        self.groups.append(len(commands))
        return self.journal.commit_all(commands)


def house_of(journal, pending=1_000):
    settings = SimpleNamespace(limits=SimpleNamespace(pending_bytes_max=pending))
    return SimpleNamespace(opened=SimpleNamespace(journal=journal), settings=settings)


async def with_commits(commits, work):
    commits.room.open()
    try:
        return await work()
    finally:
        commits._house.opened.journal.begin.set()
        await asyncio.to_thread(commits.room.close)


def refuse(_):
    raise Conflict("no")


def test_what_comes_while_one_is_written_is_one_group_and_each_is_told_its_own():
    journal = Slow()
    commits = Commits(house_of(journal, 10**9))
    commands = [creation(number) for number in range(TOGETHER_MAX + 9)]
    commands[5] = Command("refused", refuse)

    async def work():
        asked = [asyncio.ensure_future(commits.do(commands[0], 1))]
        await asyncio.sleep(0)
        while commits.room._queue:  # until the first one is being written
            await asyncio.sleep(0)
        asked += [asyncio.ensure_future(commits.do(each, 1)) for each in commands[1:]]
        await asyncio.sleep(0)
        journal.begin.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    done = run(with_commits(commits, work))
    assert journal.groups == [1, TOGETHER_MAX, 8]
    assert [type(each) for each in done].count(Conflict) == 1
    assert [each.seq for each in done if not isinstance(each, Conflict)] == list(range(1, TOGETHER_MAX + 9))
    assert commits.room.pending_bytes == 0


def test_too_much_that_waits_is_refused_and_so_is_what_comes_at_the_end():
    journal = Slow()
    commits = Commits(house_of(journal))

    async def work():
        first = asyncio.ensure_future(commits.do(creation(1), 900))
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="too much waits"):
            await commits.do(creation(2), 200)
        journal.begin.set()
        await first
        assert (await commits.do(creation(2), 200)).seq == 2
        await asyncio.to_thread(commits.room.close)
        with pytest.raises(Busy, match="the server is ending"):
            await commits.do(creation(3), 1)

    run(with_commits(commits, work))


def test_a_caller_that_goes_away_takes_nothing_from_the_others():
    journal = Slow()
    commits = Commits(house_of(journal))

    async def work():
        gone, stays = (asyncio.ensure_future(commits.do(creation(number), 1)) for number in (1, 2))
        await asyncio.sleep(0)
        gone.cancel()
        journal.begin.set()
        return (await stays).fact.stream

    assert run(with_commits(commits, work)) == "tok_2"
    assert journal.journal.last() == 2


def test_a_journal_that_breaks_is_told_to_all_and_the_next_one_is_tried():
    journal = Slow()
    commits = Commits(house_of(journal))
    journal.begin.set()
    whole, journal.commit_all = journal.commit_all, None  # no function: a mistake of ours

    async def work():
        with pytest.raises(TypeError):
            await commits.do(creation(1), 1)
        journal.commit_all = whole
        return await commits.do(creation(2), 1)

    assert run(with_commits(commits, work)).seq == 1
