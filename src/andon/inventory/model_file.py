"""`model.yaml`: what an operator writes about a model, checked and turned into a `Model`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from andon.base.duration import parse_duration
from andon.base.errors import BadInput
from andon.base.nearest import nearest
from andon.inventory.change import Change
from andon.inventory.model import Columns, Model, Problem, RiskClass, ToolLimit, Version
from andon.telemetry.value import text_of

_SHOWN_MAX = 60
_EXPECTED = {
    "float": "a number",
    "finite": "a number",
    "string": "text",
    "list": "a list (one `- name` per line)",
    "model": "a set of keys",
    "too": "text of at least one letter",
}
_LIMITS = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _text(value: object) -> object:
    """YAML reads an unquoted version, column or answer as a number or a date: back to text."""
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, bool) or value is None:
        return value
    return str(value) if isinstance(value, int | float) else value


def _name(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("is what YAML makes of an unquoted yes, no, on or off: put it in quotes")  # noqa: TRY004
    return _text(value)


def _answer(value: object) -> object:
    return text_of(value) if isinstance(value, bool | int | float) else value


def _time(value: object) -> object:
    if isinstance(value, datetime):
        return _aware(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    try:
        read = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"is {value!r}, not a time: write it like 2026-02-09 06:00:00 (UTC)") from None
    return _aware(read)


def _aware(value: datetime) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError(
            f"is {value}, which in UTC is outside the years 1 to 9999: write it like 2026-02-09 06:00:00 (UTC)"
        ) from None


def _number(value: object) -> object:
    if isinstance(value, bool):
        found = "true" if value else "false"
        raise ValueError(f"is {found} (yes or no), but should be a number")  # noqa: TRY004  # pydantic collects ValueErrors
    return value


def _zone(value: object) -> object:
    try:
        return ZoneInfo(str(value)).key
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"is {value!r}, not a time zone: write a name like Europe/Berlin or UTC") from None


def _duration(value: object) -> object:
    try:
        return parse_duration(str(value))
    except BadInput as error:
        raise ValueError(f"is wrong: {error}") from None


Text = Annotated[str, BeforeValidator(_text)]
Name = Annotated[str, BeforeValidator(_name), Field(min_length=1)]
Names = list[Name]
Number = Annotated[float, BeforeValidator(_number)]
Answer = Annotated[str, BeforeValidator(_answer, json_schema_input_type=str | float | bool)]
Time = Annotated[datetime, BeforeValidator(_time, json_schema_input_type=str)]
Zone = Annotated[str, BeforeValidator(_zone, json_schema_input_type=str)]
Length = Annotated[timedelta, BeforeValidator(_duration, json_schema_input_type=str)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _without_empty_keys(cls, content: object) -> object:
        """A key without a value says as much as no key."""
        return {k: v for k, v in content.items() if v is not None} if isinstance(content, Mapping) else content


class VersionPart(_Part):
    """A version of the model."""

    version: Name = Field(description="The version as the log names it; put it in quotes, so that 1.10 stays 1.10.")
    deployed_at: Time | None = Field(None, description="When it went live, in UTC.")
    status: Text = Field("", description="For people: production, retired …")


class ChangePart(_Part):
    """Something that was changed around the model."""

    ts: Time = Field(description="When, in UTC.")
    kind: Text = Field(
        "other", description="deploy, model, pipeline, prompt, config, vendor, infra, business, process …"
    )
    what: Text = Field("", description="One line for people.")


class ToolLimitPart(_Part):
    """The most that one call of a tool may move."""

    tool: Name
    column: Name = Field(description="The column with the amount.")
    max: Number = Field(description="The largest amount allowed.")


class ModelPart(_Part, title="model.yaml"):
    """What the operator of a model knows about it and its log."""

    model_id: Name = Field(description="A name for the model.")
    task: Text | None = Field(None, description="For people: what the model decides.")
    dataset: Text | None = Field(None, description="For people: where the data come from.")
    notes: Text | None = Field(None, description="For people.")
    id_column: Name = Field(description="The column that names each prediction.")
    time_column: Name = Field(description="The column with the time of each prediction (UTC, or with zone).")
    score_column: Name | None = Field(None, description="The column with the model's score.")
    prediction_column: Name | None = Field(None, description="The column with the model's answer.")
    label_column: Name | None = Field(None, description="The column with what turned out true; null where not known.")
    label_time_column: Name | None = Field(None, description="The column with the time a label became known.")
    threshold: Number | None = Field(None, description="The score from which on the answer is positive.")
    favourable_prediction: Answer | None = Field(None, description="The answer that is good for the person concerned.")
    features: Names = Field(default_factory=list, description="The model's input columns.")
    protected_attributes: Names = Field(
        default_factory=list, description="Columns with groups that must not be treated worse."
    )
    segments: Names = Field(default_factory=list, description="Columns by which traffic is cut.")
    label_delay_days_median: Number | None = Field(None, ge=0, le=36_500, description="How long labels take, in days.")
    labelled_fraction: Number | None = Field(
        None, ge=0, le=1, description="The share of predictions that are ever labelled."
    )
    versions: list[VersionPart] = Field(default_factory=list, description="The versions that went live.")
    known_good_version: Name | None = Field(None, description="A version that is known to work.")
    changes: list[ChangePart] = Field(default_factory=list, description="The change log.")
    artifacts: dict[Name, Name] = Field(
        default_factory=dict,
        description="Files that a seal pins, by what they are (model, prompt, evaluation_set, training_profile …).",
    )
    version_column: Name | None = Field(None, description="The column with the version that answered (model_version).")
    latency_column: Name | None = Field(None, description="The column with the latency (latency_ms).")
    status_column: Name | None = Field(None, description="The column with the status (status_code).")
    problem: Literal["binary", "multiclass", "regression", "text", "agent"] | None = Field(
        None, description="What kind of answer it gives; else inferred."
    )
    risk_class: Literal["minimal", "limited", "high", "unknown"] = Field(
        "unknown", description="How much harm its use can do; unknown is judged as high."
    )
    subject_column: Name | None = Field(None, description="The column with the person concerned.")
    entity_columns: Names = Field(
        default_factory=list, description="Columns with who or what sent a request: account, device."
    )
    model_column: Name | None = Field(None, description="The column with the model's name, in a log of several models.")
    time_zone: Zone = Field(
        "UTC", description="The zone in which people are shown times; the log and this file are in UTC."
    )
    allowed_tools: Names = Field(default_factory=list, description="The tools that an agent may call.")
    tool_limits: list[ToolLimitPart] = Field(default_factory=list, description="The most a call may move.")
    trace_column: Name | None = Field(None, description="The column that joins the calls of one task.")
    tool_column: Name | None = Field(None, description="The column with the tool called.")
    tool_args_column: Name | None = Field(None, description="The column with the call's arguments (JSON).")
    amount_column: Name | None = Field(None, description="The column with the amount a call moves.")
    request_model_column: Name | None = Field(None, description="The column with the model asked for at a vendor.")
    response_model_column: Name | None = Field(None, description="The column with the model that answered.")
    false_incidents_per_quarter: Number = Field(
        1.0,
        gt=0,
        le=1000,
        description="False incidents that are accepted in 91 days; detection thresholds follow from it.",
    )
    evaluation: Length | None = Field(
        None, description="The length between evaluations, like 6h or 1d; else it follows from traffic."
    )


def model_schema() -> dict[str, Any]:
    """The JSON Schema of `model.yaml`."""
    return {"$schema": DIALECT, **ModelPart.model_json_schema(mode="validation")}


def parse_model(content: Mapping[Any, Any], *, strict: bool = False) -> Model:
    """The model that the content of a `model.yaml` declares.

    Args:
        content: the file as loaded.
        strict: refuse unknown keys instead of warning about them.

    Raises:
        BadInput: a key is missing, wrong or (when strict) unknown, or one column has two roles that exclude each other.
    """
    unknown = list(_unknown_keys(content))
    if strict and unknown:
        raise BadInput(unknown[0])
    try:
        part = ModelPart.model_validate({str(key): value for key, value in content.items()})
    except ValidationError as error:
        raise BadInput(_sentence(error, content)) from None
    _require_apart(part)
    return _model(part, (*unknown, *_rounded_versions(content), *_strange_features(part)))


def _model(part: ModelPart, warnings: tuple[str, ...]) -> Model:
    days = part.label_delay_days_median
    return Model(
        id=part.model_id,
        columns=_columns(part),
        features=_once(part.features),
        protected=_once(part.protected_attributes),
        segments=_once(part.segments),
        problem=None if part.problem is None else Problem(part.problem),
        risk=RiskClass(part.risk_class),
        threshold=part.threshold,
        favourable_prediction=part.favourable_prediction,
        label_delay=None if days is None else timedelta(days=days),
        labelled_fraction=part.labelled_fraction,
        versions=tuple(Version(each.version, each.deployed_at, each.status) for each in part.versions),
        known_good_version=part.known_good_version,
        artifacts=tuple(part.artifacts.items()),
        changes=tuple(
            sorted((Change(each.ts, each.kind, each.what) for each in part.changes), key=lambda change: change.at)
        ),
        time_zone=part.time_zone,
        evaluation=part.evaluation,
        false_incidents_per_quarter=part.false_incidents_per_quarter,
        allowed_tools=_once(part.allowed_tools),
        tool_limits=tuple(ToolLimit(each.tool, each.column, each.max) for each in part.tool_limits),
        warnings=warnings,
    )


def _columns(part: ModelPart) -> Columns:
    return Columns(
        id=part.id_column,
        time=part.time_column,
        score=part.score_column,
        prediction=part.prediction_column,
        label=part.label_column,
        label_time=part.label_time_column,
        version=part.version_column,
        latency=part.latency_column,
        status=part.status_column,
        subject=part.subject_column,
        model=part.model_column,
        trace=part.trace_column,
        tool=part.tool_column,
        tool_args=part.tool_args_column,
        amount=part.amount_column,
        request_model=part.request_model_column,
        response_model=part.response_model_column,
        entities=_once(part.entity_columns),
    )


_HOLDS = {
    "id_column": "the id of each prediction",
    "time_column": "the time of each prediction",
    "score_column": "the model's score",
    "prediction_column": "the model's answer",
    "label_column": "what turned out true",
    "label_time_column": "the time a label became known",
    "version_column": "the version that answered",
    "model_column": "the model's name",
    "latency_column": "the latency",
    "status_column": "the status",
    "amount_column": "the amount",
    "subject_column": "the person concerned",
}
_MEASURED = ("latency_column", "status_column", "amount_column")
_APART = {
    "id_column": (
        *("time_column", "score_column", "prediction_column", "label_column", "label_time_column"),
        *("version_column", "model_column", *_MEASURED),
    ),
    "time_column": (
        *("score_column", "prediction_column", "label_column", "version_column", "model_column"),
        *("subject_column", *_MEASURED),  # a label may be known at once
    ),
    "score_column": ("label_column", "label_time_column", "version_column", "model_column"),  # it may be the answer
    "prediction_column": ("label_column", "label_time_column", "version_column", "model_column"),
    "label_column": ("label_time_column", "version_column", "model_column"),
    "label_time_column": ("version_column", "model_column", "subject_column", *_MEASURED),
}
"""For each key the others that may not name the same column, as what is then said would mean nothing."""


def _require_apart(part: ModelPart) -> None:
    for key, others in _APART.items():
        name = getattr(part, key)
        clash = next((other for other in others if name is not None and getattr(part, other) == name), None)
        if clash is not None:
            raise BadInput(
                f"the model file names {name} as `{key}` and as `{clash}`: name the column with {_HOLDS[key]} and the "
                f"one with {_HOLDS[clash]}"
            )


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


_PARTS: dict[str, type[_Part]] = {"versions": VersionPart, "changes": ChangePart, "tool_limits": ToolLimitPart}


def _unknown_keys(content: Mapping[Any, Any]) -> Iterator[str]:
    yield from _unknown_in(content, ModelPart, "")
    for key, part in _PARTS.items():
        entries = content.get(key)
        for place, entry in enumerate(entries if isinstance(entries, list) else []):
            if isinstance(entry, Mapping):
                yield from _unknown_in(entry, part, f"{key}[{place}].")


def _unknown_in(content: Mapping[Any, Any], part: type[_Part], prefix: str) -> Iterator[str]:
    known = list(part.model_fields)
    for key in content:
        if str(key) not in known:
            near = nearest(str(key), known)
            mend = f"did you mean {prefix}{near}?" if near else "remove it"
            yield f"the model file has an unknown key {prefix}{key}: {mend}"


def _rounded_versions(content: Mapping[Any, Any]) -> Iterator[str]:
    """A version read as a number may have lost a final zero."""
    entries = content.get("versions")
    parts = [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
    named = [*(part.get("version") for part in parts), content.get("known_good_version")]
    for value in dict.fromkeys(each for each in named if isinstance(each, float)):
        yield f"the model file names a version {value} without quotes, so 1.10 would be read as 1.1: put it in quotes"


def _strange_features(part: ModelPart) -> Iterator[str]:
    """A feature that is no input of the model, or that stands there again."""
    told = set[str]()
    for key, name, why in (
        ("label_column", part.label_column, "the model cannot know the outcome"),
        ("label_time_column", part.label_time_column, "the model cannot know when the outcome comes"),
        ("prediction_column", part.prediction_column, "no model is told its own answer"),
        ("id_column", part.id_column, "an id says nothing of what is decided"),
        ("time_column", part.time_column, "a time never comes again"),
    ):
        if name is not None and name in part.features and name not in told:
            told.add(name)
            yield f"the model file names {name} as `{key}` and among `features`, but {why}: take it out of `features`"
    for name, times in Counter(part.features).items():
        if times > 1:
            yield f"the model file lists {name} {times} times among `features`: it counts once; keep one"


def _sentence(error: ValidationError, content: Mapping[Any, Any]) -> str:
    """The first error as one sentence, and how many there are besides."""
    errors = error.errors(include_url=False)
    first = errors[0]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).removeprefix(".")
    more = _besides(len(errors) - 1)
    if first["type"] == "missing":
        return _missing(key, content) + more
    if first["type"] == "value_error":
        return f"`{key}` in the model file {first['ctx']['error']}{more}"
    got = _cut(str(first["input"])) if first["type"] in _LIMITS else _shown(first["input"])  # YAML reads 1e300 as text
    return f"`{key}` in the model file is {got}, but should be {_expected(first)}{more}"


def _besides(count: int) -> str:
    if count == 0:
        return ""
    return " (1 more key is wrong)" if count == 1 else f" ({count} more keys are wrong)"


def _missing(key: str, content: Mapping[Any, Any]) -> str:
    strange = [str(name) for name in content if str(name) not in ModelPart.model_fields]
    near = nearest(key, strange)
    mend = f"did you mean it by {near}?" if near else f"write `{key.rsplit('.', 1)[-1]}: …` into it"
    return f"the model file lacks the key {key}: {mend}"


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a set of keys"
    return _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"


def _expected(error: Mapping[str, Any]) -> str:
    kind = str(error["type"])
    if kind in _LIMITS:
        return _LIMITS[kind].format(**error["ctx"])
    if kind == "literal_error":
        return str(error["ctx"]["expected"])
    return _EXPECTED.get(kind.split("_", 1)[0], str(error["msg"]).lower())
