"""Meets what a model declares with what its log has."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

from andon.base.errors import BadInput
from andon.base.nearest import nearest
from andon.inventory.model import Columns, Model, Problem, Version
from andon.telemetry.schema import LogicalType, LogSchema
from andon.telemetry.value import text_of

ABSENCES_TOLD = 12
"""So many columns that are missing are told one by one."""
_KEYS = {field.name: f"{field.name}_column" for field in fields(Columns)} | {"entities": "entity_columns"}
_HOLDS = {
    LogicalType.NUMBER: "numbers",
    LogicalType.TEXT: "text",
    LogicalType.BOOLEAN: "truth values",
    LogicalType.TIME: "times",
    LogicalType.OTHER: "values of another kind",
}
_MENDS = {
    "label": "name the column with the outcomes, or write `label_column: null` to go without",
    "label_time": "name the column, or write `label_time_column: null` and give `label_delay_days_median`",
}


def resolve_columns(model: Model, schema: LogSchema) -> Model:
    """The model with the log's own columns: defaults filled in, texts as the log writes them.

    A declared feature, segment or protected attribute that the log lacks is a fact about the log, so it is a warning
    and counts as null; any other declared column that is missing is a mistake.

    Raises:
        BadInput: a column that the model gives a role is not in the log, or holds no numbers where it must.
    """
    columns = model.columns
    for role in (field.name for field in fields(Columns)):
        named = getattr(columns, role)
        for name in (named,) if isinstance(named, str) else named or ():
            if name not in schema.types:
                raise BadInput(_missing(name, role, schema))
    _require_numbers(model, schema)
    columns = replace(
        columns,
        version=columns.version or _default_version(columns, schema),
        latency=columns.latency or _default("latency_ms", schema),
        status=columns.status or _default("status_code", schema),
    )
    return replace(
        model,
        columns=columns,
        favourable_prediction=_as_written(model.favourable_prediction, columns.prediction, schema),
        versions=tuple(_version_as_written(version, columns.version, schema) for version in model.versions),
        known_good_version=_as_written(model.known_good_version, columns.version, schema),
        warnings=(*model.warnings, *_absences(missing_columns(model, schema), schema)),
    )


def _require_numbers(model: Model, schema: LogSchema) -> None:
    """A model that answers with numbers needs them in prediction and label."""
    for key, name in (("prediction_column", model.columns.prediction), ("label_column", model.columns.label)):
        kind = schema.types.get(name) if name is not None else None
        if model.problem is Problem.REGRESSION and kind is LogicalType.TEXT:
            raise BadInput(
                f"the model file says `problem: regression`, but {name} (`{key}`) holds text in the log: write "
                "numbers, or `problem: multiclass`"
            )


def _default(name: str, schema: LogSchema) -> str | None:
    """A column that is used where a log has it, though no one declared it."""
    return name if name in schema.types else None


def _default_version(columns: Columns, schema: LogSchema) -> str | None:
    """The usual column of versions, unless the model file says that it holds something else."""
    others = (columns.id, columns.time, columns.score, columns.prediction, columns.label, columns.label_time)
    return None if "model_version" in others else _default("model_version", schema)


def missing_columns(model: Model, schema: LogSchema) -> tuple[str, ...]:
    """The declared features, segments and protected attributes that the log does not have."""
    declared = dict.fromkeys((*model.features, *model.slice_columns))
    return tuple(name for name in declared if name not in schema.types)


def differing_types(model: Model, log: LogSchema, reference: LogSchema) -> tuple[str, ...]:
    """A sentence for each column that the model names and that holds another kind of values in the reference."""
    both = [name for name in log.names if name in model.named and name in reference.types]
    return tuple(
        f"{name} holds {_HOLDS[log.types[name]]} in the log and {_HOLDS[reference.types[name]]} in the reference, so "
        "they hardly compare; write both in one type"
        for name in both
        if log.types[name] is not reference.types[name]
    )


def _missing(name: str, role: str, schema: LogSchema) -> str:
    key = _KEYS[role]
    mend = _MENDS.get(role, f"mend `{key}` in the model file")
    return f"the log has no column {name!r}, which the model names as `{key}`{_nearest(name, schema)}: {mend}"


def _absences(names: Sequence[str], schema: LogSchema) -> Iterator[str]:
    yield from (_absence(name, schema) for name in names[:ABSENCES_TOLD])
    if len(names) > ABSENCES_TOLD:
        yield (
            f"the log has no column of {len(names) - ABSENCES_TOLD:,} more names that the model declares, the last is "
            f"{names[-1]!r}: they count as null throughout"
        )


def _absence(name: str, schema: LogSchema) -> str:
    near = _nearest(name, schema)
    return f"the log has no column {name!r}, which the model declares{near}: it counts as null throughout"


def _nearest(name: str, schema: LogSchema) -> str:
    near = nearest(name, schema.names)
    return f" (the nearest is {near!r})" if near else ""


def _version_as_written(version: Version, column: str | None, schema: LogSchema) -> Version:
    return replace(version, name=_as_written(version.name, column, schema) or version.name)


def _as_written(text: str | None, column: str | None, schema: LogSchema) -> str | None:
    """A declared value as the log's column writes it: `3.0` is `3` among numbers, `1` is `true` among truths."""
    kind = None if column is None else schema.types.get(column)
    if text is None or kind not in (LogicalType.NUMBER, LogicalType.BOOLEAN):
        return text
    number = {"true": 1.0, "false": 0.0}.get(text.lower(), _number(text))
    if number is None:
        return text
    if kind is LogicalType.BOOLEAN:
        return {0.0: "false", 1.0: "true"}.get(number, text)
    return text_of(number)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
