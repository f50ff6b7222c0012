"""Analysis tables: the events of one model and segment as columns to query, made from the evidence alone.

A number is a DOUBLE, a truth value a BOOLEAN, all else text, by what one segment holds: a type that changes is data and
no error. People (subject, reviewer, actor) stand as pseudonyms. Columns of inputs are named `inputs.NAME`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b, sha256
from operator import attrgetter
from typing import Any, Final
from urllib.parse import quote

import msgspec
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from andon.adapters.segments.segment import ROWS_PER_GROUP
from andon.ledger.entry import Entry

PEOPLE: Final = ("subject", "reviewer", "actor")
_TEXT: Final = ("prompt_version", "trace", "name", "action", "input_commitment", "output_commitment")
_NUMBERS: Final = ("score", "latency_ms", "decide_seconds")
_FREE: Final = ("prediction", "label", "decision", "status_code", "input", "output")
_NESTED: Final = ("inputs", "segments")
_FIXED: Final[dict[str, tuple[Any, pa.DataType]]] = {
    **{name: (str | None, pa.string()) for name in (*PEOPLE, *_TEXT)},
    **{name: (float | None, pa.float64()) for name in _NUMBERS},
    "override": (bool | None, pa.bool_()),
    "flags": (list[str] | None, pa.list_(pa.string())),
}
_TIME: Final = pa.timestamp("us", "UTC")
_NAME_MAX = 100
_CHUNK = 2_048
_ASKED = 100
_Value = float | str | bool | None
_KINDS: Final = {float: pa.float64(), bool: pa.bool_(), str: pa.string()}
_SIMPLE: Final = [{float}, {bool}, {str}]


class _Head(msgspec.Struct, frozen=True, gc=False):
    kind: str
    at: str | None = None
    id: str = ""
    ts: str | None = None
    model_id: str = ""
    model_version: str | None = None


_HEAD: Final = msgspec.json.Decoder(_Head)
_Row = tuple[int, _Head, bytes]


def tables_of(rows: Iterable[tuple[int, Entry]], key: bytes) -> dict[str, pa.Table]:
    """The tables of a segment, by model; `key` makes the pseudonyms."""
    models: dict[str, list[_Row]] = {}
    for seq, entry in rows:
        head = _HEAD.decode(entry.header)
        if head.ts is not None:
            models.setdefault(head.model_id, []).append((seq, head, entry.payload))
    return {model: _table(found, key) for model, found in sorted(models.items())}


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


def pseudonym(text: str, key: bytes) -> str:
    """Always the same for a person, and nobody without the key can say whose: keyed BLAKE2b (RFC 7693), 96 bits."""
    return blake2b(text.encode(), key=key, digest_size=12).hexdigest()


def _table(rows: Sequence[_Row], key: bytes) -> pa.Table:
    seqs, heads, payloads = zip(*rows, strict=True)
    columns = {
        "seq": pa.array(seqs, pa.int64()),
        "kind": pa.array([head.kind for head in heads], pa.string()),
        "id": pa.array([head.id for head in heads], pa.string()),
        "ts": pa.array([head.ts for head in heads], pa.string()).cast(_TIME),
        "at": pa.array([head.at for head in heads], pa.string()).cast(_TIME),
        "model_version": pa.array([head.model_version for head in heads], pa.string()),
    }
    found = columns_of(payloads)
    for name in PEOPLE:
        if name in found:
            known = [None if text is None else pseudonym(text, key) for text in found[name].to_pylist()]
            found[name] = pa.array(known, pa.string())
    return pa.table(columns | found)


def columns_of(payloads: Sequence[bytes]) -> dict[str, pa.Array]:
    """What events say besides their header, as columns; those that say nothing are left out."""
    try:
        found = dict(_by_struct(payloads))
    except (msgspec.MsgspecError, pa.ArrowException, OverflowError):  # one of them is not like the first
        found = dict(_by_hand(payloads))
    order = sorted(found, key=lambda name: (name.startswith(_NESTED) and "." in name, name))
    return {name: found[name] for name in order if found[name].null_count < len(payloads)}


def _by_struct(payloads: Sequence[bytes]) -> Iterator[tuple[str, pa.Array]]:
    """By a type that some events suggest and all others have to fit, which takes a quarter of the time."""
    some = [_event(payload) for payload in payloads[:: len(payloads) // _ASKED + 1]]
    tops = _types([{key: value for key, value in event.items() if key not in _NESTED} for event in some])
    tops = {name: _FIXED[name][0] if name in _FIXED else kind for name, kind in tops.items()}
    tops = {name: kind if name in (*_FIXED, *_FREE) else msgspec.Raw for name, kind in tops.items()}
    nested = {name: _types([event[name] for event in some if isinstance(event.get(name), dict)]) for name in _NESTED}
    structs = {name: _struct(types, {}) for name, types in nested.items()}
    event = _struct(tops, {name: kind | None for name, kind in structs.items()})
    arrays: dict[str, list[pa.Array]] = {}
    for at in range(0, len(payloads), _CHUNK):  # values become Arrow's at once, while the processor's caches hold them
        for name, values in _columns(event, tops, nested, structs, payloads[at : at + _CHUNK]).items():
            arrays.setdefault(name, []).append(_array(values, _FIXED[name][1] if name in _FIXED else None))
    for name, chunks in arrays.items():
        yield name, _whole(chunks)


def _types(some: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What each key holds, as far as some objects say."""
    kinds: dict[str, set[type]] = {}
    for each in some:
        for key, value in each.items():
            kinds.setdefault(key, set()).add(float if type(value) is int else type(value))
    known = {key: held - {type(None)} for key, held in kinds.items()}
    return {key: next(iter(held)) | None if held in _SIMPLE else _Value for key, held in known.items()}


