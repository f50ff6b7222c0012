"""Tables and objects that cannot be read: one sentence, its kind, no password in it, and no file left behind."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from pyarrow.fs import S3FileSystem

from andon.adapters.duckdb.connection import connect
from andon.adapters.duckdb.log import open_log
from andon.adapters.duckdb.objects import Storage
from andon.adapters.duckdb.outcomes import ALIAS as LABELS
from andon.adapters.duckdb.place import find_place
from andon.adapters.duckdb.tables import ALIAS
from andon.base.errors import AndonError, BadInput, Unavailable
from andon.inventory.model import Columns, Model
from components import PASSWORD

MODEL = Model("m", Columns("id", "ts"))


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with duckdb.connect("warehouse.db") as database:
        database.execute("create table decisions as select '1' as id, timestamp '2026-01-01' as ts")
    Path("text.db").write_text("id,ts\n" * 1000)
    yield
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.db", "warehouse.db"]


def refused(place: str, storage: Storage | None = None) -> AndonError:
    with pytest.raises(AndonError) as error, open_log(place, MODEL, storage=storage):
        pass
    text = str(error.value)
    assert "\n" not in text
    assert PASSWORD not in text
    assert error.value.__cause__ is None
    return error.value


FILES: dict[str, tuple[str, list[str]]] = {
    "no table in the URL": ("duckdb:///warehouse.db", ["warehouse.db does not name one table", "?table=decisions"]),
    "no file in the URL": ("duckdb://?table=decisions", ["names no file", "duckdb:///warehouse.db"]),
    "no such database": ("duckdb:///ware.db?table=decisions", ["no database ware.db", "check the path"]),
    "no such table": ("duckdb:///warehouse.db?table=decision", ["no table decision", "did you mean decisions?"]),
    "no such schema": ("duckdb:///warehouse.db?table=ml.t", ["no table ml.t", "its tables are decisions"]),
    "no database at all": ("duckdb:///text.db?table=decisions", ["text.db", "no DuckDB database"]),
    "an unknown kind": (
        "mysql://me:hidden@host/db?table=t",
        ["mysql://me@host/db", "give files, s3://"],
    ),
    "two tables": ("duckdb:///warehouse.db?table=a&table=b", ["does not name one table", "write it like"]),
    "no table at a server": ("postgresql://me@host/db", ["does not name one table", "write it like postgresql://"]),
    "a port that is none": ("postgresql://host:port/db?table=t", ["is no URL of a database", "write it like"]),
    "an unescaped password": ("postgresql://me:hid@den@host/db?table=t", ["me@host/db", "PGPASSWORD"]),
    "no bucket": ("s3://?x", ["names no bucket", "s3://bucket/prefix"]),
}


@pytest.mark.parametrize("cause", FILES)
def test_addresses(cause: str) -> None:
    place, parts = FILES[cause]
    error = refused(place)
    assert isinstance(error, BadInput)
    assert [part for part in parts if part not in str(error)] == [], str(error)
    assert "hid" not in str(error)


def test_a_database_that_another_program_writes_to() -> None:
    program = "import duckdb; c = duckdb.connect('warehouse.db'); print('open', flush=True); input()"
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdin is not None
        assert writer.stdout.readline() == "open\n"
        error = refused("duckdb:///warehouse.db?table=decisions")
        writer.stdin.close()
    assert "it is locked; close the program" in str(error)


def test_a_table_beside_another_log() -> None:
    with pytest.raises(BadInput, match="is one log by itself: name no other"):
        open_log(["duckdb:///warehouse.db?table=decisions", "text.db"], MODEL)


def test_times_without_end() -> None:
    with duckdb.connect("warehouse.db") as database:
        database.execute("insert into decisions select * replace (timestamp 'infinity' as ts) from decisions limit 1")
    assert "1 of" in str(error := refused("duckdb:///warehouse.db?table=decisions"))
    assert "have no time in 'ts': fill it in" in str(error)


def test_a_view_of_files_outside() -> None:
    Path("rows.csv").write_text("id,ts\n1,2026-01-01\n")
    with duckdb.connect("warehouse.db") as database:
        database.execute("create view outside as select * from read_csv('rows.csv')")
    error = refused("duckdb:///warehouse.db?table=outside")
    Path("rows.csv").unlink()
    assert "view of files outside the database" in str(error)


VIEWS = {
    "its table is gone": "create table base as select 1 as x; create view v as from base; drop table base",
    "its column is gone": (
        "create table base as select 1 as x, 2 as y; create view v as select y from base; alter table base drop y"
    ),
}


@pytest.mark.parametrize("cause", VIEWS)
@pytest.mark.parametrize("alias", [ALIAS, LABELS])
def test_a_view_that_stands_on_nothing(cause: str, alias: str) -> None:
    with duckdb.connect("warehouse.db") as database:
        database.execute(VIEWS[cause])
    place = find_place("duckdb:///warehouse.db?table=v", alias=alias)
    with pytest.raises(BadInput, match=r"warehouse.db\?table=v: .* is gone or has changed \(.*\); make the view again"):
        connect(place)


def test_a_data_file_that_is_named_as_a_database() -> None:
    duckdb.execute("copy (select '1' as id, timestamp '2026-01-01' as ts) to 'log.parquet'")
    error = refused("duckdb:///log.parquet?table=log")
    Path("log.parquet").unlink()
    assert isinstance(error, BadInput)
    assert "log.parquet" in str(error)
    assert "it is no DuckDB database" in str(error)
    assert "without duckdb:" in str(error)


SERVER: dict[str, tuple[Callable[[str], str], type[AndonError], list[str]]] = {
    "no server": (lambda url: url.replace("127.0.0.1", "127.0.0.1:1,127.0.0.1"), BadInput, ["no URL"]),
    "a closed port": (lambda url: "postgresql://me@127.0.0.1:1/db", Unavailable, ["cannot reach", "check the host"]),
    "a wrong password": (
        lambda url: url.replace(PASSWORD, "wrong"),
        BadInput,
        ["password authentication failed", "PGPASSWORD"],
    ),
    "no such database": (lambda url: url.replace("/postgres", "/nodb"), BadInput, ['"nodb" does not exist', "check"]),
    "no such table": (lambda url: url, BadInput, ["no table decisions", "check its name"]),
    "an unknown word": (lambda url: url + "?speed=9", BadInput, ["speed", "check the URL"]),
}


@pytest.mark.parametrize("cause", SERVER)
def test_servers(cause: str, postgres: str) -> None:
    change, kind, parts = SERVER[cause]
    url = change(postgres)
    error = refused(f"{url}{'&' if '?' in url else '?'}table=decisions")
    assert type(error) is kind
    assert [part for part in parts if part not in str(error)] == [], str(error)


def test_object_stores(s3: str) -> None:
    assert "no bucket for s3://nowhere/x" in str(refused("s3://nowhere/x", Storage(s3)))
    error = refused("s3://bucket/x", Storage("http://127.0.0.1:1"))
    assert isinstance(error, Unavailable)
    assert "cannot reach http://127.0.0.1:1" in str(error)
    S3FileSystem(endpoint_override=s3, allow_bucket_creation=True).create_dir("bucket")
    assert "s3://bucket/none holds no data files" in str(refused("s3://bucket/none", Storage(s3)))
