"""What `model.yaml` may say, and what is said about it when it is wrong."""

# ruff: noqa: DTZ001  # a log may hold naive times; they are UTC

import json
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

from andon.base.errors import BadInput
from andon.inventory.change import Change
from andon.inventory.model import Problem, RiskClass, ToolLimit, Version
from andon.inventory.model_file import model_schema, parse_model

DATA = Path(__file__).parents[2] / "data"
LEAST = {"model_id": "m", "id_column": "id", "time_column": "ts"}


def test_the_least() -> None:
    model = parse_model(LEAST)
    assert (model.id, model.columns.id, model.columns.time) == ("m", "id", "ts")
    assert (model.columns.version, model.problem, model.risk) == (None, None, RiskClass.UNKNOWN)
    assert (model.features, model.versions, model.warnings, model.time_zone) == ((), (), (), "UTC")


@pytest.mark.parametrize("path", sorted(DATA.glob("*/model.yaml")), ids=lambda path: path.parent.name)
def test_real_files(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    model = parse_model(content, strict=True)
    assert model.warnings == ()
    assert model.columns.label_time == "label_ts"
    assert model.versions[0].deployed_at is not None
    jsonschema.validate(json.loads(json.dumps(content, default=str)), model_schema())


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = files("andon.packs").joinpath("schemas/model.schema.json").read_text()
    assert published == json.dumps(model_schema(), indent=2, ensure_ascii=False) + "\n", "write the schema out again"


def test_everything() -> None:
    model = parse_model(
        LEAST
        | {
            "threshold": 0.5,
            "favourable_prediction": 0,
            "features": ["a", 2008, "a"],
            "segments": ["s", "p"],
            "protected_attributes": ["p"],
            "label_delay_days_median": 0.1,
            "labelled_fraction": 1,
            "versions": [
                {"version": "1.10", "deployed_at": "2025-11-03 09:00", "status": None},
                {"version": 2, "deployed_at": datetime(2026, 3, 30, 9)},
                {"version": date(2026, 4, 1), "deployed_at": date(2026, 4, 1)},
                {"version": "later"},
            ],
            "known_good_version": 2,
            "changes": [
                {"ts": "2026-01-05 00:10:18.415000", "kind": "infra", "what": "second"},
                {"ts": "2026-01-04T23:00:00-01:00", "what": "first"},
            ],
            "version_column": "v",
            "problem": "binary",
            "risk_class": "high",
            "entity_columns": ["account", "device"],
            "time_zone": "Europe/Berlin",
            "tool_limits": [{"tool": "refund", "column": "amount", "max": 5000}],
            "evaluation": "6h",
            "false_incidents_per_quarter": 0.5,
            "label_column": None,
        }
    )
    assert (model.threshold, model.favourable_prediction) == (0.5, "0")
    assert (model.features, model.slice_columns) == (("a", "2008"), ("s", "p"))
    assert model.false_incidents_per_quarter == 0.5
    assert (model.label_delay, model.evaluation) == (timedelta(hours=2, minutes=24), timedelta(hours=6))
    assert model.versions == (
        Version("1.10", datetime(2025, 11, 3, 9, tzinfo=UTC), ""),
        Version("2", datetime(2026, 3, 30, 9, tzinfo=UTC), ""),
        Version("2026-04-01", datetime(2026, 4, 1, tzinfo=UTC), ""),
        Version("later", None, ""),
    )
    assert model.changes == (
        Change(datetime(2026, 1, 5, 0, 0, tzinfo=UTC), "other", "first"),
        Change(datetime(2026, 1, 5, 0, 10, 18, 415_000, tzinfo=UTC), "infra", "second"),
    )
    assert (model.problem, model.risk, model.columns.entities) == (
        Problem.BINARY,
        RiskClass.HIGH,
        ("account", "device"),
    )
    assert model.tool_limits == (ToolLimit("refund", "amount", 5000.0),)
    assert (model.known_good_version, model.columns.version, model.time_zone) == ("2", "v", "Europe/Berlin")


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (True, "true"), ("deny", "deny"), (0.5, "0.5"), (None, None)])
def test_the_favourable_answer_is_text(value: object, text: str | None) -> None:
    assert parse_model(LEAST | {"favourable_prediction": value}).favourable_prediction == text


def test_a_version_read_as_a_number_is_kept_and_warned_about() -> None:
    model = parse_model(LEAST | {"versions": [{"version": 2008.08}], "known_good_version": 2008.08}, strict=True)
    assert (model.versions[0].name, model.known_good_version) == ("2008.08", "2008.08")
    assert model.warnings == (
        "the model file names a version 2008.08 without quotes, so 1.10 would be read as 1.1: put it in quotes",
    )


