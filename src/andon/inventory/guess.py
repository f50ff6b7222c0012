"""What the columns of an undeclared log may mean: by their names and a few counts, with a reason and how sure it is.

What would do harm when wrong (who is protected, which answer is good for a person) is asked, never taken.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter

from andon.base.errors import BadInput
from andon.telemetry.schema import LogicalType

FEW = 50
"""Up to so many distinct values a column cuts traffic into groups, or answers by class."""
KINDS = 12
"""A column of a plain name, such as `customer`, holds kinds or levels if it has no more distinct values than that."""
_SHOWN_COLUMNS = 12
_SHOWN_LETTERS = 60
_EPOCHS = ((315_532_800, 4_102_444_800), (315_532_800_000, 4_102_444_800_000), (3.155328e14, 4.1024448e15))


class Sureness(StrEnum):
    """How far a guess is to be trusted."""

    SURE = "sure"
    LIKELY = "likely"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows that were looked at hold in one column.

    Attributes:
        rows, present, distinct: rows, rows with a value, distinct values.
        low, high: the range of the finite numbers; None where there are none.
        whole: whether all numbers are whole.
        values: the distinct values as text, where they are few.
        not_times, not_time: of text, how many values are no ISO 8601 times, and one of them.
    """

    name: str
    type: LogicalType
    rows: int
    present: int
    distinct: int
    low: float | None = None
    high: float | None = None
    whole: bool = True
    values: tuple[str, ...] = ()
    not_times: int = 0
    not_time: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A key of `model.yaml`, the value proposed for it (empty: none may be proposed), why, and how sure."""

    key: str
    value: str | tuple[str, ...]
    reason: str
    sureness: Sureness


@dataclass(frozen=True, slots=True)
class Guess:
    """What is proposed, what has to be asked, and what this log can never answer.

    Attributes:
        unread: a sentence about the columns that no key may name, for what they hold; None where there are none.
    """

    proposals: tuple[Proposal, ...]
    questions: tuple[Proposal, ...]
    unanswerable: tuple[str, ...]
    unread: str | None = None

    def content(self) -> dict[str, str | list[str]]:
        """The proposals as the content of a `model.yaml`; questions are not in it."""
        return {p.key: list(p.value) if isinstance(p.value, tuple) else p.value for p in self.proposals}


@dataclass(frozen=True, slots=True)
class _Role:
    """A key, the names that its columns go by (best first), and what such a column has to hold.

    Attributes:
        plain: lesser names, which inputs have as well: `risk` may be a level, `customer` a kind of customer.
    """

    key: str
    names: tuple[str, ...]
    fits: Callable[[Facts], bool]
    holds: str
    plain: tuple[str, ...] = ()

    def is_held_by(self, column: Facts) -> bool:
        return self.fits(column) and (column.distinct > KINDS or not self.has_plain(column))

    def has_plain(self, column: Facts) -> bool:
        return "_".join(tokens(column.name)) in self.plain


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _is_time(column: Facts) -> bool:
    if column.type is LogicalType.NUMBER and column.low is not None and column.high is not None:
        return any(first <= column.low and column.high < last for first, last in _EPOCHS)
    return column.type is LogicalType.TIME


def _is_number(column: Facts) -> bool:
    return column.type is LogicalType.NUMBER


def _is_name(column: Facts) -> bool:
    return column.type in (LogicalType.TEXT, LogicalType.NUMBER) and column.whole


def _is_share(column: Facts) -> bool:
    is_in_range = column.low is not None and column.high is not None and column.low >= 0 and column.high <= 1
    return _is_number(column) and is_in_range and not (column.whole and column.distinct <= 2)  # noqa: PLR2004


def _is_unique(column: Facts) -> bool:
    return _is_name(column) and column.present > 0 and column.distinct >= 0.98 * column.present


def _is_answer(column: Facts) -> bool:
    return column.type in (LogicalType.NUMBER, LogicalType.BOOLEAN) or (
        column.type is LogicalType.TEXT and 0 < column.distinct <= FEW
    )


def _is_text(column: Facts) -> bool:
    return column.type is LogicalType.TEXT


_ROLES = (
    _Role(
        "id_column",
        _words(
            "prediction_id decision_id request_id inference_id event_id row_id record_id transaction_id uuid guid id"
            " vorhersage_id entscheidung_id vorgang_id id_prediction id_decision identifiant id_prediccion"
            " identificador"
        ),
        _is_unique,
        "a value of its own in each row",
    ),
    _Role(
        "time_column",
        _words(
            "ts timestamp event_timestamp event_time event_ts prediction_time prediction_ts prediction_timestamp"
            " predicted_at decision_time decided_at decision_ts scored_at request_time requested_at inference_time"
            " created_at datetime date_time time date at zeitstempel zeitpunkt zeit datum horodatage date_decision"
            " date_heure fecha_hora fecha marca_de_tiempo marca_tiempo"
        ),
        _is_time,
        "times",
    ),
    _Role(
        "label_time_column",
        _words(
            "label_ts label_time label_timestamp labelled_at labeled_at label_at label_date outcome_ts outcome_time"
            " outcome_at outcome_date ground_truth_ts ground_truth_time actual_ts target_ts target_time feedback_time"
            " resolved_at label_zeit label_zeitpunkt date_label date_etiquette fecha_etiqueta"
        ),
        _is_time,
        "times",
    ),
    _Role(
        "score_column",
        _words(
            "score probability proba prob predicted_probability prediction_score y_score y_prob y_proba y_pred_proba"
            " predict_proba prediction_proba pred_proba model_score risk_score p1 p_1 p prob_1 proba_1"
            " wahrscheinlichkeit probabilite puntuacion probabilidad"
        ),
        _is_share,
        "numbers from 0 to 1",
        _words("risk confidence likelihood risiko konfidenz risque confiance riesgo confianza"),
    ),
    _Role(
        "prediction_column",
        _words(
            "prediction predicted y_pred y_hat yhat pred predicted_label predicted_class predicted_value"
            " prediction_label decision model_output answer_class vorhersage entscheidung prognose prevision prediccion"
        ),
        _is_answer,
        "answers",
    ),
    _Role(
        "label_column",
        _words(
            "label y_true ground_truth truth actual actuals target outcome true_label actual_label actual_value y"
            " zielwert ziel ergebnis wahrheit etiquette verite cible resultat etiqueta verdad objetivo resultado"
        ),
        _is_answer,
        "outcomes",
    ),
    _Role(
        "version_column",
        _words("model_version version model_ver modell_version version_modele version_modelo"),
        lambda column: column.type in (LogicalType.TEXT, LogicalType.NUMBER) and column.distinct <= FEW,
        "a few versions",
    ),
    _Role(
        "latency_column",
        _words("latency_ms latency response_ms duration_ms response_time_ms latenz_ms latence_ms latencia_ms"),
        _is_number,
        "numbers",
    ),
    _Role("status_column", _words("status_code http_status"), _is_answer, "a few codes"),
    _Role("request_model_column", _words("request_model requested_model"), _is_text, "text"),
    _Role("response_model_column", _words("response_model answered_model"), _is_text, "text"),
    _Role("trace_column", _words("trace_id conversation_id session_id run_id"), _is_name, "names"),
    _Role("tool_column", _words("tool_name tool"), _is_text, "text"),
    _Role("tool_args_column", _words("tool_args tool_arguments tool_input"), _is_text, "text"),
    _Role(
        "subject_column",
        _words(
            "subject_id customer_id user_id person_id applicant_id patient_id client_id borrower_id member_id kunden_id"
            " cliente_id"
        ),
        _is_name,
        "names",
        _words("subject customer client applicant borrower patient member user person kunde kundin cliente"),
    ),
    _Role("entity_columns", _words("entity_id account_id device_id merchant_id konto_id compte_id"), _is_name, "names"),
)
_TIME, _LABEL_TIME = (next(role for role in _ROLES if role.key == key) for key in ("time_column", "label_time_column"))
_LISTS = frozenset({"entity_columns"})

_PROTECTED = frozenset(
    _words(
        "sex gender race ethnicity religion nationality disability orientation pregnant geschlecht herkunft sexe genre"
        " sexo genero raza etnia religion behinderung handicap age alter edad marital marriage familienstand"
    )
)
_ALSO_INPUTS = frozenset(_words("age alter edad marital marriage familienstand"))
_SEGMENT_WORDS = frozenset(
    _words(
        "region country channel segment market state city zone site store branch product plan tier device platform"
        " language locale season band hub task land kanal filiale sprache pays canal langue marche pais tienda idioma"
        " education job contact category group cohort type"
    )
)
_MODEL_NAMES = frozenset({"model", "model_id", "model_name", "modell", "modele", "modelo"})
_NOT_INPUTS = frozenset(
    _words("review reviewer reviewed routed final override cost step latency uuid guid id version template")
)


def guess(columns: Sequence[Facts], model_id: str) -> Guess:
    """What the columns of a log may mean.

    Args:
        columns: the facts of each column, in the order of the log.
        model_id: a name for the model, such as the log's own.

    Raises:
        BadInput: no column looks like the id or the time, without which nothing can be scanned.
    """
    taken: dict[str, Proposal] = {}
    for role in _ROLES:
        free = [column for column in columns if column.name not in _columns_of(taken.values())]
        found = _by_name(role, free) or _by_content(role, free, columns)
        if found is not None:
            taken[role.key] = found
    for key in ("id_column", "time_column"):
        _require(key, taken, columns)
    rest = [column for column in columns if column.name not in _columns_of(taken.values()) and column.present]
    named = Proposal("model_id", model_id, "the name of the log; give it the name that people know", Sureness.UNSURE)
    by_name = {column.name: column for column in columns}
    proposals = (named, *taken.values(), *_problem(taken, by_name), *_features(rest, taken), *_segments(rest))
    unread = _unread([column.name for column in rest if column.type is LogicalType.OTHER])
    gaps = (*_unanswerable(taken, columns), *(() if unread is None else (unread,)))
    return Guess(proposals, (*_questions(rest, taken, by_name),), gaps, unread)


def _unread(names: Sequence[str]) -> str | None:
    if not names:
        return None
    shown = ", ".join(names[:_SHOWN_COLUMNS]) + (" …" if len(names) > _SHOWN_COLUMNS else "")
    hold = "1 column holds" if len(names) == 1 else f"{len(names):,} columns hold"
    return (
        f"what is in {shown}: {hold} bytes, lists, structures or the like, of which nothing can be guessed;"
        " write it as numbers, text or truth values"
    )


def tokens(name: str) -> tuple[str, ...]:
    """The words of a column's name, whatever the habit: `predictionId`, `PREDICTION-ID`, `prédiction id`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    return tuple(re.findall(r"[a-z0-9]+", parted.lower()))


