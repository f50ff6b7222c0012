"""The tables are a fold of the journal; whatever else touches them is found and named. On both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import upgrade
from alembic.migration import MigrationContext
from sqlalchemy import event, text

from andon.adapters.keyring import Keyring
from andon.adapters.sql.engine import open_engine, reading, writing
from andon.adapters.sql.tables import METADATA
from andon.base.errors import BadInput, Refused, Tampered, Unavailable
from andon.bootstrap.database import LATEST, open_database, schema_version
from andon.ledger.journal import Command, Fact
from journals import bare_database, creation, fresh_database, sql_journal

DATA = {"role": "viewer", "digest": "d", "models": [], "expires_at": None}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    return fresh_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else None


@pytest.fixture
def journal(url, tmp_path):
    made = sql_journal(tmp_path, url)
    for number in range(3):
        made.commit(creation(number))
    made.commit(Command("revoke", lambda _: Fact("token_revoked", "tok_1", "tester", {})))
    yield made
    made.engine.dispose()


def run(journal, statement):
    with writing(journal.engine) as connection:
        connection.execute(text(statement))


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request):
    """As `url`, of a database without a schema."""
    return bare_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else None


def test_migrations_lead_to_the_tables_of_this_version(bare, tmp_path):
    engine = open_database(tmp_path, bare)
    with reading(engine) as connection:
        options = {"include_name": lambda name, *_: not str(name).startswith(("search_words", "search_texts_words"))}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
        assert schema_version(connection) == LATEST
    engine.dispose()
    again = open_database(tmp_path, bare)  # nothing left to do
    again.dispose()


@pytest.mark.parametrize("version", ["0001", "0002", "0003"])
def test_a_database_of_any_earlier_version_is_brought_up_with_what_it_holds(version, bare, tmp_path, monkeypatch):
    made = "insert into tokens (id, name, role) values ('tok_old', 'ada', 'viewer')"
    with monkeypatch.context() as patch:
        patch.setattr("alembic.command.upgrade", lambda config, _: upgrade(config, version))
        engine = open_database(tmp_path, bare)
    with writing(engine) as connection:
        assert schema_version(connection) == version
        connection.execute(text(made))
    engine.dispose()
    engine = open_database(tmp_path, bare)
    with reading(engine) as connection:
        assert schema_version(connection) == LATEST
        assert connection.execute(text("select name from tokens")).scalar_one() == "ada"
        assert connection.execute(text("select count(*) from incident_files")).scalar_one() == 0
    engine.dispose()


def test_a_newer_database_is_refused(journal, url, tmp_path):
    run(journal, "update alembic_version set version_num = '9999'")
    with pytest.raises(Refused, match="run the newer andon"):
        open_database(tmp_path, url)


def test_tables_are_rebuilt_from_the_journal(journal):
    before = journal.list_rows("tokens")
    run(journal, "delete from tokens where id = 'tok_0'")
    run(journal, "update tokens set role = 'admin'")
    with pytest.raises(Tampered):
        journal.check()
    journal.rebuild()
    assert journal.list_rows("tokens") == before
    assert journal.check() == 4


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("update tokens set role = 'admin' where id = 'tok_2'", "row tok_2 of the table tokens was changed"),
        ("update tokens set revoked_at = null where id = 'tok_1'", "row tok_1 of the table tokens was changed"),
        ("delete from tokens where id = 'tok_0'", "row tok_0 of the table tokens is missing"),
        ("insert into tokens(id, role) values ('tok_x', 'admin')", "row tok_x of the table tokens is not from the"),
        ("update journal set stream = 'tok_7' where seq = 2", "row 2 of the table journal was changed: its column"),
        ("update journal set request_id = 'x' where seq = 3", "row 3 of the table journal was changed: its column"),
        ("delete from journal_payload where seq = 1", "the text name of journal entry 1 is missing"),
        ("update journal_payload set seq = 9 where seq = 1", "the text name of journal entry 1 is missing"),
        ("update journal set seq = 9 where seq = 4", "row 9 of the table journal was changed: its column seq"),
    ],
)
def test_a_changed_row_is_named(journal, statement, named):
    run(journal, statement)
    with pytest.raises(Tampered, match=named):
        journal.check()


def test_a_changed_entry_is_named(journal):
    with writing(journal.engine) as connection:
        entry = bytes(connection.execute(text("select entry from journal where seq = 2")).scalar_one())
        changed = entry.replace(b"viewer", b"admin ")
        connection.execute(text("update journal set entry = :e where seq = 2"), {"e": changed})
    with pytest.raises(Tampered, match="row 2 of the table journal was changed: its entry"):
        journal.check()


def test_a_text_that_was_swapped_is_named(journal):
    with writing(journal.engine) as connection:
        other = bytes(connection.execute(text("select ct from journal_payload where seq = 3")).scalar_one())
        connection.execute(text("update journal_payload set ct = :c where seq = 2"), {"c": other})
    with pytest.raises(Tampered, match="the text at 2:name"):
        journal.check()


def test_an_erased_text_is_erased_in_the_rebuilt_tables(journal):
    journal.keys.forget("tok_2")
    journal.rebuild()
    assert journal.find("tokens", "tok_2")["name"] == "erased"
    assert journal.find("tokens", "tok_0")["name"] == "person 0"
    assert journal.check() == 4


def renaming(number):
    """A second fact of a stream, with a text of its own."""
    return Command(f"again {number}", lambda _: Fact("token_created", f"tok_{number}", "tester", DATA, {"name": "new"}))


def test_what_comes_after_an_erasure_is_read_and_what_was_erased_stays_so(journal):
    """A lawful erasure is no tampering: the name gets another key, and the old one never comes back."""
    for number in range(3):
        journal.keys.forget("tok_2")
        journal.rebuild()
        assert journal.find("tokens", "tok_2")["name"] == "erased"
        journal.keys.make(["tok_2"])
        assert journal.check() == 4 + number
        journal.commit(Command(f"new {number}", renaming(2).decide))
        assert journal.find("tokens", "tok_2")["name"] == "new"
        assert journal.check() == 5 + number


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fact_that_races_with_an_erasure_is_erased_or_kept_whole(journal, when, monkeypatch):
    """The key is forgotten just before a text is sealed (it is kept), or just after, before the commit (it is not)."""
    seal = journal.keys.seal

    def raced(name, text, place):
        if when == "before":
            journal.keys.forget(name)
        found = seal(name, text, place)
        if when == "after":
            journal.keys.forget(name)
        return found

    monkeypatch.setattr(journal.keys, "seal", raced)
    journal.commit(renaming(2))
    journal.rebuild()
    assert journal.find("tokens", "tok_2")["name"] == ("new" if when == "before" else "erased")
    assert journal.check() == 5


def test_a_rebuilding_loses_no_fact_that_comes_meanwhile(journal):
    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(journal.commit, creation(number)) for number in range(10, 40)]
        again = [pool.submit(journal.rebuild) for _ in range(3)]
        assert [each.result(60) for each in (*made, *again)]
    assert journal.check() == 34


@pytest.mark.parametrize("broken", ["damaged", "a folder", "locked away"])
def test_keys_that_cannot_be_used_are_a_sentence(broken, tmp_path):
    path = tmp_path / "keys.db"
    if broken == "damaged":
        path.write_bytes(b"no database at all" * 100)
    elif broken == "a folder":
        path.mkdir()
    else:
        path = tmp_path / "none" / "keys.db"
    with pytest.raises(Unavailable, match=r"the keys in .* cannot be used: .*; mend the disk"):
        Keyring(path)


def test_a_keys_error_is_told_to_who_commits(journal):
    journal.keys.close()
    with pytest.raises(Unavailable, match="the keys in"):
        journal.commit(creation(7))


def test_a_database_that_is_away_is_a_sentence(tmp_path):
    engine = open_engine("postgresql://andon:geheim@127.0.0.1:9/none")
    with pytest.raises(Unavailable, match=r"does not answer: .*start it, or mend --database") as told, reading(engine):
        pass
    assert "geheim" not in str(told.value)


def test_a_url_of_another_kind_is_refused():
    with pytest.raises(BadInput, match="write postgresql://"):
        open_engine("mysql://me:geheim@somewhere/db")


def test_commands_whose_keys_cannot_be_made_are_each_told_and_not_done(journal):
    journal.keys.close()
    fact = creation(7).decide(None)
    begun = [Command(f"sig_{number}", lambda _: fact, begins=f"sig_{number}") for number in range(2)]
    done = journal.commit_all(begun)
    assert [type(each) for each in done] == [Unavailable, Unavailable]
    assert journal.last() == 4


def beginning(number):
    return Command(f"tok_{number}", creation(number).decide, begins=f"tok_{number}")


def test_one_that_breaks_the_transaction_fails_alone(journal):
    """A stream that is begun twice, which no sender of ours does."""
    done = journal.commit_all([beginning(number) for number in (11, 12, 11, 13)])
    assert [isinstance(each, Exception) for each in done] == [False, False, True, False]
    assert {row["id"] for row in journal.list_rows("tokens")} >= {"tok_11", "tok_12", "tok_13"}
    journal.check()


def test_a_burst_takes_as_few_statements_as_one_command(journal):
    carried_out = []
    event.listen(journal.engine, "before_cursor_execute", lambda _, __, told, *___: carried_out.append(told))
    counts = []
    for numbers in ([20], range(30, 50)):
        carried_out.clear()
        journal.commit_all([beginning(number) for number in numbers])
        counts.append(len(carried_out))
    assert counts[0] == counts[1]
    journal.check()


def synchronous(connection):
    """As SQLite numbers it: 1 is NORMAL, 2 is FULL."""
    return connection.exec_driver_sql("PRAGMA synchronous").scalar_one()


def broken_off(engine, statement):
    with writing(engine, outlives=False) as connection:
        connection.execute(text(statement))
        raise ZeroDivisionError


def test_what_need_not_outlive_the_machine_waits_for_no_disk_and_all_else_does(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'base.db'}")
    with writing(engine, outlives=False) as connection:
        assert synchronous(connection) == 1
        connection.execute(text("create table notes(note text)"))
    with pytest.raises(ZeroDivisionError):
        broken_off(engine, "insert into notes values ('undone')")
    with writing(engine) as connection:
        assert synchronous(connection) == 2
        assert connection.execute(text("select * from notes")).all() == []


def test_a_connection_that_cannot_wait_for_the_disk_again_is_dropped(tmp_path, monkeypatch):
    """As when a failure cannot be undone: inside a transaction SQLite changes no such setting."""
    engine = open_engine(f"sqlite:///{tmp_path / 'base.db'}")
    monkeypatch.setattr("andon.adapters.sql.engine._roll_back", lambda _: None)
    with pytest.raises(Unavailable, match="Safety level"):
        broken_off(engine, "create table notes(note text)")
    with writing(engine) as connection:
        assert synchronous(connection) == 2
