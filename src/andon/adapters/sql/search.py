"""Full-text search: FTS5 in SQLite, a GIN index over tsvector in PostgreSQL, both over one table of plain words.

Words are made plain before they are kept (small letters, no accents, nothing but letters and digits), so that both
databases find the same.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, delete, insert, text

from andon.adapters.sql.engine import reading
from andon.adapters.sql.tables import FOLDED, TEXTS

SEARCHED: Final[Mapping[str, tuple[str, ...]]] = {
    "incidents": ("id", "title", "model_id", "incident_type", "detected_by", "model_version", "place"),
    "incident_timeline": ("text", "more"),
    "incident_alerts": ("title", "source"),
    "alerts": ("title", "content"),
    "models": ("id", "content"),
    "model_changes": ("what", "model_id", "kind", "version"),
}
"""The folded tables that are searched, and their columns; a new one is a line here."""
WHILE: Final[Mapping[str, str]] = {"alerts": "hold"}
"""Rows of these are searched as long as this column says something: an alert of an incident is found there."""
JSON_COLUMNS: Final = frozenset({"more", "content"})
"""Columns that hold JSON, of which the values count."""
KEPT_OF: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset({*columns, *({"incident_id", "model_id", "hold"} & set(FOLDED[name].c.keys()))}) - {"id"}
    for name, columns in SEARCHED.items()
}
"""The columns of each such table that are kept, beside its id: what is searched, and what says who may see it."""
FORGET: Final = delete(TEXTS).where(TEXTS.c.source == bindparam("at"), TEXTS.c.key == bindparam("row"))
KEEP: Final = insert(TEXTS)
_SPLIT: Final = re.compile(r"[\W_]+")
_SQLITE: Final = """
    select t.source, t.key from search_words w join search_texts t on t.number = w.rowid
    left join incidents i on i.id = t.incident_id
    where search_words match :asked {models} order by bm25(search_words), t.number desc limit :many
"""
_POSTGRESQL: Final = """
    select t.source, t.key from search_texts t left join incidents i on i.id = t.incident_id
    where to_tsvector('simple', t.said) @@ to_tsquery('simple', :asked) {models}
    order by ts_rank(to_tsvector('simple', t.said), to_tsquery('simple', :asked)) desc, t.number desc limit :many
"""
_MODELS: Final = "and coalesce(t.model_id, i.model_id) in :models"


@dataclass(frozen=True, slots=True)
class SqlTexts:
    """The texts of a database, to be searched."""

    engine: Engine

    def find(self, words: str, models: Sequence[str], limit: int) -> list[tuple[str, str]]:
        """Table and key of the rows that hold every word (or one that begins so), the closest first."""
        wanted = plain_words(words)
        if not wanted:
            return []
        is_sqlite = self.engine.dialect.name == "sqlite"
        asked = " ".join(f'"{word}"*' for word in wanted) if is_sqlite else " & ".join(f"'{word}':*" for word in wanted)
        query = text((_SQLITE if is_sqlite else _POSTGRESQL).format(models=_MODELS if models else ""))
        values: dict[str, Any] = {"asked": asked, "many": limit}
        if models:
            query = query.bindparams(bindparam("models", expanding=True))
            values["models"] = list(models)
        with reading(self.engine) as connection:
            return [(row.source, row.key) for row in connection.execute(query, values)]


def plain_words(said: str) -> list[str]:
    """The words of a text: small letters without accents, and digits."""
    bare = said.lower()
    if not said.isascii():
        bare = "".join(c for c in unicodedata.normalize("NFKD", said.casefold()) if not unicodedata.combining(c))
    return [word for word in _SPLIT.split(bare) if word]


def index(connection: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the words of rows, in place of those they had: two statements, however many rows."""
    connection.execute(FORGET, [{"at": table, "row": row["id"]} for row in rows])
    if kept := [_kept(table, row) for row in rows if table not in WHILE or row[WHILE[table]] is not None]:
        connection.execute(KEEP, kept)


def _kept(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    words = " ".join(plain_words(" ".join(_texts(table, row))))
    incident = row["id"] if table == "incidents" else row.get("incident_id")
    model = row["id"] if table == "models" else row.get("model_id")
    return {"source": table, "key": row["id"], "incident_id": incident, "model_id": model, "said": words}


def forget_all(connection: Connection) -> None:
    """Keep no words; in SQLite nothing of them is left in the index either."""
    connection.execute(delete(TEXTS))
    if connection.dialect.name == "sqlite":
        connection.execute(text("insert into search_words(search_words) values ('optimize')"))


def _texts(table: str, row: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for name in SEARCHED[table]:
        value = row.get(name)
        if value is not None:
            found += _values(json.loads(value)) if name in JSON_COLUMNS else [str(value)]
    return found


def _values(document: Any) -> list[str]:
    """The texts and numbers in a document, without its keys."""
    if isinstance(document, Mapping):
        document = list(document.values())
    if isinstance(document, list):
        return [text for each in document for text in _values(each)]
    return [] if document is None else [str(document)]
