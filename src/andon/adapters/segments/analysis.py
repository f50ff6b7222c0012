"""Analysis tables: the events of one model and segment as columns to query, made from the evidence alone.

A number is a DOUBLE, a truth value a BOOLEAN, all else text, by what one segment holds: a type that changes is data and
no error. People (subject, reviewer, actor) stand as pseudonyms. Columns of inputs are named `inputs.NAME`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from andon.adapters.segments.columns import PSEUDONYM_BYTES, Columns, Payloads, Reader, columns_by_hand, ordered
from andon.adapters.segments.ids import Keys, keys_of
from andon.base.errors import Tampered
from andon.ledger.entry import Entry

_TIME: Final = pa.timestamp("us", "UTC")
_NAME_MAX = 100
ROWS_PER_GROUP: Final = 65_536
"""A table is one row group: its columns are short, and each piece of one costs time to compress by itself."""
_PART = 1_024
_HEAD_COLUMNS: Final = {
    "kind": pa.string(),
    "at": _TIME,
    "id": pa.string(),
    "ts": _TIME,
    "model_version": pa.string(),
}
_ORDER: Final = ("seq", "kind", "id", "ts", "at", "model_version")


class _Head(msgspec.Struct, frozen=True, gc=False):
    model_id: str = ""
    kind: str = ""
    at: str | None = None
    id: str = ""
    ts: str | None = None
    model_version: str | None = None


class _Heads(NamedTuple):
    """The same of some entries, a sequence each."""

    model_id: Sequence[str]
    kind: Sequence[str]
    at: Sequence[str | None]
    id: Sequence[str]
    ts: Sequence[str | None]
    model_version: Sequence[str | None]

    def at_places(self, places: Sequence[int]) -> "_Heads":
        """Those of the entries at some places."""
        return _Heads(*zip(*([column[place] for column in self] for place in places), strict=True))


_decode: Final = msgspec.json.Decoder(_Head).decode_lines
Part = tuple[int, Sequence[bytes], Payloads]
"""Some entries: the number of the first, their headers, their payloads."""


@dataclass(slots=True)
class _Gathered:
    """What there is of a model: its reader, and the columns of each part."""

    reader: Reader
    parts: list[Columns] = field(default_factory=list)


class Tables:
    """The tables of a segment, gathered as its entries are read; `key` makes the pseudonyms."""

    def __init__(self, key: bytes) -> None:
        self._hash = blake2b(key=key, digest_size=PSEUDONYM_BYTES)
        self._models: dict[str, _Gathered] = {}
        self.ids: list[Keys] = []

    def add(self, place: int, first: int, headers: Sequence[bytes], payloads: Payloads) -> None:
        """Take in the entries that follow, from a place of the segment on; `ids` is for the index of their ids."""
        heads = _heads(headers)
        self.ids.append(keys_of(heads.id, place))
        for model, (columns, own) in _by_model(first, heads, payloads).items():
            if model not in self._models:
                self._models[model] = _Gathered(Reader(self._pseudonyms))
            gathered = self._models[model]
            gathered.parts.append(columns | gathered.reader.read(own))

    def finish(self, again: Callable[[], Iterable[Part]]) -> dict[str, pa.Table]:
        """The tables, by model; `again` gives the entries once more, where a column changed its type between parts."""
        return {model: self._table(model, gathered, again) for model, gathered in sorted(self._models.items())}

    def _table(self, model: str, gathered: _Gathered, again: Callable[[], Iterable[Part]]) -> pa.Table:
        try:
            columns = _joined(gathered.parts)
        except pa.ArrowInvalid:
            heads = _joined([{name: part[name] for name in _ORDER} for part in gathered.parts])
            found = (_by_model(first, _heads(headers), payloads).get(model) for first, headers, payloads in again())
            payloads = [payload for each in found if each is not None for payload in each[1].each()]
            columns = heads | columns_by_hand(payloads, self._pseudonyms)
        return pa.table({name: columns[name] for name in (*_ORDER, *ordered(set(columns) - set(_ORDER)))})

    def _pseudonyms(self, texts: Sequence[str]) -> list[bytes]:
        """Always the same for a person, and nobody without the key can say whose: keyed BLAKE2b (RFC 7693), 96 bits."""
        keyed, made = self._hash.copy, []
        for text in texts:
            person = keyed()
            person.update(text.encode())
            made.append(person.digest())
        return made


def tables_of(rows: Sequence[tuple[int, Entry]], key: bytes) -> dict[str, pa.Table]:
    """The tables of a segment, by model."""
    tables = Tables(key)

    def parts() -> Iterator[Part]:
        for at in range(0, len(rows), _PART):
            entries = [entry for _, entry in rows[at : at + _PART]]
            yield rows[at][0], [entry.header for entry in entries], Payloads.of([entry.payload for entry in entries])

    for part in parts():
        tables.add(0, *part)
    return tables.finish(parts)


def ids_of(rows: Sequence[tuple[int, Entry]]) -> Keys:
    """What the index of a segment holds."""
    return keys_of(_heads([entry.header for _, entry in rows]).id, 0)


def encode_table(table: pa.Table, model: str, evidence: str, evidence_sha256: str) -> bytes:
    """The bytes of a table's file, which names the evidence file it was made from."""
    told = {"andon.model_id": model, "andon.evidence": evidence, "andon.evidence_sha256": evidence_sha256}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.replace_schema_metadata(told),
        sink,
        compression="zstd",
        compression_level=1,
        use_dictionary=["kind", "model_version"],
        write_statistics=["seq", "ts", "at"],
        write_page_checksum=True,
        row_group_size=ROWS_PER_GROUP,
    )
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def folder_name(model: str) -> str:
    """A model's id as the name of a folder."""
    name = quote(model, safe="")
    if name in (".", ".."):
        name = name.replace(".", "%2E")
    if len(name) > _NAME_MAX:
        name = f"{name[:_NAME_MAX]}-{sha256(model.encode()).hexdigest()[:16]}"
    return name


