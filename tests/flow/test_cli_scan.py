"""`andon scan`, `show` and `demo` as a user runs them: exit codes, the document, nothing half-written, no traceback."""

import json
import os
import subprocess
import sys
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

import synthetic

DATA = Path(__file__).parents[1] / "data"
BROKEN, CLEAN = DATA / "o01_taiwan_renamed_feature", DATA / "o05_taiwan_control_strict"
PROGRAM = "from andon.interfaces.cli.app import main; main()"
SCHEMAS = files("andon") / "packs" / "schemas"


def schema(name):
    return json.loads((SCHEMAS / name).read_text(encoding="utf-8"))


def validator(name):
    known = [(each, Resource.from_contents(schema(each))) for each in ("scan.schema.json", "scans.schema.json")]
    return Draft202012Validator(schema(name), registry=Registry().with_resources(known))


SELDOM = ("--every", "3d")
"""Few evaluations: enough where only the words around them are tested."""


def words(folder, *more):
    return ["scan", str(folder / "log.parquet"), "--model", str(folder / "model.yaml"), *more]


def with_reference(folder, *more):
    return words(folder, "--reference", str(folder / "reference.parquet"), *more)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """One scan of a log with a failure, in a process of its own: the process, and the file it wrote."""
    out = tmp_path_factory.mktemp("scan") / "scan.json"
    done = run_python(PROGRAM, *with_reference(BROKEN, "--json", str(out)))
    return done, out


def run_python(program, *arguments, **options):
    options = {"capture_output": True, "stdin": subprocess.DEVNULL} | options
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, text=True, check=False, timeout=120, **options)  # noqa: S603


def test_a_failure_is_found_told_and_written(found):
    done, out = found
    assert done.returncode == 1
    assert "Data pipeline corruption" in done.stdout
    assert "pay_0" in done.stdout
    assert "\x1b" not in done.stdout
    assert "Traceback" not in done.stderr
    assert [file.name for file in out.parent.iterdir()] == [out.name]


def test_a_full_disk_behind_the_output_is_said_in_one_sentence():
    with Path("/dev/full").open("w") as full:
        words = with_reference(BROKEN, *SELDOM)
        done = run_python(PROGRAM, *words, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert "No space left" in done.stderr


def test_a_reader_of_warnings_that_is_gone_changes_no_exit_code():
    reader, writer = os.pipe()
    os.close(reader)
    words = with_reference(BROKEN, *SELDOM)
    done = run_python(PROGRAM, *words, capture_output=False, stdout=subprocess.PIPE, stderr=writer)
    os.close(writer)
    assert done.returncode == 1
    assert "pay_0" in done.stdout


def test_the_document_follows_its_schema(found):
    document = json.loads(found[1].read_text(encoding="utf-8"))
    assert list(validator("scan.schema.json").iter_errors(document)) == []
    assert list(validator("scans.schema.json").iter_errors({"schema": "andon.scans/1", "scans": [document]})) == []


def test_the_document_agrees_with_itself_and_with_the_log(found):
    document = json.loads(found[1].read_text(encoding="utf-8"))
    for incident in document["incidents"]:
        low, start, high, detected = (
            datetime.fromisoformat(incident[key])
            for key in ("started_at_low", "started_at", "started_at_high", "detected_at")
        )
        assert low <= start <= high
        assert start <= detected
        affected = incident["affected"]
        assert affected["low"] <= affected["count"] <= affected["high"]
        log = str(BROKEN / "log.parquet")
        counted = duckdb.sql(f"SELECT count(*) FROM '{log}' WHERE {affected['predicate']}").fetchall()
        assert counted == [(affected["count"],)]


@pytest.mark.parametrize("name", ["scan.schema.json", "scans.schema.json"])
def test_the_schemas_are_schemas(name):
    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("warnings"),
        lambda d: d["incidents"][0].update(priority="P9"),
        lambda d: d["incidents"][0].update(started_at="2026-02-09 06:00:00"),
        lambda d: d["incidents"][0]["affected"].pop("low"),
        lambda d: d["incidents"][0]["findings"][0].pop("window"),
        lambda d: d["incidents"][0]["findings"].clear(),
    ],
)
def test_the_schema_is_strict(found, spoil):
    document = json.loads(found[1].read_text(encoding="utf-8"))
    spoil(document)
    assert not validator("scan.schema.json").is_valid(document)


