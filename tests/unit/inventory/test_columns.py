"""How a declared model meets the columns of a log."""

from dataclasses import replace

import pytest

from andon.base.errors import BadInput
from andon.inventory.columns import missing_columns, resolve_columns
from andon.inventory.model import Columns, Model, Version
from andon.telemetry.schema import LogicalType, LogSchema

TYPES = {
    "id": LogicalType.TEXT,
    "ts": LogicalType.TIME,
    "age": LogicalType.NUMBER,
    "model_version": LogicalType.TEXT,
    "latency_ms": LogicalType.NUMBER,
    "prediction": LogicalType.TEXT,
}
MODEL = Model("m", Columns("id", "ts", prediction="prediction"), features=("age",), favourable_prediction="1")


def test_defaults_are_used_where_the_log_has_them() -> None:
    columns = resolve_columns(MODEL, LogSchema(TYPES)).columns
    assert (columns.version, columns.latency, columns.status) == ("model_version", "latency_ms", None)


@pytest.mark.parametrize("role", ["id", "prediction", "score", "label", "label_time"])
def test_what_has_another_role_is_no_version_by_default(role: str) -> None:
    model = replace(MODEL, columns=replace(MODEL.columns, **{role: "model_version"}))
    assert resolve_columns(model, LogSchema(TYPES)).columns.version is None


def test_a_declared_column_wins_over_the_default() -> None:
    model = replace(MODEL, columns=replace(MODEL.columns, version="prediction"))
    assert resolve_columns(model, LogSchema(TYPES)).columns.version == "prediction"


def test_a_missing_feature_is_a_warning() -> None:
    model = replace(MODEL, features=("age", "agee", "income"), segments=("region",))
    assert missing_columns(model, LogSchema(TYPES)) == ("agee", "income", "region")
    assert resolve_columns(model, LogSchema(TYPES)).warnings == (
        "the log has no column 'agee', which the model declares (the nearest is 'age'): it counts as null throughout",
        "the log has no column 'income', which the model declares: it counts as null throughout",
        "the log has no column 'region', which the model declares: it counts as null throughout",
    )


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (
            Columns("idd", "ts"),
            "no column 'idd', which the model names as `id_column` (the nearest is 'id'): mend `id_column`",
        ),
        (
            Columns("id", "when"),
            "no column 'when', which the model names as `time_column`: mend `time_column` in the model file",
        ),
        (
            Columns("id", "ts", label="y"),
            "`label_column`: name the column with the outcomes, or write `label_column: null`",
        ),
        (
            Columns("id", "ts", label_time="t"),
            "`label_time_column`: name the column, or write `label_time_column: null`",
        ),
        (Columns("id", "ts", entities=("age", "who")), "no column 'who', which the model names as `entity_columns`"),
    ],
)
def test_a_missing_role_is_a_mistake(columns: Columns, sentence: str) -> None:
    with pytest.raises(BadInput) as error:
        resolve_columns(replace(MODEL, columns=columns), LogSchema(TYPES))
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("kind", "declared", "written"),
    [
        (LogicalType.TEXT, "3.0", "3.0"),
        (LogicalType.NUMBER, "3.0", "3"),
        (LogicalType.NUMBER, "true", "1"),
        (LogicalType.NUMBER, "deny", "deny"),
        (LogicalType.BOOLEAN, "1", "true"),
        (LogicalType.BOOLEAN, "0", "false"),
        (LogicalType.BOOLEAN, "7", "7"),
    ],
)
def test_declared_values_are_written_as_the_log_writes_them(kind: LogicalType, declared: str, written: str) -> None:
    model = replace(
        MODEL, favourable_prediction=declared, known_good_version=declared, versions=(Version(declared, None, ""),)
    )
    resolved = resolve_columns(model, LogSchema(TYPES | {"prediction": kind, "model_version": kind}))
    assert resolved.favourable_prediction == resolved.known_good_version == resolved.versions[0].name == written
