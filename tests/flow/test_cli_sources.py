"""`andon scan` of tables and objects: the same result as of files, and no password in anything printed."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from adbc_driver_postgresql import dbapi
from pyarrow.fs import S3FileSystem

from components import PASSWORD

DATA = Path(__file__).parents[1] / "data" / "o01_taiwan_renamed_feature"
Run = Callable[..., tuple[int, str, str]]
Places = tuple[str, str]


def in_duckdb(folder: Path, request: pytest.FixtureRequest) -> Places:
    with duckdb.connect(str(folder / "w.db")) as database:
        for name in ("log", "reference"):
            database.execute(f"create table {name} as from '{DATA / name}.parquet'")
    return f"duckdb:///{folder}/w.db?table=log", f"duckdb:///{folder}/w.db?table=reference"


def in_postgresql(folder: Path, request: pytest.FixtureRequest) -> Places:
    server = request.getfixturevalue("postgres")
    with dbapi.connect(server) as connection, connection.cursor() as cursor:
        for name in ("log", "reference"):
            cursor.adbc_ingest(f"scanned_{name}", pq.read_table(DATA / f"{name}.parquet"), mode="create")
        connection.commit()
    return f"{server}?table=scanned_log", f"{server}?table=scanned_reference"


def in_object_store(folder: Path, request: pytest.FixtureRequest) -> Places:
    server = request.getfixturevalue("s3")
    request.getfixturevalue("monkeypatch").setenv("AWS_ENDPOINT_URL", server)
    store = S3FileSystem(endpoint_override=server, allow_bucket_creation=True)
    store.create_dir("bucket")
    for name in ("log", "reference"):
        with store.open_output_stream(f"bucket/scanned/{name}/part.parquet") as out:
            out.write((DATA / f"{name}.parquet").read_bytes())
    return "s3://bucket/scanned/log", "s3://bucket/scanned/reference/part.parquet"


IN_FILES = str(DATA / "log.parquet"), str(DATA / "reference.parquet")


def words_of(places: Places) -> tuple[str, ...]:
    log, reference = places
    return ("scan", log, "--model", str(DATA / "model.yaml"), "--reference", reference, "--every", "3d")


def document(andon: Run, places: Places) -> tuple[dict[str, object], str]:
    code, out, err = andon(*words_of(places), "--json", "-")
    assert code == 1, err
    found = json.loads(out)
    del found["seconds"]
    return found, out + err


@pytest.mark.parametrize("make", [in_duckdb, in_postgresql, in_object_store])
def test_a_scan_finds_the_same_wherever_the_log_is(
    make: Callable[[Path, pytest.FixtureRequest], Places],
    andon: Run,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    places = make(tmp_path, request)
    found, printed = document(andon, places)
    assert found == document(andon, IN_FILES)[0]
    assert PASSWORD not in "".join((printed, *andon(*words_of(places))[1:]))
    assert list((tmp_path / "work").iterdir()) == []


BIKES = DATA.parent / "o10_bikes_temperature_unit"


def test_a_table_of_text_only_is_scanned_as_the_numbers_it_holds(andon: Run, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "w.db")) as database:
        database.execute(f"create table log as select columns(*)::varchar from '{BIKES / 'log.parquet'}'")
    text, typed = f"duckdb:///{tmp_path}/w.db?table=log", str(BIKES / "log.parquet")
    found, told = bikes(andon, text, "--json", "-"), bikes(andon, text)
    affected = [each["affected"] for each in json.loads(found)["incidents"]]
    assert "temp >= " in affected[0]["predicate"]
    assert affected == [each["affected"] for each in json.loads(bikes(andon, typed, "--json", "-"))["incidents"]]
    assert {"type_differs", "text_times", "read_as_numbers"} <= {w["code"] for w in json.loads(found)["warnings"]}
    assert "text turned into times first, text turned into numbers first" in " ".join(told.split())
    assert "turned into" not in bikes(andon, typed)
    turned = "* replace (try_cast(temp as double) as temp, cast(ts as timestamptz) as ts)"
    with duckdb.connect(str(tmp_path / "w.db")) as database:
        database.execute("set timezone = 'UTC'")
        asked = f"select count(*) from (select {turned} from log) where {affected[0]['predicate']}"
        assert database.execute(asked).fetchall() == [(affected[0]["count"],)]


def bikes(andon: Run, log: str, *more: str) -> str:
    model, reference = str(BIKES / "model.yaml"), str(BIKES / "reference.parquet")
    code, out, err = andon("scan", log, "--model", model, "--reference", reference, "--every", "3d", *more)
    assert code == 1, err
    return out


def test_a_server_that_is_not_there_is_exit_4(andon: Run) -> None:
    place = "postgresql://me:hidden@127.0.0.1:1/db?table=t"
    code, out, err = andon("scan", place, "--model", str(DATA / "model.yaml"), "--reference", place)
    assert (code, out) == (4, "")
    assert "cannot reach postgresql://me@127.0.0.1:1/db?table=t" in err
    assert "hidden" not in err
