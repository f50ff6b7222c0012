"""`andon init` and a scan without a model file, on real logs."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import duckdb
import pytest
import yaml

DATA = Path(__file__).parents[1] / "data"
SCENARIOS = sorted(path.parent for path in DATA.glob("*/model.yaml"))
ROLES = ("id", "time", "score", "prediction", "label", "label_time")


@pytest.fixture
def run(andon, tmp_path, monkeypatch):
    """Runs the command line in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CompletedProcess(words, *andon(*map(str, words)))


def refused(done):
    assert done.returncode == 2, done.stdout
    assert done.stdout == ""
    assert done.stderr.startswith("andon: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_the_roles_of_real_logs_are_found(scenario, tmp_path, run):
    done = run("init", scenario / "log.parquet", "--json")
    document = json.loads(done.stdout)
    declared = yaml.safe_load((scenario / "model.yaml").read_text())
    for role in ROLES:
        assert document["model"].get(f"{role}_column") == declared[f"{role}_column"], role
    asked = {each["key"]: each["value"] for each in document["questions"]}
    assert set(declared["protected_attributes"]) <= set(asked.get("protected_attributes", ()))
    assert "protected_attributes" not in document["model"]
    assert list(tmp_path.iterdir()) == []


def test_the_written_file_is_taken_as_it_is_and_finds_the_failure(tmp_path, run):
    scenario = DATA / "o11_flights_region_deprioritised"
    done = run("init", scenario / "log.parquet")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no review" in done.stdout
    assert "# which answer of prediction is good" in (tmp_path / "model.yaml").read_text()
    scan = ["scan", scenario / "log.parquet", "--reference", scenario / "reference.parquet", "--every", "1d"]
    found = run(*scan, "--model", "model.yaml", "--strict", "--json", "-")
    assert (found.returncode, found.stderr) == (1, "")
    guessed = run(*scan, "--json", "-")
    declared, alone = json.loads(found.stdout), json.loads(guessed.stdout)
    assert declared["incidents"][0]["affected"] == alone["incidents"][0]["affected"]
    told = [each["text"] for each in alone["warnings"] if each["code"] == "guessed"]
    assert any(text.startswith("id_column was guessed to be prediction_id") for text in told)
    assert "warning: id_column was guessed to be prediction_id" in guessed.stderr


def test_a_file_that_is_there_is_kept_unless_forced(tmp_path, run):
    log = DATA / "o10_bikes_temperature_unit" / "log.parquet"
    (tmp_path / "model.yaml").write_text("mine")
    assert "--force" in refused(run("init", log))
    assert (tmp_path / "model.yaml").read_text() == "mine"
    assert run("init", log, "--force").returncode == 0
    printed = run("init", log, "-o", "-").stdout
    assert (tmp_path / "model.yaml").read_text() == printed
    assert yaml.safe_load(printed)["problem"] == "regression"
    assert [path.name for path in tmp_path.iterdir()] == ["model.yaml"]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_one_value_that_is_no_time_does_not_make_the_labels_time_that_of_decisions(ending, run):
    at = "timestamp '2026-01-01' + to_minutes(i)"
    duckdb.sql(
        f"copy (select 'p' || i as id, case when i = 7 then 'unknown' else strftime({at}, '%xT%X') end as ts,"
        f" {at} + interval 1 day as label_ts, i % 2 as prediction, i % 3 % 2 as label from range(500) t(i))"
        f" to 'log.{ending}'"
    )
    for command in (("init", "-o", "-"), ("scan",)):
        told = refused(run(*command, f"log.{ending}"))
        assert "'ts' has a name for it, but 1 of its 500 values is not an ISO 8601 time, for example 'unknown'" in told


def test_columns_of_bytes_lists_and_structures_are_named(run):
    duckdb.sql(
        "copy (select 'p' || i as id, timestamp '2026-01-01' + to_minutes(i * 20) as ts, encode('eng') as job,"
        " [i] as basket, {'a': i} as extra, i % 97 as age, i % 2 as prediction from range(6000) t(i)) to 'log.parquet'"
    )
    said = "what is in job, basket, extra: 3 columns hold bytes, lists, structures or the like"
    assert f"  {said}" in run("init", "log.parquet").stdout
    document = json.loads(run("init", "log.parquet", "--json").stdout)
    assert [each for each in document["cannot_answer"] if each.startswith(said)]
    assert document["model"]["features"] == ["age"]
    done = run("scan", "log.parquet", "--json", "-")
    told = [each["text"] for each in json.loads(done.stdout)["warnings"] if each["code"] == "not_guessed"]
    assert [text.startswith(f"nothing is known of {said}") for text in told] == [True]
    assert "nothing is known of what is in job" in done.stderr


def test_hostile_names_stay_names(tmp_path, run):
    names = ["id", "ts", "a: b", "# c", "d\ne: f", 'g", h', "[i", "yes", "1.10", "null", "\x1b[31m"]
    columns = ", ".join(
        f'i % 97 + {place} as "{name.replace(chr(34), 2 * chr(34))}"' for place, name in enumerate(names)
    )
    duckdb.sql(
        f"select 'p' || i as id, timestamp '2026-01-01' + to_minutes(i) as ts, {columns.split(', ', 2)[2]}"
        " from range(500) t(i)"
    ).write_parquet(str(tmp_path / "log.parquet"))
    assert run("init", "log.parquet").returncode == 0
    written = yaml.safe_load((tmp_path / "model.yaml").read_text())
    assert written["features"] == names[2:]
    words = ("scan", "log.parquet", "--model", "model.yaml", "--reference", "log.parquet", "--strict", "--json", "-")
    done = run(*words)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("init", "nix.parquet"), "nix.parquet"),
        (("init", "poor.csv"), "write `id_column: NAME` into a model.yaml"),
        (("init", "empty.csv"), "empty.csv"),
        (("init", "poor.csv", "-o", "poor.csv"), "would overwrite"),
        (("init", "poor.csv", "-o", "no/model.yaml"), "there is no folder"),
        (("init", "poor.csv", "-o", "-", "--json"), "leave one out"),
        (("scan", "poor.csv", "--reference", "poor.csv"), "name it with --model"),
        (("scan", "poor.csv"), "name it with --model"),
        (("scan", "ledger:", "--reference", "poor.csv"), "--model model.yaml"),
    ],
)
def test_bad_input_is_said_in_one_sentence(tmp_path, words, said, run):
    (tmp_path / "poor.csv").write_text("foo,bar\n1,3\n1,3\n")
    (tmp_path / "empty.csv").write_text("id,ts\n")
    before = sorted(path.name for path in tmp_path.iterdir())
    assert said in refused(run(*words))
    assert sorted(path.name for path in tmp_path.iterdir()) == before
