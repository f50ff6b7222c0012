"""Regression and multiclass from end to end: found, told in text and JSON; what does not fit the problem is refused."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Run = Callable[..., tuple[int, str, str]]
ROWS, DAY_US = 6000, 86_400_000_000
MODEL = """
model_id: m
id_column: id
time_column: ts
prediction_column: p
label_column: y
label_time_column: at
features: [x]
"""


def write(folder: Path, name: str, predictions: npt.NDArray[Any], labels: npt.NDArray[Any], x: npt.NDArray[Any]) -> str:
    at = 1_767_225_600_000_000 + 600_000_000 * np.arange(ROWS)
    columns = {"id": [f"p{n}" for n in range(ROWS)], "ts": pa.array(at, pa.timestamp("us")), "x": x}
    columns |= {"p": predictions, "y": labels, "at": pa.array(at + DAY_US, pa.timestamp("us"))}
    pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return str(folder / f"{name}.parquet")


def answers(problem: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Inputs, labels, good answers, and answers that go wrong in the second half of the log."""
    rng = np.random.default_rng(1)
    x, late = rng.normal(size=ROWS), np.arange(ROWS) >= ROWS // 2
    if problem == "regression":
        good = 10 + 3 * x
        return x, good + rng.normal(size=ROWS), good, good + 6 * late
    good = rng.choice(list("abcd"), ROWS, p=[0.4, 0.3, 0.2, 0.1])
    return x, good, good, np.where(late & (rng.random(ROWS) < 0.5), "d", good)


@pytest.mark.parametrize("problem", ["regression", "multiclass"])
def test_answers_that_go_wrong_are_found_and_told(problem: str, andon: Run, tmp_path: Path) -> None:
    x, labels, good, wrong = answers(problem)
    log = write(tmp_path, "log", wrong, labels, x)
    reference = write(tmp_path, "reference", good, labels, x)
    (tmp_path / "model.yaml").write_text(MODEL + f"problem: {problem}\n")
    words = ("scan", log, "--model", str(tmp_path / "model.yaml"), "--reference", reference)
    code, out, _ = andon(*words, "--json", str(tmp_path / "out.json"))
    assert code == 1
    assert "decisions" in out
    document = json.loads((tmp_path / "out.json").read_text())
    assert "model_performance_degradation" in {each["incident_type"] for each in document["incidents"]}
    first = min(each["started_at"] for each in document["incidents"])
    assert "2026-01-21T00" < first < "2026-01-22T12"
    assert andon("scan", reference, *words[2:])[0] == 0


