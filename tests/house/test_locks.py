"""The locks pin every requirement by hash, name no package index, and hold all that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted([*(ROOT / "requirements").glob("*.txt"), *(ROOT / "benchmarks" / "peers").glob("*.txt")])


def names(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE))


def versions(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+==\S+.*?)\s*\\?$", lock.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_pins_by_hash_and_names_no_index(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z])", text)[1:]
    assert entries
    assert all(re.match(r"[a-z0-9-]+==\S+", entry) and "--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert "index-url" not in text


def test_runtime_lock_holds_the_dependencies_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.split(r"[<>=!~ ;\[]", line)[0] for line in project["dependencies"]}
    assert asked <= names(ROOT / "requirements" / "runtime.txt")


def test_tests_run_on_the_versions_that_users_get() -> None:
    assert versions(ROOT / "requirements" / "runtime.txt") <= versions(ROOT / "requirements" / "dev.txt")
