"""Commands that wait for each other share a transaction: one fsync, and each gets what came of its own."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from andon.adapters.sql.engine import turns_of
from andon.adapters.sql.turns import Shared, Turns
from andon.base.errors import Refused, Unavailable
from andon.ledger.journal import Command
from journals import creation, sql_journal
from servers import eventually

MANY = 12


def refused(_):
    raise Refused("not now")


def waiting(shared):
    return len(shared._waiting)


def test_turns_are_taken_in_the_order_of_coming():
    turns, order = Turns(), []

    def work(number):
        with turns:
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(MANY)]
    with turns:
        for number, thread in enumerate(threads):
            thread.start()
            eventually(lambda number=number: len(turns._waiting) == number + 1)
    for thread in threads:
        thread.join()
    assert order == list(range(MANY))


def test_what_waits_is_carried_out_together_and_each_gets_its_own():
    groups, turns = [], Turns()

    def carry_out(asked):
        groups.append(list(asked))
        return [ValueError(str(each)) if each % 3 == 0 else each * 10 for each in asked]

    shared = Shared(carry_out, turns)
    with ThreadPoolExecutor(MANY) as pool:
        with turns:
            futures = [pool.submit(shared.do, number) for number in range(MANY)]
            eventually(lambda: waiting(shared) == MANY)
        for number, future in enumerate(futures):
            if number % 3 == 0:
                with pytest.raises(ValueError, match=str(number)):
                    future.result(10)
            else:
                assert future.result(10) == number * 10
    assert len(groups) == 1
    assert shared.do(100) == 1000  # nobody leads for ever


def test_who_comes_while_others_are_carried_out_is_next():
    begun, may_end, sizes = threading.Event(), threading.Event(), []

    def carry_out(asked):
        sizes.append(len(asked))
        begun.set()
        may_end.wait(10)
        return [True] * len(asked)

    shared = Shared(carry_out, Turns())
    with ThreadPoolExecutor(MANY) as pool:
        futures = [pool.submit(shared.do, 0)]
        begun.wait(10)
        futures += [pool.submit(shared.do, number) for number in range(1, MANY)]
        eventually(lambda: waiting(shared) == MANY - 1)
        may_end.set()
        assert all(future.result(10) for future in futures)
    assert sizes == [1, MANY - 1]


def test_a_leader_that_is_ended_leaves_nobody_waiting():
    def carry_out(asked):
        raise KeyboardInterrupt

    shared = Shared(carry_out, Turns())
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            shared.do(1)


def test_commands_share_a_transaction_and_a_refused_one_leaves_nothing(tmp_path):
    journal = sql_journal(tmp_path)
    commits = []
    event.listen(journal.engine, "before_cursor_execute", lambda *a: commits.append(a[2]) if a[2] == "COMMIT" else None)
    commands = [creation(number) for number in range(MANY)]
    commands += [creation(0), Command("refused", refused)]  # a request that comes twice, one that is refused
    with ThreadPoolExecutor(len(commands)) as pool:
        with turns_of(journal.engine):
            futures = [pool.submit(journal.commit, command) for command in commands]
            eventually(lambda: waiting(journal._shared) == len(commands))
        done = [future.result(10) for future in futures[:-1]]
        with pytest.raises(Refused, match="not now"):
            futures[-1].result(10)
    assert len(commits) == 1
    assert sorted({each.seq for each in done}) == list(range(1, MANY + 1))
    assert sorted(each.was_done for each in done) == [False] * MANY + [True]
    assert len(journal.list_rows("tokens")) == MANY == journal.check()
    assert journal.commit(Command("refused", creation(MANY).decide)).seq == MANY + 1  # its request is free
    journal.engine.dispose()
    journal.keys.close()


@contextmanager
def failing(journal, error, *names):
    """The database fails in the middle of these commands; as SQLite does on a full disk, it ends the transaction."""

    def look(connection, cursor, statement, parameters, *_):
        if statement.startswith("INSERT INTO journal ") and any(name in str(parameters) for name in names):
            connection.exec_driver_sql("ROLLBACK")
            raise OperationalError(statement, parameters, sqlite3.OperationalError(error))

    event.listen(journal.engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(journal.engine, "before_cursor_execute", look)


def all_at_once(journal, commands):
    with ThreadPoolExecutor(len(commands)) as pool:
        with turns_of(journal.engine):
            futures = [pool.submit(journal.commit, command) for command in commands]
            eventually(lambda: waiting(journal._shared) == len(commands))
        return [future.exception(30) or future.result() for future in futures]


def test_a_command_that_breaks_the_transaction_breaks_no_other(tmp_path):
    journal = sql_journal(tmp_path)
    with failing(journal, "database or disk is full", "request 3", "request 7"):
        done = all_at_once(journal, [creation(number) for number in range(MANY)])
    for number, outcome in enumerate(done):
        if number in (3, 7):
            assert isinstance(outcome, Unavailable)
            assert "database or disk is full" in str(outcome)
        else:
            assert not outcome.was_done
    assert journal.check() == MANY - 2
    assert {row["id"] for row in journal.list_rows("tokens")} == {f"tok_{n}" for n in range(MANY)} - {"tok_3", "tok_7"}
    assert journal.commit(creation(3)).seq == MANY - 1
    journal.engine.dispose()
    journal.keys.close()


def test_a_database_that_is_away_is_not_asked_again_for_each(tmp_path):
    journal, begun = sql_journal(tmp_path), []

    def look(_, __, statement, *___):
        if statement == "BEGIN IMMEDIATE":
            begun.append(statement)
            if len(begun) > 1:
                raise OperationalError(statement, (), sqlite3.OperationalError("unable to open database file"))

    with failing(journal, "disk I/O error", "request 0"):
        event.listen(journal.engine, "before_cursor_execute", look)
        done = all_at_once(journal, [creation(number) for number in range(MANY)])
        event.remove(journal.engine, "before_cursor_execute", look)
    assert all(isinstance(each, Unavailable) for each in done)
    assert len(begun) == 2
    assert journal.check() == 0
    journal.engine.dispose()
    journal.keys.close()


def broken(_):
    raise ZeroDivisionError


def test_a_command_that_breaks_takes_no_other_with_it(tmp_path):
    journal = sql_journal(tmp_path)
    done = all_at_once(journal, [*(creation(number) for number in range(MANY)), Command("broken", broken)])
    assert sorted(each.seq for each in done[:-1]) == list(range(1, MANY + 1))
    assert isinstance(done[-1], ZeroDivisionError)
    assert journal.check() == MANY
    journal.engine.dispose()
    journal.keys.close()


def test_a_key_made_before_its_command_opens_the_text(tmp_path):
    journal = sql_journal(tmp_path)
    command = creation(1)
    journal.commit(Command(command.request_id, command.decide, begins="tok_1"))
    assert journal.find("tokens", "tok_1")["name"] == "person 1"
    assert journal.check() == 1
    journal.keys.forget("tok_1")
    journal.rebuild()
    assert journal.find("tokens", "tok_1")["name"] != "person 1"
    journal.engine.dispose()
    journal.keys.close()
