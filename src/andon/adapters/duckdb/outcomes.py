"""Labels that live elsewhere: joined to the predictions they belong to, one label for each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from andon.adapters.duckdb.codes import logical_type, present_sql, quoted_name, text_sql
from andon.adapters.duckdb.connection import Connection, one_row
from andon.adapters.duckdb.files import LogFiles
from andon.adapters.duckdb.place import Place
from andon.adapters.duckdb.times import TimeReader
from andon.adapters.duckdb.types import RawLog, raw_log
from andon.base.errors import BadInput
from andon.base.nearest import nearest
from andon.inventory.model import Columns
from andon.telemetry.schema import LogicalType, LogSchema

ALIAS = "andon_arrived_labels"
KNOWN = "andon_known"
OF_NO_PREDICTION = "labels_of_no_prediction"
_SHOWN_COLUMNS = 12


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Where the labels are.

    Attributes:
        place: rows with an id, a label and perhaps the time it became known.
        on: the column that both sides share; None: the model's id.
        is_complete: whether labels of no prediction are worth a word (not for the reference, which shares the place).
        is_checked: whether it was looked for those before (for one of the models of a log they name the others').
    """

    place: Place
    on: str | None = None
    is_complete: bool = True
    is_checked: bool = False


@dataclass(frozen=True, slots=True)
class JoinedLabels:
    """Labels ready to join, in the table `andon_known`: id, label, time.

    Attributes:
        columns: those of the model, with label and label time as found.
        on: the log's column to join by.
        warnings: `(code, text)`.
    """

    columns: Columns
    on: str
    warnings: tuple[tuple[str, str], ...]

    def added(self, sql: str, storage: str) -> str:
        """The rows of a log, selected by `sql`, with their labels; `storage` is the type of the column to join by."""
        names = f"select id as andon_id, label as andon_label, known_at as andon_known_at from {KNOWN}"
        known = [f"andon_label as {quoted_name(self.columns.label or '')}"]
        if self.columns.label_time is not None:
            known.append(f"andon_known_at as {quoted_name(self.columns.label_time)}")
        by = f"andon_id = {text_sql(self.on, storage)}"
        return f"select predictions.*, {', '.join(known)} from ({sql}) predictions left join ({names}) on {by}"


def read_labels(
    connection: Connection, outcomes: Outcomes, columns: Columns, predictions: RawLog, types: LogSchema | None
) -> JoinedLabels:
    """Read the labels and decide which column is what.

    Raises:
        BadInput: the place lacks the id or the label, or it is not clear which column holds it.
    """
    place = outcomes.place
    on = outcomes.on or columns.id
    wanted = Columns(id=on, time=on, label_time=columns.label_time)
    raw = raw_log(connection, place, wanted, _without(on, types))
    _require(place, on, raw.storages, "join labels to predictions: name the shared column with --on")
    label = _label_column(place, columns, on, raw)
    label_time = _time_column(place, columns, (on, label), raw.storages)
    reader = TimeReader(connection, place, raw, on)
    at = "cast(null as timestamp)" if label_time is None else reader.read(label_time).sql
    joined_by = on if on in predictions.storages else columns.id
    name = _id_sql(on, raw.storages[on], predictions.storages[joined_by])
    rows = f"select {name} as id, {raw.sql[label]} as label, {at} as known_at from {raw.reader}"
    connection.execute(f"create temp view andon_labels as {rows}")
    storage = {str(r[0]): str(r[1]) for r in connection.execute("describe andon_labels").fetchall()}["label"]
    there = present_sql("label", storage)
    newest = "{'known_at': coalesce(epoch_us(known_at), -9223372036854775807), 'label': cast(label as varchar)}"
    connection.execute(
        f"create temp table {KNOWN} as select id, best.label as label, best.known_at as known_at, n from"
        f" (select id, max_by({{'label': label, 'known_at': known_at}}, {newest}) as best, count(*) as n"
        f" from andon_labels where id is not null and {there} group by id)"
    )
    _require_known(connection, place, on, label)
    warnings = [*_hidden(place, label, predictions), *_warnings(connection, place, there)]
    if isinstance(place, LogFiles):
        warnings += place.lacking(connection, (name for name in (on, label, label_time) if name is not None))
    return JoinedLabels(replace(columns, label=label, label_time=label_time), joined_by, tuple(warnings))


def _without(name: str, types: LogSchema | None) -> LogSchema | None:
    """The types known from elsewhere, but for one column: an id is read as it is written."""
    return None if types is None else LogSchema({each: kind for each, kind in types.types.items() if each != name})