def _columns_of(proposals: Iterable[Proposal]) -> set[str]:
    return {name for p in proposals for name in ((p.value,) if isinstance(p.value, str) else p.value)}


def _by_name(role: _Role, columns: Sequence[Facts]) -> Proposal | None:
    """The column with the best name for a role among those that hold what it needs."""
    named = _named(role, columns)
    found = [column for column in named if role.is_held_by(column)]
    if not found:
        return None
    name, *others = (column.name for column in found)
    reason = f"its name, and it holds {role.holds}"
    if others:
        reason += f"; {', '.join(others)} would fit too"
    best = named[0]
    if role.holds == _TIME.holds and _is_spoilt(best):
        reason += f"; {best.name} has a better name, but {_instead_of_times(best)}"
        return _proposal(role.key, name, reason, Sureness.UNSURE)
    return _proposal(role.key, name, reason, Sureness.LIKELY if others or role.has_plain(found[0]) else Sureness.SURE)


def _named(role: _Role, columns: Iterable[Facts]) -> list[Facts]:
    """The columns that go by a name of a role, whatever they hold; the best name first."""
    ranks = {name: place for place, name in enumerate((*role.names, *role.plain))}
    ranked = [(ranks.get("_".join(tokens(column.name)), len(ranks)), column) for column in columns]
    return [column for rank, column in sorted(ranked, key=itemgetter(0)) if rank < len(ranks)]


