"""What is guessed from names and counts, what is asked instead, and what a log can never answer."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.base.errors import BadInput
from andon.inventory.guess import Facts, Guess, Sureness, guess, tokens
from andon.inventory.model_file import parse_model
from andon.telemetry.schema import LogicalType

N, T, S, B = LogicalType.NUMBER, LogicalType.TIME, LogicalType.TEXT, LogicalType.BOOLEAN
ROWS = 1_000


def ids(name: str) -> Facts:
    return Facts(name, S, ROWS, ROWS, ROWS)


def people(name: str) -> Facts:
    return Facts(name, S, ROWS, ROWS, 300)


def times(name: str) -> Facts:
    return Facts(name, T, ROWS, ROWS, 900)


def numbers(name: str, low: float = 0, high: float = 500) -> Facts:
    return Facts(name, N, ROWS, ROWS, 800, low, high, whole=False)


def classes(name: str, *values: str) -> Facts:
    return Facts(name, S, ROWS, ROWS, len(values), values=values)


def bits(name: str) -> Facts:
    return Facts(name, N, ROWS, ROWS, 2, 0, 1, values=("0", "1"))


def made(*columns: Facts) -> Guess:
    return guess([ids("id"), times("ts"), *columns], "m")


def asked(found: Guess) -> dict[str, object]:
    return {each.key: each.value for each in found.questions}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("predictionId", "prediction id"),
        ("PredictionID", "prediction id"),
        ("HTTPStatus", "http status"),
        ("PREDICTION-ID", "prediction id"),
        ("prédiction id", "prediction id"),
        ("y_true", "y true"),
        ("日付", ""),
    ],
)
def test_a_name_has_words_whatever_the_habit(name: str, words: str) -> None:
    assert " ".join(tokens(name)) == words


@pytest.mark.parametrize(
    ("key", "column"),
    [
        ("score_column", numbers("yProba", 0, 1)),
        ("score_column", numbers("p1", 0, 1)),
        ("score_column", numbers("Wahrscheinlichkeit", 0, 1)),
        ("score_column", numbers("probabilité", 0, 1)),
        ("prediction_column", bits("yHat")),
        ("prediction_column", classes("Entscheidung", "ja", "nein")),
        ("prediction_column", classes("predicción", "si", "no")),
        ("label_column", bits("y_true")),
        ("label_column", bits("target")),
        ("label_column", numbers("groundTruth")),
        ("label_column", bits("vérité")),
        ("label_time_column", times("outcomeAt")),
        ("version_column", classes("modelVersion", "1", "2")),
        ("latency_column", numbers("latencyMs")),
        ("subject_column", ids("customerId")),
    ],
)
def test_a_role_is_found_by_name_and_content(key: str, column: Facts) -> None:
    assert made(column).content()[key] == column.name


@pytest.mark.parametrize(
    ("key", "column"),
    [
        *(("subject_column", people(name)) for name in ("customer", "Client", "applicant", "borrower", "patient")),
        *(("subject_column", people(name)) for name in ("member", "user")),
        *(("score_column", numbers(name, 0, 1)) for name in ("risk", "Confidence", "likelihood")),
    ],
)
def test_a_plain_name_is_believed_less_and_only_of_many_values(key: str, column: Facts) -> None:
    found = made(column, numbers("income"))
    [proposal] = [each for each in found.proposals if each.key == key]
    assert (proposal.value, proposal.sureness) == (column.name, Sureness.LIKELY)
    assert found.content()["features"] == ["income"]
    kinds = made(replace(column, distinct=4), numbers("income")).content()  # new, returning … or low, high
    assert (key in kinds, kinds["features"]) == (False, [column.name, "income"])


@pytest.mark.parametrize("column", [numbers("risk", 0, 100), numbers("customer"), classes("user", "yes", "no")])
def test_a_plain_name_that_its_content_belies_is_an_input(column: Facts) -> None:
    assert made(column).content()["features"] == [column.name]


def test_a_full_name_is_better_than_a_plain_one() -> None:
    found = made(numbers("risk", 0, 1), numbers("score", 0, 1), people("customer"), people("customer_id")).content()
    assert (found["score_column"], found["subject_column"]) == ("score", "customer_id")


@pytest.mark.parametrize(
    "name", ["timestamp", "eventTimestamp", "createdAt", "Zeitstempel", "horodatage", "fecha_hora", "TS"]
)
def test_the_time_has_many_names(name: str) -> None:
    assert guess([ids("requestId"), times(name)], "m").content()["time_column"] == name


@pytest.mark.parametrize("seconds", [1, 1_000, 1_000_000])
def test_whole_numbers_may_be_times(seconds: int) -> None:
    epoch = numbers("ts", 1_770_000_000 * seconds, 1_780_000_000 * seconds)
    assert guess([ids("id"), epoch], "m").content()["time_column"] == "ts"


def test_a_name_that_its_content_belies_is_not_believed() -> None:
    found = made(numbers("score", 300, 850), numbers("label_ts"))
    assert "score_column" not in found.content()
    assert "label_time_column" not in found.content()


def test_the_best_of_several_is_taken_and_the_others_are_named() -> None:
    found = guess([ids("id"), times("created_at"), times("event_timestamp")], "m")
    [time] = [each for each in found.proposals if each.key == "time_column"]
    assert (time.value, time.sureness) == ("event_timestamp", Sureness.LIKELY)
    assert "created_at" in time.reason


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (bits("prediction"), "binary"),
        (classes("prediction", "a", "b", "c"), "multiclass"),
        (numbers("prediction"), "regression"),
    ],
)
def test_the_kind_of_answer(column: Facts, problem: str) -> None:
    assert made(column).content()["problem"] == problem


def test_who_is_protected_is_asked_never_taken() -> None:
    found = made(classes("Geschlecht", "m", "w"), classes("ageBand", "<30", "30+"), numbers("income"))
    assert asked(found)["protected_attributes"] == ("Geschlecht", "ageBand")
    assert found.content()["features"] == ["income"]
    assert "segments" not in found.content()


def test_which_answer_is_good_is_asked_and_none_is_put_forward() -> None:
    found = made(classes("decision", "approve", "decline"))
    assert asked(found)["favourable_prediction"] == ""
    assert "favourable_prediction" not in found.content()
    [question] = [each for each in found.questions if each.key == "favourable_prediction"]
    assert "approve or decline" in question.reason


def test_labels_without_a_time_and_several_models_are_asked() -> None:
    found = asked(made(bits("label"), classes("model_name", "a", "b")))
    assert found["label_delay_days_median"] == ""
    assert found["model_column"] == "model_name"


def test_a_group_cuts_traffic() -> None:
    found = made(classes("Kanal", "web", "app"), numbers("amount"), classes("region", "n", "s")).content()
    assert (found["segments"], found["features"]) == (["Kanal", "region"], ["amount"])


def test_what_a_bare_log_can_never_answer() -> None:
    bare = " ".join(made().unanswerable)
    for gap in ("no version", "no inputs", "no labels", "no review", "no score", "no prediction"):
        assert gap in bare
    assert "how many people are concerned (no column known to name them)" in bare
    told = made(bits("label"), numbers("income"), classes("model_version", "1", "2"), bits("reviewed"))
    for gap in ("no version", "no inputs", "no labels", "no review"):
        assert gap not in " ".join(told.unanswerable)


def test_columns_that_hold_nothing_to_guess_by_are_named() -> None:
    other = [Facts(f"blob{n}", LogicalType.OTHER, ROWS, ROWS, ROWS) for n in range(14)]
    assert made(times("seen"), ids("other_id"), Facts("none", LogicalType.OTHER, ROWS, 0, 0)).unread is None
    one = made(numbers("income"), other[0])
    assert one.unread is not None
    assert one.unread.startswith("what is in blob0: 1 column holds bytes, lists, structures or the like")
    assert one.unread in one.unanswerable
    many = made(*other).unread
    assert many is not None
    assert "blob10, blob11 …: 14 columns hold bytes" in many
    assert "blob12" not in many


def test_no_id_or_time_is_said_with_the_mend() -> None:
    with pytest.raises(BadInput, match="which column names each prediction, of foo, bar: write `id_column: NAME`"):
        guess([bits("foo"), bits("bar")], "m")
    with pytest.raises(BadInput, match=r"which column holds the time .* write `time_column: NAME`"):
        guess([ids("id"), bits("bar")], "m")
    with pytest.raises(BadInput, match="holds the time"):  # two strange names: none is better than the other
        guess([ids("id"), times("foo"), times("bar")], "m")


def spoilt(name: str, wrong: int = 1) -> Facts:
    return Facts(name, S, ROWS, ROWS, ROWS, not_times=wrong, not_time="unknown")


NO_TIME = "it is not clear which column holds the time of each prediction: 'ts' has a name for it, but "


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (spoilt("ts"), "1 of its 1,000 values is not an ISO 8601 time, for example 'unknown'; write its values"),
        (spoilt("ts", ROWS), "1,000 of its 1,000 values are not ISO 8601 times, for example 'unknown'; write"),
        (numbers("ts", 0, 1_770_000_000), "it holds numbers from 0 to 1,770,000,000, which are no times; write"),
        (Facts("ts", LogicalType.OTHER, ROWS, ROWS, ROWS), "it holds something else than times; write"),
        (Facts("ts", S, ROWS, 0, 0), "it holds no value; write"),
    ],
)
def test_the_time_of_labels_never_stands_in_for_a_time_that_cannot_be_read(column: Facts, why: str) -> None:
    for others in ([], [times("label_ts")], [times("outcome_at")]):
        with pytest.raises(BadInput, match=f"^{re.escape(NO_TIME + why)}.*`time_column: NAME` into a model.yaml"):
            guess([ids("id"), column, *others], "m")


def test_a_stranger_stands_in_for_a_time_only_where_that_never_held_times() -> None:
    assert guess([ids("id"), classes("date", "Mon", "Tue"), times("foo")], "m").content()["time_column"] == "foo"
    with pytest.raises(BadInput, match="'date' has a name for it"):
        guess([ids("id"), spoilt("date"), times("foo")], "m")


def test_a_time_of_a_lesser_name_is_taken_unsurely_beside_a_spoilt_one() -> None:
    found = guess([ids("id"), spoilt("ts"), times("created_at")], "m")
    [time] = [each for each in found.proposals if each.key == "time_column"]
    assert (time.value, time.sureness) == ("created_at", Sureness.UNSURE)
    assert "ts has a better name, but 1 of its 1,000 values is not an ISO 8601 time" in time.reason


def test_the_time_is_no_id() -> None:
    with pytest.raises(BadInput, match="which column names each prediction"):
        guess([spoilt("ts"), times("foo")], "m")


def test_a_long_example_is_cut() -> None:
    with pytest.raises(BadInput, match=f"for example '{'u' * 60}…';"):
        guess([ids("id"), replace(spoilt("ts"), not_time="u" * 500)], "m")


def test_an_only_candidate_is_taken_unsurely() -> None:
    found = guess([ids("foo"), times("bar")], "m")
    assert [each.sureness for each in found.proposals[1:3]] == [Sureness.UNSURE, Sureness.UNSURE]
    assert (found.content()["id_column"], found.content()["time_column"]) == ("foo", "bar")


@given(st.lists(st.tuples(st.text(min_size=1), st.sampled_from(list(LogicalType))), unique_by=lambda each: each[0]))
def test_any_guess_is_a_model_file_in_which_a_column_has_one_role(columns: list[tuple[str, LogicalType]]) -> None:
    strange = [Facts(name, kind, ROWS, ROWS, 3, values=("a", "b", "c")) for name, kind in columns]
    names = {"prediction_id", "event_timestamp"}
    found = guess(
        [ids("prediction_id"), times("event_timestamp"), *(each for each in strange if each.name not in names)], "m"
    )
    model = parse_model(found.content(), strict=True)
    assert model.columns.id == "prediction_id"
    roles = [p.value for p in found.proposals if p.key.endswith("_column")]
    assert len(roles) == len(set(roles))
    assert not set(roles) & set(model.features)