def test_nothing_found_is_nought_and_calm(andon):
    code, out, err = andon(*with_reference(CLEAN, *SELDOM))
    assert code == 0
    assert out.startswith("No silent failure found in 15,000 decisions")
    assert err == ""


def test_json_on_stdout_is_all_there_is_on_stdout(andon):
    code, out, _ = andon(*with_reference(CLEAN, *SELDOM, "--json", "-"))
    assert code == 0
    assert json.loads(out)["schema"] == "andon.scan/1"


def test_quiet_tells_on_one_line_what_was_guessed(andon, tmp_path):
    written = tmp_path / "scan.json"
    guessed = ["scan", str(CLEAN / "log.parquet"), *SELDOM, "--quiet", "--json", str(written)]
    code, out, err = andon(*guessed, "--reference", str(CLEAN / "reference.parquet"))
    assert (code, out, err.count("\n")) == (0, "", 1)
    assert err.startswith("guessed, as no --model was named: model_id: log, id_column: ")
    assert err.endswith("(andon init writes a model.yaml to check)\n")
    codes = {warning["code"] for warning in json.loads(written.read_text())["warnings"]}
    assert {"guessed", "not_asked"} <= codes


def test_quiet_says_it_by_the_exit_code(andon):
    assert andon(*with_reference(CLEAN, *SELDOM, "--quiet")) == (0, "", "")


def test_the_order_of_files_is_no_matter(andon, tmp_path):
    log = CLEAN / "log.parquet"
    parts = [str(tmp_path / f"{n}.parquet") for n in range(3)]
    for n, part in enumerate(parts):
        duckdb.sql(f"COPY (SELECT * FROM '{log}' WHERE hash(prediction_id) % 3 = {n}) TO '{part}'")
    rest = [
        "--model",
        str(CLEAN / "model.yaml"),
        "--reference",
        str(CLEAN / "reference.parquet"),
        "--json",
        "-",
        *SELDOM,
    ]
    documents = [json.loads(andon("scan", *logs, *rest)[1]) for logs in (parts, parts[::-1], [str(log)])]
    for document in documents:
        document.pop("seconds")
    assert documents[0] == documents[1] == documents[2]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (words(CLEAN, "--now", "2025-09-10"), "name known-good rows with --reference"),
        (words(CLEAN, "--reference", "nowhere.parquet"), "nowhere.parquet"),
        (["scan", "nowhere.parquet", "--model", str(CLEAN / "model.yaml"), "--reference", "x"], "andon: "),
        (["scan", "x", "--model", "nowhere.yaml"], "nowhere.yaml"),
        (with_reference(CLEAN, "--every", "often"), "--every often"),
        (with_reference(CLEAN, "--now", "tomorrow"), "--now tomorrow"),
        (with_reference(CLEAN, "--now", "1999-01-01"), "1999"),
        (with_reference(CLEAN, "--json", "nowhere/out.json"), "nowhere"),
    ],
)
def test_bad_input_is_one_sentence(andon, arguments, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = andon(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("andon: ")
    assert err.count("\n") == 1
    assert told in err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("model_id: a\nfeatures: [x\nid_column: b\n", "line 3"),
        ("- a\n- b\n", "id_column"),
        ("", "id_column"),
        ("model_id: \x00\n", "not valid YAML"),
    ],
)
def test_a_broken_model_file_names_its_line(andon, tmp_path, content, told):
    model = tmp_path / "model.yaml"
    model.write_text(content)
    code, _, err = andon("scan", str(CLEAN / "log.parquet"), "--model", str(model), "--reference", "x")
    assert code == 2
    assert told in err
    assert err.count("\n") == 1