def _by_content(role: _Role, free: Sequence[Facts], columns: Sequence[Facts]) -> Proposal | None:
    """The one column that could be the id or the time by what it holds; of several none is better than another."""
    if role.key not in ("id_column", "time_column"):
        return None
    full = [column for column in free if role.fits(column) and column.present == column.rows > 1]
    if role.key == "time_column":
        full = [column for column in full if column.type is LogicalType.TIME and _may_be_time(column, columns)]
    else:
        full = [column for column in full if not _named(_TIME, [column])]
    ids = [column for column in full if "id" in tokens(column.name)]
    fitting = ids or full
    if len(fitting) != 1:
        return None
    return _proposal(role.key, fitting[0].name, f"no other column holds {role.holds}", Sureness.UNSURE)


def _may_be_time(column: Facts, columns: Sequence[Facts]) -> bool:
    """Whether a column may be the decisions' time though its name says nothing: not while a better one is spoilt."""
    named = _named(_TIME, columns)
    if any(_is_spoilt(each) for each in named):
        return False
    return not (named and _named(_LABEL_TIME, [column]))


def _is_spoilt(column: Facts) -> bool:
    """Whether a column holds times as text, but for some values."""
    return 0 < column.not_times < column.present


def _proposal(key: str, name: str, reason: str, sureness: Sureness) -> Proposal:
    return Proposal(key, (name,) if key in _LISTS else name, reason, sureness)


