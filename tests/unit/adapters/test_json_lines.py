"""Many files of JSON lines have the columns that the engine would say they have, if it could look into all at once."""

import json
from itertools import combinations
from pathlib import Path

import pytest

from andon.adapters.duckdb import json_lines
from andon.adapters.duckdb.connection import connect
from andon.adapters.duckdb.files import find_files
from andon.adapters.duckdb.json_lines import keys_of
from andon.base.errors import BadInput

VALUES = (
    *(None, 1, 2**63, 1.5, "x", True, [1], "2026-01-01T00:00:00Z", "2026-01-01", "10:00:00"),
    "550e8400-e29b-41d4-a716-446655440000",
)


def keys(folder: Path, values: list[object], monkeypatch: pytest.MonkeyPatch, together: int) -> dict[str, str]:
    for place, value in enumerate(values):
        (folder / f"{place:03d}.jsonl").write_text(json.dumps({"id": "p1", "a": value}) + "\n")
    monkeypatch.setattr(json_lines, "TOGETHER", together)
    files = find_files(str(folder))
    return keys_of(connect(files), files)


@pytest.mark.parametrize(("one", "other"), [*combinations(VALUES, 2)])
def test_two_files_apart_have_the_types_that_they_have_together(
    one: object, other: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, apart = (keys(tmp_path, [one, other], monkeypatch, count) for count in (2, 1))
    assert apart == together


def test_a_hundred_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine has no memory for thirty, of which it holds 32 MiB each."""
    found = keys(tmp_path, [0.5, *range(98), {"k": 1}], monkeypatch, json_lines.TOGETHER)
    assert found == {"id": "VARCHAR", "a": "JSON"}


def test_keys_of_two_files_that_differ_in_case_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b.jsonl").write_text('{"id": "p1", "A": 1}\n')
    with pytest.raises(BadInput, match=r"has the key 'A' beside 'a' .*: rename one of them"):
        keys(tmp_path, [1], monkeypatch, 1)
