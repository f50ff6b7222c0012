"""Every journal gives the same answers: the twin in memory says which."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from andon.base.errors import Conflict, Unavailable
from andon.ledger.journal import Command, Fact, Message, Page, RequestName
from andon.people.token import token_of
from journals import creation, fresh_database, memory_journal, sql_journal


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def journal(request, tmp_path):
    if request.param == "memory":
        yield memory_journal()
        return
    url = fresh_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else None
    made = sql_journal(tmp_path, url)
    yield made
    made.engine.dispose()


def test_a_command_is_one_entry_and_its_rows(journal):
    done = [journal.commit(creation(number)) for number in range(3)]
    assert [each.seq for each in done] == [1, 2, 3]
    assert [row.seq for row in journal.rows(0)] == [1, 2, 3]
    assert [row.seq for row in journal.rows(2)] == [3]
    assert journal.last() == 3
    found = journal.find("tokens", "tok_1")
    assert token_of(found).name == "person 1"
    assert journal.list_rows("tokens")[1] == found
    assert journal.find("tokens", "tok_9") is None


def test_the_entry_names_nobody(journal):
    journal.commit(creation(1))
    [row] = journal.rows(0)
    assert b"person" not in row.entry
    assert row.checked()["private"].keys() == {"name"}


def test_a_request_that_is_repeated_is_done_once(journal):
    first, again = journal.commit(creation(1)), journal.commit(creation(1))
    assert (first.was_done, again.was_done) == (False, True)
    assert (again.seq, again.fact.data) == (first.seq, first.fact.data)
    assert journal.last() == 1


def test_a_refusal_leaves_nothing(journal):
    def refuse(_):
        raise Conflict("no")

    with pytest.raises(Conflict):
        journal.commit(Command("r", refuse))
    assert journal.last() == 0
    assert journal.commit(creation(1)).seq == 1


def test_a_stream_counts_its_entries(journal):
    journal.commit(creation(1))
    journal.commit(Command("revoke", lambda _: Fact("token_revoked", "tok_1", "tester", {})))
    assert [row.stream_version for row in journal.rows(0)] == [1, 2]
    assert journal.find("tokens", "tok_1")["revoked_at"] is not None


def test_a_message_waits_until_it_is_marked(journal):
    journal.commit(creation(1, Message("chat", "a"), Message("pager", "b")))
    journal.commit(creation(2, Message("chat", "c")))
    assert [each.body for _, each in journal.due("chat", 1)] == ["a"]
    [(first, _), (second, _)] = journal.messages("chat")
    journal.mark(first)
    assert [key for key, _ in journal.messages("chat")] == [second]
    assert [each.body for _, each in journal.due("chat", 2)] == ["c"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_commands_at_once_get_numbers_without_gaps(kind, request, tmp_path):
    url = fresh_database(request.getfixturevalue("postgres")) if kind == "postgresql" else None
    journal = sql_journal(tmp_path, url)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda number: journal.commit(creation(number)).seq, range(80)))
    assert sorted(done) == list(range(1, 81))
    assert journal.check() == 80
    journal.engine.dispose()


def test_a_decision_that_was_overtaken_is_made_again(request, tmp_path):
    """PostgreSQL shows each query what others committed since: what was decided before is decided again."""
    url = fresh_database(request.getfixturevalue("postgres"))
    journal, other = (sql_journal(tmp_path, url) for _ in range(2))
    journal.commit(creation(1))
    seen = []

    def revoke(view, overtaken_by=None):
        seen.append(view.find("tokens", "tok_1")["revoked_at"])
        if seen[-1] is not None:
            raise Conflict("revoked already")
        if overtaken_by is not None and len(seen) == 1:
            overtaken_by.commit(Command("other", revoke))
        return Fact("token_revoked", "tok_1", "tester", {})

    with pytest.raises(Conflict, match="revoked already"):
        journal.commit(Command("mine", lambda view: revoke(view, other)))
    assert [each is None for each in seen] == [True, True, False]
    assert journal.last() == 2
    for each in (journal, other):
        each.engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_builders_on_one_state_cannot_both_win(kind, request, tmp_path):
    """Each of many revokes a token that is valid; one finds it so, the others see what that one did."""
    url = fresh_database(request.getfixturevalue("postgres")) if kind == "postgresql" else None
    journal = sql_journal(tmp_path, url)
    journal.commit(creation(1))

    def revoke(number):
        def decide(view):
            if view.find("tokens", "tok_1")["revoked_at"] is not None:
                raise Conflict("revoked already")
            return Fact("token_revoked", "tok_1", "tester", {})

        try:
            return journal.commit(Command(f"revoke {number}", decide)).seq
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        done = [seq for seq in pool.map(revoke, range(8)) if seq is not None]
    assert done == [2]
    assert journal.last() == 2
    journal.engine.dispose()


def test_a_process_that_stops_within_a_command_lets_go_of_the_lock(request, tmp_path):
    """PostgreSQL ends its transaction, so that others go on; the command that was under way has not happened."""
    url = fresh_database(request.getfixturevalue("postgres"))
    stopped, other = (sql_journal(tmp_path, url) for _ in range(2))
    held, go_on = threading.Event(), threading.Event()

    def decide(_):
        held.set()
        go_on.wait(30)
        return creation(1).decide(None)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(stopped.commit, Command("slow", decide, is_alone=True))
        assert held.wait(30)
        assert other.commit(creation(2)).seq == 1
        go_on.set()
        with pytest.raises(Unavailable):
            waiting.result()
    assert [row.stream for row in other.rows(0)] == ["tok_2"]
    for each in (stopped, other):
        each.engine.dispose()


def test_rows_by_their_values_and_page_by_page(journal):
    for number in range(5):
        journal.commit(creation(number))
    journal.commit(Command("revoke", lambda _: Fact("token_revoked", "tok_3", "tester", {})))

    def ids(**asked):
        return [row["id"][-1] for row in journal.list_rows("tokens", **asked)]

    assert ids(where={"name": "person 2"}) == ["2"]
    assert ids(where={"name": "person 2", "role": "admin"}) == []
    assert ids(where={"revoked_at": None}) == ["0", "1", "2", "4"]
    assert ids(page=Page(2)) == ["0", "1"]
    assert ids(page=Page(2, "tok_1")) == ["2", "3"]
    assert ids(page=Page(3, is_newest_first=True)) == ["4", "3", "2"]
    assert ids(page=Page(9, "person 3", is_newest_first=True, by="name")) == ["2", "1", "0"]
    assert ids(where={"revoked_at": None}, page=Page(9, "tok_2")) == ["4"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_command_that_is_alone_sees_what_no_other_changes_meanwhile(kind, request, tmp_path):
    """Each counts the tokens and makes one of that number; none counts what another is about to make."""
    url = fresh_database(request.getfixturevalue("postgres")) if kind == "postgresql" else None
    journal = sql_journal(tmp_path, url)

    def count(number):
        def decide(view):
            return creation(len(view.list_rows("tokens"))).decide(view)

        return journal.commit(Command(f"count {number}", decide, is_alone=True)).fact.stream

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(count, range(24)))
    assert sorted(made) == sorted(f"tok_{number}" for number in range(24))
    journal.engine.dispose()


def test_commands_that_come_together_are_done_in_their_order_and_each_is_told_its_own(journal):
    def refuse(_):
        raise Conflict("no")

    commands = [creation(1), Command("refused", refuse), creation(2), creation(1)]
    done = journal.commit_all(commands)
    assert [getattr(each, "seq", str(each)) for each in done] == [1, "no", 2, 1]
    assert [each.was_done for each in done if not isinstance(each, Conflict)] == [False, False, True]
    assert journal.last() == 2
    assert [row["id"] for row in journal.list_rows("tokens")] == ["tok_1", "tok_2"]
    assert journal.commit_all([]) == []


def test_a_command_sees_what_those_before_it_in_the_same_transaction_changed(journal):
    def count(view):
        return creation(100 + len(view.list_rows("tokens"))).decide(view)

    def beginning(number):
        return Command(f"tok_{number}", creation(number).decide, begins=f"tok_{number}")

    commands = [beginning(1), beginning(2), Command("count", count), beginning(3), Command("again", count)]
    done = journal.commit_all(commands)
    assert [(each.seq, each.fact.stream) for each in done] == [
        *((1, "tok_1"), (2, "tok_2"), (3, "tok_102"), (4, "tok_3"), (5, "tok_104")),
    ]
    assert [row["id"] for row in journal.list_rows("tokens")] == ["tok_1", "tok_102", "tok_104", "tok_2", "tok_3"]


def test_commands_together_and_alone_from_all_sides_leave_no_gap(journal):
    def together(first):
        return journal.commit_all([creation(number) for number in range(first, first + 5)])

    with ThreadPoolExecutor(4) as pool:
        groups = [pool.submit(together, first) for first in range(0, 40, 5)]
        ones = [pool.submit(journal.commit, creation(number)) for number in range(100, 120)]
        done = [each for group in groups for each in group.result(60)] + [each.result(60) for each in ones]
    assert sorted(each.seq for each in done) == list(range(1, 61))
    assert [row.seq for row in journal.rows(0)] == list(range(1, 61))


def test_a_request_that_asks_for_something_else_than_before_is_refused(journal):
    def asking(content):
        return Command(RequestName("key_1", content), creation(1).decide)

    assert [journal.commit(asking("one")).was_done for _ in range(2)] == [False, True]
    with pytest.raises(Conflict, match=r"with another body, which made tok_1: send a new key"):
        journal.commit(asking("other"))
    [refused] = journal.commit_all([asking("other")])
    assert isinstance(refused, Conflict)
    assert journal.commit(Command("key_1", creation(1).decide)).was_done  # nobody says what for
    assert journal.last() == 1
    assert next(iter(journal.rows(0))).checked()["content"] == "one"