def _heads(headers: Sequence[bytes]) -> _Heads:
    rows = _decode(b"".join(headers))
    if len(rows) != len(headers):
        raise Tampered("headers are no JSON objects, one each")
    return _Heads(*zip(*map(msgspec.structs.astuple, rows), strict=True))


def _by_model(first: int, heads: _Heads, payloads: Payloads) -> dict[str, tuple[Columns, Payloads]]:
    """The events among some entries by model: the columns of their headers, and their payloads."""
    if None not in heads.ts and _is_one(heads.model_id):
        return {heads.model_id[0]: (_head_columns(np.arange(first, first + len(heads.ts)), heads), payloads)}
    places: dict[str, list[int]] = {}
    for place, (model, ts) in enumerate(zip(heads.model_id, heads.ts, strict=True)):
        if ts is not None:
            places.setdefault(model, []).append(place)
    return {
        model: (_head_columns(np.array(chosen) + first, heads.at_places(chosen)), payloads.at(chosen))
        for model, chosen in places.items()
    }


def _head_columns(seqs: NDArray[np.int64], heads: _Heads) -> Columns:
    columns = {name: _column(getattr(heads, name), kind) for name, kind in _HEAD_COLUMNS.items()}
    return {"seq": pa.array(seqs, pa.int64()), **columns}


def _column(values: Sequence[str | None], kind: pa.DataType) -> pa.Array:
    some = pa.array(values[:1] if _is_one(values) else values, pa.string()).cast(kind)
    return some if len(some) == len(values) else pa.repeat(some[0], len(values))


def _is_one(values: Sequence[str | None]) -> bool:
    """Whether all are the same, as models, versions and times of acceptance mostly are."""
    return values.count(values[0]) == len(values)


def _joined(parts: Sequence[Mapping[str, pa.Array]]) -> Columns:
    """Columns one below the other.

    Raises:
        pa.ArrowInvalid: a column is of several kinds.
    """
    found = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        arrays = [part[name] if name in part else pa.nulls(len(part["seq"])) for part in parts]
        kinds = {each.type for each in arrays} - {pa.null()}
        if len(kinds) > 1:
            raise pa.ArrowInvalid("a column of several kinds")
        kind = kinds.pop() if kinds else pa.null()
        found[name] = pa.chunked_array([each if each.type == kind else each.cast(kind) for each in arrays], kind)
    return found