def _require(key: str, taken: Mapping[str, Proposal], columns: Sequence[Facts]) -> None:
    if key in taken:
        return
    named = _named(_TIME, columns) if key == "time_column" else ()
    if named:
        raise BadInput(
            f"it is not clear which column holds the time of each prediction: {named[0].name!r} has a name for it, but"
            f" {_instead_of_times(named[0])}; write its values as ISO 8601 times, or write `{key}: NAME` into a"
            " model.yaml and name it with --model"
        )
    what = "names each prediction" if key == "id_column" else "holds the time of each prediction"
    names = ", ".join(column.name for column in columns[:_SHOWN_COLUMNS])
    more = " …" if len(columns) > _SHOWN_COLUMNS else ""
    raise BadInput(
        f"it is not clear which column {what}, of {names}{more}: write `{key}: NAME` into a model.yaml and name it"
        " with --model"
    )


def _instead_of_times(column: Facts) -> str:
    if not column.present:
        return "it holds no value"
    if column.not_times:
        example = column.not_time[:_SHOWN_LETTERS] + ("…" if len(column.not_time) > _SHOWN_LETTERS else "")
        are = "is not an ISO 8601 time" if column.not_times == 1 else "are not ISO 8601 times"
        return f"{column.not_times:,} of its {column.present:,} values {are}, for example {example!r}"
    if _is_number(column) and column.low is not None and column.high is not None:
        return f"it holds numbers from {column.low:,.15g} to {column.high:,.15g}, which are no times"
    return "it holds something else than times"


def _problem(taken: Mapping[str, Proposal], columns: Mapping[str, Facts]) -> Iterable[Proposal]:
    answer = taken.get("prediction_column")
    if answer is None:
        if "tool_column" in taken and "trace_column" in taken:
            yield Proposal("problem", "agent", "its rows are calls of tools", Sureness.LIKELY)
        return
    column = columns[str(answer.value)]
    label = taken.get("label_column")
    is_binary = column.distinct <= 2  # noqa: PLR2004
    if is_binary or column.type is LogicalType.BOOLEAN:
        yield Proposal("problem", "binary", f"{column.name} has {column.distinct} values", Sureness.SURE)
    elif column.type is LogicalType.TEXT:
        yield Proposal("problem", "multiclass", f"{column.name} has {column.distinct} classes", Sureness.SURE)
    elif (not column.whole or column.distinct > FEW) and (label is None or _is_number(columns[str(label.value)])):
        yield Proposal("problem", "regression", f"{column.name} holds numbers of many values", Sureness.LIKELY)


def _features(rest: Sequence[Facts], taken: Mapping[str, Proposal]) -> Iterable[Proposal]:
    found = [column.name for column in rest if _is_input(column)]
    agent = [str(taken[key].value) for key in ("tool_column", "tool_args_column") if key in taken]
    if found or agent:
        reason = "the columns without another role; take out what the model does not see"
        yield Proposal("features", (*agent, *found), reason, Sureness.LIKELY)