@pytest.mark.parametrize("declared", ["problem: regression\n", ""])
def test_a_page_draws_how_often_a_number_was_far_off(declared: str, andon: Run, tmp_path: Path) -> None:
    x, labels, good, wrong = answers("regression")
    gone = np.where(np.arange(ROWS) >= ROWS // 2, np.nan, x)  # what moves is an input, so errors do not lead
    log, reference = write(tmp_path, "log", wrong, labels, gone), write(tmp_path, "reference", good, labels, x)
    (tmp_path / "model.yaml").write_text(MODEL + declared)
    page = tmp_path / "scan.html"
    code, _, _ = andon(
        *("scan", log, "--model", str(tmp_path / "model.yaml"), "--reference", reference, "--html", str(page))
    )
    words = re.sub(r"<[^>]*>|\s+", " ", page.read_text())
    assert code == 1
    assert re.search(r"y - p is large: below -1\.\d+ or at least 1\.\d+: share of decisions over time", words)


@pytest.mark.parametrize("seed", range(3))
def test_an_answer_never_given_before_is_told_of_all_the_traffic_that_has_it(
    seed: int, andon: Run, tmp_path: Path
) -> None:
    """By chance some part of the traffic has fewer of it than another."""
    rng = np.random.default_rng(seed)
    x, good = rng.normal(size=ROWS), rng.choice(list("abc"), ROWS)
    wrong = np.where((np.arange(ROWS) >= ROWS // 2) & (rng.random(ROWS) < 0.2), "d", good)
    log, reference = write(tmp_path, "log", wrong, good, x), write(tmp_path, "reference", good, good, x)
    (tmp_path / "model.yaml").write_text(MODEL + "problem: multiclass\n")
    words = ("scan", log, "--model", str(tmp_path / "model.yaml"), "--reference", reference)
    assert andon(*words, "--json", str(tmp_path / "out.json"))[0] == 1
    [incident] = json.loads((tmp_path / "out.json").read_text())["incidents"]
    assert (incident["slice"], incident["ended_at"]) == (None, None)
    assert incident["affected"]["count"] >= (wrong == "d").sum()


def test_a_number_that_only_grows_comes_to_lie_far_outside_and_is_no_incident(andon: Run, tmp_path: Path) -> None:
    """As counters do; where they are missing is one all the same."""
    _, _, good, _ = answers("multiclass")
    (tmp_path / "model.yaml").write_text(MODEL)
    grown = ROWS + np.arange(ROWS) * 3.0
    reference = write(tmp_path, "reference", good, good, np.arange(ROWS) * 1.0)
    for x, found in ((grown, 0), (-grown, 0), (np.where(np.arange(ROWS) < 5_000, grown, np.nan), 1)):
        log = write(tmp_path, "log", good, good, x)
        words = ("scan", log, "--model", str(tmp_path / "model.yaml"), "--reference", reference)
        assert andon(*words, "--json", str(tmp_path / "out.json"))[0] == found
        assert "unlike_reference" in {
            each["code"] for each in json.loads((tmp_path / "out.json").read_text())["warnings"]
        }


def test_how_often_an_answer_is_wrong_is_a_share_of_those_answers(andon: Run, tmp_path: Path) -> None:
    x, labels, good, _ = answers("multiclass")
    rng = np.random.default_rng(2)
    missed = (np.arange(ROWS) >= ROWS // 2) & (labels == "a") & (rng.random(ROWS) < 0.5)
    log = write(tmp_path, "log", good, np.where(missed, "c", labels), x)
    reference = write(tmp_path, "reference", good, labels, x)
    (tmp_path / "model.yaml").write_text(MODEL + "problem: multiclass\n")
    words = ("scan", log, "--model", str(tmp_path / "model.yaml"), "--reference", reference)
    assert andon(*words, "--json", str(tmp_path / "out.json"))[0] == 1
    [incident] = json.loads((tmp_path / "out.json").read_text())["incidents"]
    assert "a predicted 'a' is wrong" in incident["summary"]
    assert 0.4 < float(re.search(r"in ([\d.]+)%", incident["summary"])[1]) / 100 < 0.6  # type: ignore[index]


def test_a_short_fault_whose_labels_come_when_it_is_over_is_one_incident(andon: Run, tmp_path: Path) -> None:
    x, labels, good, _ = answers("regression")
    during = (np.arange(ROWS) >= 3_000) & (np.arange(ROWS) < 3_432)
    broken = np.where(during, x / 10 + 4, x)
    log = write(tmp_path, "log", 10 + 3 * broken, labels, broken)
    reference = write(tmp_path, "reference", good, labels, x)
    for days in (1, 6):
        (tmp_path / "model.yaml").write_text(
            MODEL.replace("label_time_column: at", f"label_delay_days_median: {days}") + "problem: regression\n"
        )
        words = ("scan", log, "--model", str(tmp_path / "model.yaml"), "--reference", reference)
        assert andon(*words, "--json", str(tmp_path / "out.json"))[0] == 1
        [incident] = json.loads((tmp_path / "out.json").read_text())["incidents"]
        assert (incident["changed"]["features"], incident["affected"]["count"] - 432 in range(72)) == (["x"], True)


def test_text_in_a_regression_is_refused(andon: Run, tmp_path: Path) -> None:
    x, labels, good, _ = answers("multiclass")
    log = write(tmp_path, "log", good, labels, x)
    (tmp_path / "model.yaml").write_text(MODEL + "problem: regression\n")
    code, _, err = andon("scan", log, "--model", str(tmp_path / "model.yaml"), "--reference", log)
    assert code == 2
    assert "p (`prediction_column`) holds text in the log: write numbers, or `problem: multiclass`" in err
