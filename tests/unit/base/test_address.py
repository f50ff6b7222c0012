"""No secret of an address is shown."""

import pytest

from andon.base.address import is_url, shown


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@host:5432/db?table=t",
        "postgresql://me:sec/ret@host/db?table=t",
        "postgresql://me:se@secret@host/db?table=t",
        "postgresql://host/db?table=t&password=secret&sslmode=require",
        "postgresql://host/db?sslpassword=secret&table=t",
        "s3://bucket/prefix?secret_access_key=secret",
    ],
)
def test_secrets_are_left_out(url: str) -> None:
    assert "secret" not in shown(url).replace("secret_access_key", "")
    assert shown(url).startswith(url.split(":", maxsplit=1)[0])


@pytest.mark.parametrize("place", ["log.parquet", "a:b@c.csv", "duckdb:///w.db?table=t", "s3://bucket/prefix"])
def test_the_rest_stays(place: str) -> None:
    assert shown(place) == place
    assert is_url(place) is ("://" in place)