def _is_input(column: Facts) -> bool:
    words = set(tokens(column.name))
    is_named_otherwise = words & _NOT_INPUTS or (words & _PROTECTED and not _ends_as_input(column))
    has_type = column.type in (LogicalType.NUMBER, LogicalType.TEXT, LogicalType.BOOLEAN)
    is_id = column.type is LogicalType.TEXT and "id" in words
    is_named_otherwise = is_named_otherwise or "_".join(tokens(column.name)) in _MODEL_NAMES
    return has_type and not is_named_otherwise and not is_id and not _is_only_segment(column)


def _ends_as_input(column: Facts) -> bool:
    """`age` and `account_age_days` are numbers a model sees; `age_band` is a group that people are put in."""
    words = tokens(column.name)
    return bool(_ALSO_INPUTS & set(words)) and (_is_number(column) or len(words) == 1)


_WHERE = frozenset(_words("region channel country season market store branch segment cohort band land kanal pays pais"))


def _is_only_segment(column: Facts) -> bool:
    """Where a request came from is seldom what a model sees."""
    return not _is_number(column) and bool(set(tokens(column.name)) & _WHERE)


def _is_group(column: Facts) -> bool:
    has_type = column.type in (LogicalType.TEXT, LogicalType.BOOLEAN)
    return has_type and 1 < column.distinct <= FEW and column.present > 2 * column.distinct


def _segments(rest: Sequence[Facts]) -> Iterable[Proposal]:
    found = [
        column.name
        for column in rest
        if _is_group(column)
        and set(tokens(column.name)) & _SEGMENT_WORDS
        and not set(tokens(column.name)) & (_PROTECTED | _NOT_INPUTS)
    ]
    if found:
        reason = f"up to {FEW} values each, and names by which traffic is usually cut"
        yield Proposal("segments", tuple(found), reason, Sureness.LIKELY)


def _questions(
    rest: Sequence[Facts], taken: Mapping[str, Proposal], columns: Mapping[str, Facts]
) -> Iterable[Proposal]:
    models = [column for column in rest if "_".join(tokens(column.name)) in _MODEL_NAMES]
    if models and 1 < models[0].distinct <= FEW:
        reason = f"is this a log of several models? {models[0].name} has {models[0].distinct} values"
        yield Proposal("model_column", models[0].name, reason, Sureness.UNSURE)
    groups = tuple(
        column.name for column in rest if set(tokens(column.name)) & _PROTECTED and 1 < column.distinct <= FEW
    )
    if groups:
        reason = "may be groups that the law protects: shall no group of these be treated worse?"
        yield Proposal("protected_attributes", groups, reason, Sureness.UNSURE)
    answer = taken.get("prediction_column")
    values = columns[str(answer.value)].values if answer is not None else ()
    if answer is not None and values and len(values) <= 2:  # noqa: PLR2004
        reason = f"which answer of {answer.value} is good for the person concerned: {' or '.join(values)}?"
        yield Proposal("favourable_prediction", "", reason, Sureness.UNSURE)
    if "label_column" in taken and "label_time_column" not in taken:
        reason = f"after how many days is {taken['label_column'].value} known? Without it no evaluation may use it"
        yield Proposal("label_delay_days_median", "", reason, Sureness.UNSURE)


_NEVER = {
    "version_column": "which version of the model answered (no version): a bad deployment cannot be told apart",
    "label_column": "whether the answers were right (no labels); `--labels` can bring them from elsewhere",
    "score_column": "how confident the model was (no score): calibration cannot be judged",
    "prediction_column": "what the model answered (no prediction)",
    "latency_column": "how long an answer took (no latency)",
    "subject_column": "how many people are concerned (no column known to name them): decisions are counted, not people",
}


def _unanswerable(taken: Mapping[str, Proposal], columns: Sequence[Facts]) -> Iterable[str]:
    rest = [column for column in columns if column.name not in _columns_of(taken.values())]
    if not any(_is_input(column) for column in rest):
        yield "what the model saw (no inputs): why an answer changed stays unknown"
    yield from (text for key, text in _NEVER.items() if key not in taken)
    if not any(set(tokens(column.name)) & {"review", "reviewer", "reviewed", "override"} for column in columns):
        yield "what people made of the answers (no review): a rubber stamp looks like a careful check"