def test_a_feature_that_is_no_input_or_stands_twice_is_warned_about() -> None:
    model = parse_model(LEAST | {"label_column": "y", "features": ["a", "y", "id", "ts", "a"]}, strict=True)
    assert model.features == ("a", "y", "id", "ts")
    assert [warning.split(":")[0] for warning in model.warnings] == [
        "the model file names y as `label_column` and among `features`, but the model cannot know the outcome",
        "the model file names id as `id_column` and among `features`, but an id says nothing of what is decided",
        "the model file names ts as `time_column` and among `features`, but a time never comes again",
        "the model file lists a 2 times among `features`",
    ]
    assert model.warnings[0].endswith(": take it out of `features`")


def test_unknown_keys_are_warned_about_with_the_nearest() -> None:
    content = LEAST | {"feature": [], "versions": [{"version": "1", "deployd_at": None}], "xyz": 1}
    warnings = parse_model(content).warnings
    assert warnings == (
        "the model file has an unknown key feature: did you mean features?",
        "the model file has an unknown key xyz: remove it",
        "the model file has an unknown key versions[0].deployd_at: did you mean versions[0].deployed_at?",
    )
    with pytest.raises(BadInput, match="unknown key feature: did you mean features"):
        parse_model(content, strict=True)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"id_column": None}, "the model file lacks the key id_column: write `id_column: …` into it"),
        (
            {"time_column": None, "time_colum": "ts"},
            "the model file lacks the key time_column: did you mean it by time_colum?",
        ),
        (
            {"time_column": "id"},
            "the model file names id as `id_column` and as `time_column`: name the column with the id of each",
        ),
        ({"threshold": "high"}, "`threshold` in the model file is 'high', but should be a number"),
        ({"threshold": True}, "`threshold` in the model file is true (yes or no), but should be a number"),
        ({"features": "age"}, "`features` in the model file is 'age', but should be a list (one `- name` per line)"),
        ({"features": ["a", True]}, "`features[1]` in the model file is what YAML makes of an unquoted yes"),
        ({"features": ["a", ""]}, "`features[1]` in the model file is '', but should be text of at least one letter"),
        ({"features": ["a", None]}, "`features[1]` in the model file is empty, but should be text"),
        ({"features": [["a"]]}, "`features[0]` in the model file is a list, but should be text"),
        ({"labelled_fraction": 7}, "`labelled_fraction` in the model file is 7, but should be at most 1"),
        ({"label_delay_days_median": -1}, "is -1, but should be at least 0"),
        ({"problem": "binry"}, "`problem` in the model file is 'binry', but should be 'binary', 'multiclass'"),
        ({"time_zone": "Mars"}, "`time_zone` in the model file is 'Mars', not a time zone: write a name like"),
        (
            {"false_incidents_per_quarter": 0},
            "`false_incidents_per_quarter` in the model file is 0, but should be more than 0",
        ),
        ({"time_zone": "../etc"}, "`time_zone` in the model file is '../etc', not a time zone"),
        (
            {"evaluation": "6 apples"},
            "`evaluation` in the model file is wrong: '6 apples' is not a length of time: write",
        ),
        (
            {"versions": [{"deployed_at": "2026-01-01"}]},
            "the model file lacks the key versions[0].version: write `version: …`",
        ),
        ({"versions": ["1.0"]}, "`versions[0]` in the model file is '1.0', but should be a set of keys"),
        (
            {"versions": [{"version": "1", "deployed_at": "soon"}]},
            "`versions[0].deployed_at` in the model file is 'soon', not a time",
        ),
        (
            {"changes": [{"ts": 5}]},
            "`changes[0].ts` in the model file is 5, not a time: write it like 2026-02-09 06:00:00",
        ),
        ({"tool_limits": [{"tool": "a", "column": "b", "max": ".inf"}]}, "`tool_limits[0].max`"),
        ({"label_delay_days_median": "1e300"}, "is 1e300, but should be at most 36500"),
        ({"threshold": "x", "features": 1}, "(1 more key is wrong)"),
        ({"threshold": "x", "features": 1, "segments": 1}, "(2 more keys are wrong)"),
        (
            {"notes": "n" * 99, "model_id": {"a": 1}},
            "`model_id` in the model file is a set of keys, but should be text",
        ),
    ],
)
def test_wrong_keys_are_named_with_the_mend(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput) as error:
        parse_model(LEAST | wrong)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