def _id_sql(name: str, storage: str, as_in_log: str) -> str:
    """The id of a label as the log writes its own: where those are numbers, the text `1.0` is `1`."""
    text = text_sql(name, storage)
    is_text_of_number = storage == "VARCHAR" and logical_type(as_in_log) is LogicalType.NUMBER
    return rf"regexp_replace({text}, '^(-?[0-9]+)\.0+$', '\1')" if is_text_of_number else text


def unknown_ids(
    connection: Connection, outcomes: Outcomes, joined: JoinedLabels, log: tuple[str, str]
) -> list[tuple[str, str]]:
    """A warning about labels of no prediction, when there are some; `log` is its table and how it stores its ids.

    Raises:
        BadInput: there are labels, and none belongs to any prediction.
    """
    table, storage = log
    ids = f"select {text_sql(joined.on, storage)} from {table}"
    [labels] = one_row(connection, f"select count(*) from {KNOWN}")
    [unknown] = one_row(connection, f"select count(*) from {KNOWN} anti join ({ids}) predictions(id) using (id)")
    if labels and labels == unknown:
        raise BadInput(
            f"none of the {labels:,} labels in {outcomes.place.name} belongs to a prediction: the log's {joined.on!r}"
            " holds other ids; name the shared column with --on"
        )
    if not unknown:
        return []
    text = f"{unknown:,} of {labels:,} labels in {outcomes.place.name} name no prediction of the log; they are left out"
    return [(OF_NO_PREDICTION, text)]


def _require(place: Place, name: str, there: Mapping[str, str], purpose: str) -> None:
    if name not in there:
        near = nearest(name, list(there))
        meant = f"did you mean {near!r}?" if near else f"its columns are {', '.join(list(there)[:_SHOWN_COLUMNS])}"
        raise BadInput(f"{place.name} has no column {name!r} to {purpose}; {meant}")


def _require_known(connection: Connection, place: Place, on: str, label: str) -> None:
    """Refuse labels of which not one can be joined: they would be as good as none, without a word."""
    if one_row(connection, f"select count(*) from {KNOWN}") != (0,):
        return
    [rows, named] = one_row(connection, "select count(*), count(id) from andon_labels")
    if not rows:
        raise BadInput(f"{place.name} holds no rows: name labels with at least one, or leave out --labels")
    if not named:
        raise BadInput(
            f"none of the {rows:,} labels in {place.name} has an id: fill in {on!r}, or name the column with the ids"
            " with --on"
        )
    raise BadInput(
        f"not one of the {rows:,} rows of {place.name} has both an id and a label: fill in {on!r} and {label!r}, or"
        " leave out --labels"
    )


def _hidden(place: Place, label: str, predictions: RawLog) -> list[tuple[str, str]]:
    """A warning where the log has a column of labels too, which those of another place take the place of."""
    if label not in predictions.storages:
        return []
    return [("labels_in_both", f"the log has a column {label!r} too; the labels in {place.name} count, those do not")]


def _label_column(place: Place, columns: Columns, on: str, raw: RawLog) -> str:
    if columns.label is not None:
        _require(place, columns.label, raw.storages, "take labels from, which the model names as `label_column`")
        return columns.label
    times = {name for name, storage in raw.storages.items() if logical_type(storage) is LogicalType.TIME}
    others = [name for name in raw.storages if name not in {on, columns.label_time, *times}]
    if len(others) != 1:
        among = f" among {', '.join(others[:_SHOWN_COLUMNS])}" if others else ""
        raise BadInput(f"it is not clear which column of {place.name} is the label{among}: name it as `label_column`")
    return others[0]


def _time_column(place: Place, columns: Columns, others: tuple[str, str], storages: Mapping[str, str]) -> str | None:
    """The column with the time a label became known: as the model names it, else the only one that holds times.

    Raises:
        BadInput: the model names one, and times are in another.
    """
    if columns.label_time in storages:
        return columns.label_time
    times = [name for name, storage in storages.items() if logical_type(storage) is LogicalType.TIME]
    times = [name for name in times if name not in others]
    if times and columns.label_time is not None:
        raise BadInput(
            f"{place.name} has no column {columns.label_time!r}, which the model names as `label_time_column`; its"
            f" times are in {', '.join(times[:_SHOWN_COLUMNS])}: rename the column, or mend the model file"
        )
    return times[0] if len(times) == 1 else None


def _warnings(connection: Connection, place: Place, there: str) -> list[tuple[str, str]]:
    twice = int(str(one_row(connection, f"select count(*) from {KNOWN} where n > 1")[0]))
    nameless = int(str(one_row(connection, f"select count(*) from andon_labels where id is null and {there}")[0]))
    found = []
    if twice:
        text = f"{twice:,} predictions have more than one label in {place.name}; the latest one counts"
        found.append(("duplicate_labels", text))
    if nameless:
        found.append(("labels_without_id", f"{nameless:,} labels in {place.name} have no id; they are left out"))
    return found
