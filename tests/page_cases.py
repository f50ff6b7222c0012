"""Logs of many kinds and the pages that their scans write: what the tests of the page read and open."""

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from andon.interfaces.cli import app

DATA = Path(__file__).parent / "data"
SCRIPT = "<script>alert('column')</script>"
IMAGE = '"><img src=x onerror=alert(1)>\u202e\u200b'
REGION = "reg'ion\u202e <b>"
LONG = "y" * 10_000
Declared = dict[str, Any]


def _plain(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for file in ("log.parquet", "reference.parquet", "model.yaml"):
            shutil.copy(DATA / name / file, folder / file)

    return make


def _changed(name: str, columns: str, declare: Callable[[Declared], None]) -> Callable[[Path], None]:
    """Another scenario with other columns and another model file."""

    def make(folder: Path) -> None:
        for file in ("log", "reference"):
            source, target = DATA / name / f"{file}.parquet", folder / f"{file}.parquet"
            duckdb.sql(f"copy (select {columns} from '{source}') to '{target}'")
        model = yaml.safe_load((DATA / name / "model.yaml").read_text(encoding="utf-8"))
        declare(model)
        (folder / "model.yaml").write_text(yaml.safe_dump(model, allow_unicode=True), encoding="utf-8")

    return make


def _hostile(model: Declared) -> None:
    model["model_id"] = "</title><script>alert('id')</script>\u202e"
    model["features"] = [SCRIPT if name == "dest_delay_index" else name for name in model["features"]]
    model["segments"] = [REGION if name == "dest_region" else name for name in model["segments"]]
    model["changes"][0]["what"] += " <img src=x onerror=alert(3)>\u202e"
    model["changes"].append({"ts": "2001-05-07 05:00:00", "kind": "<b>", "what": LONG})


def _unlabelled(model: Declared) -> None:
    for key in ("label_column", "label_time_column", "prediction_column", "score_column", "threshold", "changes"):
        model.pop(key, None)
    model["time_zone"] = "America/Denver"


def _two_faults(folder: Path) -> None:
    """A month after the first fault ended, another feature stops arriving."""
    _plain("o10_bikes_temperature_unit")(folder)
    log = folder / "log.parquet"
    rows = duckdb.sql(
        f"select * replace (case when ts < '2011-11-20' then windspeed end as windspeed) from '{log}'"
    ).to_arrow_table()
    duckdb.sql(f"copy rows to '{log}'")
    assert rows.num_rows == 2_871


def _short(folder: Path) -> None:
    _plain("o05_taiwan_control_strict")(folder)
    log = folder / "log.parquet"
    few = duckdb.sql(f"select * from '{log}' order by ts limit 3").to_arrow_table()
    duckdb.sql(f"copy few to '{log}'")
    assert few.num_rows == 3


def _nothing(model: Declared) -> None:
    model.update(features=["is_not_there"], segments=[], protected_attributes=[])
    for key in ("prediction_column", "score_column"):
        model.pop(key, None)


CLASSES = "case when score < 0.2 then 'low' when score < 0.5 then 'middle' when score < 0.8 then 'high' else 'top' end"
CASES: Mapping[str, tuple[Callable[[Path], None], int]] = {
    "null": (_plain("o01_taiwan_renamed_feature"), 1),
    "quiet": (_plain("o05_taiwan_control_strict"), 0),
    "several_of_a_regression": (_two_faults, 1),
    "slice": (_plain("o11_flights_region_deprioritised"), 1),
    "hostile": (
        _changed(
            "o11_flights_region_deprioritised",
            f"""* exclude (dest_delay_index, dest_region), dest_delay_index as "{SCRIPT}", case dest_region when
            'Mountain' then '{IMAGE}' else dest_region || repeat('x', 10000) end as "{REGION}" """,
            _hostile,
        ),
        1,
    ),
    "unlabelled": (_changed("o11_flights_region_deprioritised", "* exclude (label, label_ts)", _unlabelled), 1),
    "classes": (
        _changed(
            "o01_taiwan_renamed_feature",
            f"* exclude (prediction, label), {CLASSES} as prediction, "
            "case when label = 1 then 'high' else 'low' end as label",
            lambda model: model.pop("favourable_prediction"),
        ),
        1,
    ),
    "short": (_short, 0),
    "nothing_watched": (_changed("o05_taiwan_control_strict", "*", _nothing), 0),
}


SELDOM = ("--every", "12h")
"""Fewer evaluations than usual: the pictures are the same."""


def write_page(case: str, folder: Path, *options: str) -> Path:
    """Scan a case in a folder of its own, as a user does; the page that was written."""
    make, code = CASES[case]
    make(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        words = ["andon", "scan", "log.parquet", "--model", "model.yaml", "--reference", "reference.parquet", *SELDOM]
        patch.setattr(sys, "argv", [*words, "--html", "scan.html", *options])
        with pytest.raises(SystemExit) as left:
            app.main()
    assert left.value.code == code
    return folder / "scan.html"