def _struct(types: Mapping[str, Any], more: Mapping[str, Any]) -> Any:
    fields: list[Any] = [(f"a{i}", kind, None) for i, kind in enumerate(types.values())]
    fields += [(name, kind, None) for name, kind in more.items()]
    rename = {f"a{i}": name for i, name in enumerate(types)}
    return msgspec.defstruct("row", fields, rename=rename, gc=False, forbid_unknown_fields=True)


def _columns(
    event: Any,
    tops: Mapping[str, Any],
    nested: Mapping[str, Any],
    structs: Mapping[str, Any],
    payloads: Sequence[bytes],
) -> dict[str, Sequence[Any]]:
    """The values of each column; decoded one by one, since a payload may hold a line's end."""
    decode = msgspec.json.Decoder(event).decode
    events = [decode(payload) for payload in payloads]
    wanted = [i for i, kind in enumerate(tops.values()) if kind is not msgspec.Raw]
    found = dict(zip((list(tops)[i] for i in wanted), _turned(events, wanted), strict=True))
    for name, keys in nested.items():
        rows = [getattr(each, name) for each in events]
        if None in rows:
            rows = [structs[name]() if each is None else each for each in rows]
        found |= zip((f"{name}.{key}" for key in keys), _turned(rows, range(len(keys))), strict=True)
    return found


def _turned(rows: Sequence[Any], places: Sequence[int]) -> list[Sequence[Any]]:
    """Fields of structs as columns."""
    get = [f"a{i}" for i in places]
    if len(get) < 2:  # noqa: PLR2004  # attrgetter gives no tuple for one name
        return [[getattr(row, name) for row in rows] for name in get]
    return list(zip(*map(attrgetter(*get), rows), strict=True))


def _array(values: Sequence[Any], kind: pa.DataType | None) -> pa.Array:
    """Values of the kind, else of that of their own; those of several kinds raise."""
    if kind is None:
        kinds = set(map(type, values)) - {type(None)}
        if len(kinds) > 1:
            raise pa.ArrowInvalid("a column of several kinds")
        kind = _KINDS[kinds.pop()] if kinds else pa.null()
    return pa.array(values, kind)


def _whole(chunks: Sequence[pa.Array]) -> pa.Array:
    kinds = {chunk.type for chunk in chunks} - {pa.null()}
    if len(kinds) > 1:
        raise pa.ArrowInvalid("a column of several kinds")
    kind = kinds.pop() if kinds else pa.string()
    return pa.concat_arrays([chunk.cast(kind) if chunk.type == pa.null() else chunk for chunk in chunks])


def _by_hand(payloads: Sequence[bytes]) -> Iterator[tuple[str, pa.Array]]:
    """By the rules, a value at a time."""
    events = [_event(payload) for payload in payloads]
    for name, (_, kind) in _FIXED.items():
        yield name, pa.array([event.get(name) for event in events], kind)
    for name in _FREE:
        yield name, _typed([event.get(name) for event in events])
    for name in _NESTED:
        nested = [event.get(name) for event in events]
        children = [each if isinstance(each, dict) else {} for each in nested]
        for child in {key: None for each in children for key in each}:
            yield f"{name}.{child}", _typed([each.get(child) for each in children])


def _event(payload: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(payload)
    except orjson.JSONDecodeError:  # what one reader takes and another does not is no reason to stop
        return {}
    return found if isinstance(found, dict) else {}


def _typed(values: Sequence[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float}:
        if not kinds:
            return pa.nulls(len(values), pa.string())
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    texts = [value if value is None or isinstance(value, str) else orjson.dumps(value).decode() for value in values]
    return pa.array(texts, pa.string())
