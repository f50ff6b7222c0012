"""A log of several models: one scan each, one document, `--model-id` picks one."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

import synthetic

Run = Callable[..., tuple[int, str, str]]
MODEL = """
model_id: all
id_column: id
time_column: ts
model_column: model
score_column: score
prediction_column: prediction
features: [amount, income, age, product, channel]
segments: [region]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model `north` has a fault, model `south` has none; the reference holds both."""
    folder = tmp_path_factory.mktemp("models")
    parts: dict[str, list[str]] = {"log": [], "reference": []}
    for name, fault in (("north", "income_null"), ("south", None)):
        place = folder / name
        place.mkdir()
        made = {
            "log": synthetic.make_log(place, synthetic.FAULTS[fault] if fault else None, seed=3),
            "reference": synthetic.make_reference(place, seed=3),
        }
        for kind, file in made.items():
            parts[kind].append(f"select *, '{name}' as model from '{file}'")
    for kind, sql in parts.items():
        duckdb.execute(f"copy ({' union all by name '.join(sql)}) to '{folder / kind}.parquet'")
    (folder / "model.yaml").write_text(MODEL)
    return folder


def words(folder: Path, *more: str) -> tuple[str, ...]:
    places = ("--model", str(folder / "model.yaml"), "--reference", str(folder / "reference.parquet"))
    return ("scan", str(folder / "log.parquet"), *places, *more)


def test_every_model_is_scanned_by_itself(andon: Run, folder: Path) -> None:
    code, out, _ = andon(*words(folder, "--json", "-"))
    document = json.loads(out)
    assert code == 1
    assert document["schema"] == "andon.scans/1"
    assert {scan["model_id"]: len(scan["incidents"]) for scan in document["scans"]} == {"north": 1, "south": 0}
    [incident] = document["scans"][0]["incidents"]
    assert incident["incident_type"] == "data_pipeline_corruption"
    affected = incident["affected"]
    [counted] = duckdb.execute(f"select count(*) from '{folder}/log.parquet' where {affected['predicate']}").fetchall()
    assert counted == (affected["count"],)
    rows = synthetic.DAYS * synthetic.ROWS_PER_DAY
    assert [scan["rows"] for scan in document["scans"]] == [rows, rows]


def test_one_model_of_them_is_one_scan(andon: Run, folder: Path) -> None:
    code, out, _ = andon(*words(folder, "--model-id", "south", "--json", "-"))
    document = json.loads(out)
    assert (code, document["schema"], document["model_id"]) == (0, "andon.scan/1", "south")


def test_the_text_says_which_model(andon: Run, folder: Path) -> None:
    code, out, _ = andon(*words(folder))
    assert code == 1
    assert "of north" in out
    assert "of south" in out


def refused(andon: Run, *arguments: str) -> str:
    code, out, err = andon(*arguments)
    assert (code, out) == (2, "")
    return err


def test_what_names_no_model_is_refused(andon: Run, folder: Path, tmp_path: Path) -> None:
    assert "did you mean north?" in refused(andon, *words(folder, "--model-id", "nort"))
    model = tmp_path / "model.yaml"
    more = ("--model", str(model))
    model.write_text(MODEL.replace("model_column: model\n", ""))
    assert "is about all alone" in refused(andon, *words(folder, *more, "--model-id", "north"))
    model.write_text(MODEL.replace("model_column: model", "model_column: modell"))
    assert "did you mean model?" in refused(andon, *words(folder, *more))
    model.write_text(MODEL.replace("model_column: model", "model_column: amount"))
    assert "too many for the names of models" in refused(andon, *words(folder, *more))


def test_a_model_without_known_good_rows_is_named(andon: Run, folder: Path, tmp_path: Path) -> None:
    reference = tmp_path / "reference.parquet"
    duckdb.execute(f"copy (from '{folder}/reference.parquet' where model = 'north') to '{reference}'")
    err = refused(andon, *words(folder, "--reference", str(reference)))
    assert "holds no rows with 'south' in 'model'" in " ".join(err.split())
    duckdb.execute(f"copy (select * exclude model from '{folder}/reference.parquet') to '{reference}'")
    err = refused(andon, *words(folder, "--reference", str(reference)))
    assert "by which models are told apart: add it, with 'north' in the rows of that model" in " ".join(err.split())


def test_the_page_holds_every_model_the_urgent_one_first(andon: Run, folder: Path, tmp_path: Path) -> None:
    code, _, _ = andon(*words(folder, "--html", str(tmp_path / "scan.html"), "--quiet"))
    page = (tmp_path / "scan.html").read_text(encoding="utf-8")
    assert code == 1
    assert "<h1>1 model of 2 with incidents</h1>" in page
    assert re.findall(r'<h2 class="title">(.*?)</h2>', page) == ["north", "south"]
    assert page.count("<h1") == page.count("<main") == 1
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    links = re.findall(r'href="#([^"]+)"', page)
    assert {"model-1", "model-2"} <= set(links) <= set(ids)
    assert "Nothing found" in page
    assert not re.findall(r'(?:src|href)="(?:http|//|file)', page)
    assert "<script" not in page


def test_a_pin_is_about_one_model(andon: Run, folder: Path, tmp_path: Path) -> None:
    err = refused(andon, *words(folder, "--pin", str(tmp_path / "scan.pin")))
    assert "name it with --model-id" in " ".join(err.split())
    assert not any(tmp_path.iterdir())


def scanned(andon: Run, folder: Path, *more: str) -> tuple[str, list[dict[str, Any]]]:
    code, _, err = andon(*words(folder, "--json", str(folder / "scan.json"), *more))
    assert code in (0, 1), err
    return " ".join(err.split()), json.loads((folder / "scan.json").read_text())["scans"]


def told(scans: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {scan["model_id"]: [each["code"] for each in scan["warnings"]] for scan in scans}


@pytest.fixture
def labelled(folder: Path, tmp_path: Path) -> Path:
    """Logs in which the models share no id, labels of both elsewhere, and the labels of the reference in it."""
    for kind, more in {"log": "exclude (label, label_ts)", "reference": ""}.items():
        source = f"'{folder}/{kind}.parquet'"
        duckdb.execute(
            f"copy (select * {more} replace (model || id as id) from {source}) to '{tmp_path}/{kind}.parquet'"
        )
    labels = f"select model || id as id, model, label, label_ts from '{folder}/log.parquet' where label is not null"
    duckdb.execute(f"copy ({labels}) to '{tmp_path}/outcomes.parquet'")
    (tmp_path / "model.yaml").write_text(MODEL + "label_column: label\nlabel_time_column: label_ts\n")
    return tmp_path


def test_labels_of_another_model_are_labels_of_the_log(andon: Run, labelled: Path) -> None:
    outcomes = str(labelled / "outcomes.parquet")
    err, scans = scanned(andon, labelled, "--labels", outcomes)
    assert told(scans) == {"north": [], "south": []}, err
    duckdb.execute(f"copy (select * exclude model from '{outcomes}' where model = 'north') to '{labelled}/one.csv'")
    with (labelled / "one.csv").open("a") as file:
        file.write("nobody,1,2026-01-01\n")
    err, scans = scanned(andon, labelled, "--labels", str(labelled / "one.csv"))
    assert told(scans) == {
        "north": ["labels_of_no_prediction"],
        "south": ["labels_of_no_prediction", "no_label_arrived"],
    }
    assert err.count("name no prediction of the log") == 1
    (labelled / "none.csv").write_text("id,label,label_ts\nnobody,1,2026-01-01\n")
    assert "none of the 1 labels" in refused(andon, *words(labelled, "--labels", str(labelled / "none.csv")))


def test_rows_of_no_model_are_told(andon: Run, folder: Path, tmp_path: Path) -> None:
    for kind in ("log", "reference"):
        names = "case model when 'south' then '' else model end"
        nobody = f"union all select * replace (null as model) from '{folder}/{kind}.parquet' where model = 'south'"
        named = f"select * replace ({names} as model) from '{folder}/{kind}.parquet'"
        duckdb.execute(f"copy ({named} {nobody}) to '{tmp_path}/{kind}.parquet'")
    (tmp_path / "model.yaml").write_text(MODEL)
    rows = synthetic.DAYS * synthetic.ROWS_PER_DAY
    code, out, err = andon(*words(tmp_path, "--html", str(tmp_path / "scan.html")))
    assert code == 1
    assert "of ''" in out
    assert '<h2 class="title">&#39;&#39;</h2>' in (tmp_path / "scan.html").read_text(encoding="utf-8")
    text = f"{rows:,} of {3 * rows:,} rows name no model in 'model'; they were not scanned"
    assert " ".join(err.split()).count(text) == 1
    _, scans = scanned(andon, tmp_path)
    assert told(scans) == {"": ["rows_of_no_model"], "north": ["rows_of_no_model"]}


@pytest.fixture
def uneven(tmp_path: Path) -> Path:
    """Of three models one has twenty rows, one a single row."""
    duckdb.execute(
        "copy (select i as id, timestamp '2025-01-01' + to_seconds(i * 260) as ts,"
        " case when i = 5 then 'one' when i % 1000 = 7 then 'tiny' else 'big' end as model,"
        " (hash(i) % 1000) / 10.0 as amount, hash(i + 3) % 2 as prediction from range(20000) t(i))"
        f" to '{tmp_path}/log.parquet'"
    )
    (tmp_path / "model.yaml").write_text(
        "model_id: all\nid_column: id\ntime_column: ts\nmodel_column: model\nprediction_column: prediction\n"
        "features: [amount]\n"
    )
    return tmp_path


def alone(folder: Path, *more: str, log: str = "log") -> tuple[str, ...]:
    return ("scan", str(folder / f"{log}.parquet"), "--model", str(folder / "model.yaml"), *more)


NEEDED = "that takes 2,000 decisions over 14 days, and more after them; name known-good rows with --reference"


def test_models_too_short_for_their_own_beginning_keep_no_other_from_being_scanned(andon: Run, uneven: Path) -> None:
    said = (
        "2 of 3 models were not scanned, as they are too short to be judged by their own beginning,"
        f" 'one' with 1 row, 'tiny' with 20 rows: {NEEDED}"
    )
    code, out, err = andon(*alone(uneven, "--json", "-"))
    document = json.loads(out)
    assert (code, document["schema"]) == (0, "andon.scans/1")
    [scan] = document["scans"]
    assert scan["model_id"] == "big"
    assert [each["text"] for each in scan["warnings"] if each["code"] == "models_too_short"] == [said]
    assert " ".join(err.split()).count(said) == 1
    duckdb.execute(
        f"copy (select * replace (case when model = 'big' and id % 2 = 0 then 'even' when model = 'one' then 'big'"
        f" else model end as model) from '{uneven}/log.parquet') to '{uneven}/two.parquet'"
    )
    code, out, err = andon(*alone(uneven, log="two"))
    assert code == 0
    assert " of big." in out
    assert " of even." in out
    assert " ".join(err.split()).count("1 of 3 models was not scanned, as it is too short to be judged by its own") == 1


def test_one_model_or_all_too_short_for_their_own_beginning_are_refused_by_name(andon: Run, uneven: Path) -> None:
    err = refused(andon, *alone(uneven, "--model-id", "tiny"))
    assert "andon: model 'tiny' of " in err
    assert f"log.parquet, with 20 rows, is too short to be judged by its own beginning: {NEEDED}" in err
    duckdb.execute(f"copy (from '{uneven}/log.parquet' where model <> 'big') to '{uneven}/short.parquet'")
    err = refused(andon, *alone(uneven, log="short"))
    assert "none of the 2 models of " in err
    assert (
        "short.parquet is long enough to be judged by its own beginning, 'one' with 1 row, 'tiny' with 20 rows:"
        f" {NEEDED}"
    ) in err