def test_an_unknown_key_is_a_warning_and_strict_refuses_it(andon, tmp_path):
    model = tmp_path / "model.yaml"
    model.write_text((CLEAN / "model.yaml").read_text() + "label_colum: label\n")
    log, reference = str(CLEAN / "log.parquet"), str(CLEAN / "reference.parquet")
    code, out, err = andon("scan", log, "--model", str(model), "--reference", reference, *SELDOM)
    assert code == 0
    assert "label_colum" not in out
    assert err.startswith("warning: ")
    assert "label_colum" in err
    code, out, err = andon("scan", log, "--model", str(model), "--reference", reference, "--strict")
    assert (code, out) == (2, "")
    assert "label_colum" in err


@pytest.mark.parametrize("arguments", [[], ["frob"], ["scan"], ["scan", "--frob"], ["show"], ["show", "frob"]])
def test_wrong_usage_is_two(andon, arguments):
    code, out, err = andon(*arguments)
    assert code == 2
    assert "andon" in out + err


@pytest.mark.parametrize(
    "command", [[], ["scan"], ["demo"], ["show"], ["show", "detectors"], ["show", "taxonomy"], ["show", "severities"]]
)
def test_every_help_has_an_example(andon, command):
    code, out, _ = andon(*command, "--help")
    assert code == 0
    assert f"Example:\n    andon {' '.join(command)}".rstrip() in out


def test_help_loads_nothing_heavy():
    heavy = ("duckdb", "numpy", "pyarrow", "pydantic", "yaml", "rich.console")
    program = (
        "import sys\nfrom andon.interfaces.cli.app import main\nsys.argv = ['andon', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = run_python(program)
    assert done.returncode == 0
    assert "Commands:" in done.stdout
    assert done.stderr.strip() == "[]"


def test_a_reader_that_goes_away_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    done = run_python(PROGRAM, "show", "taxonomy", capture_output=False, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("what", ["detectors", "taxonomy", "severities"])
def test_show_prints_text_and_json(andon, what):
    code, text, _ = andon("show", what)
    assert code == 0
    assert text.strip()
    code, out, _ = andon("show", what, "--json")
    assert code == 0
    assert what in json.loads(out) or json.loads(out)["schema"] == f"andon.{what}/1"


def test_types_of_a_user_are_shown_beside_the_shipped(tmp_path, monkeypatch):
    document = (Path(__file__).parents[2] / "docs" / "incidents.md").read_text(encoding="utf-8")
    own = tmp_path / "own.yaml"
    own.write_text(document.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    monkeypatch.setenv("ANDON_TAXONOMY", str(own))
    done = run_python(PROGRAM, "show", "taxonomy", "--json")
    assert json.loads(done.stdout)["types"]["pricing_error"]["title"] == "Pricing error"
    own.write_text("schema: andon.taxonomy/1\ntypes: {pricing_error: {title: x}}\n", encoding="utf-8")
    for path, told in ((own, "types.pricing_error.means"), (tmp_path / "none.yaml", "ANDON_TAXONOMY")):
        monkeypatch.setenv("ANDON_TAXONOMY", str(path))
        done = run_python(PROGRAM, "show", "taxonomy")
        assert (done.returncode, done.stdout, told in done.stderr, done.stderr.count("\n")) == (2, "", True, 1)


def test_version(andon):
    code, out, _ = andon("--version")
    assert code == 0
    assert out.startswith("andon ")


def test_a_log_named_like_an_option_is_named_by_its_folder_in_commands(andon, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(synthetic.make_log(tmp_path, synthetic.FAULTS["income_null"])).rename("-l.parquet")
    Path(synthetic.make_reference(tmp_path)).rename("reference.parquet")
    code, out, err = andon("scan", "--reference", "reference.parquet", "--", "-l.parquet")
    assert code == 1, err
    assert "andon scan ./-l.parquet " in out
