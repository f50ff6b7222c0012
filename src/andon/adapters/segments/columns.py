"""What events say besides their header as columns: fast by a type that they share, else value by value."""

import json
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import nsmallest
from operator import attrgetter
from typing import Any, Final

import msgspec
import numpy as np
import orjson
import pyarrow as pa

from andon.ledger.group import Block, cut

Columns = dict[str, pa.Array]
NAMES_MAX: Final = 1_000
"""So many inputs and so many segments become columns, the first in the order of their names."""
PEOPLE: Final[tuple[str, ...]] = ("subject", "reviewer", "actor")
_OWN: Final[tuple[str, ...]] = (
    *PEOPLE,
    *("prompt_version", "trace", "name", "action", "input_commitment", "output_commitment"),
    *("score", "latency_ms", "decide_seconds", "override", "flags"),
    *("prediction", "label", "decision", "status_code", "input", "output"),
)
_NESTED: Final = ("inputs", "segments")
Pseudonyms = Callable[[Sequence[str]], list[bytes]]
"""Of some people, one each."""
PSEUDONYM_BYTES: Final = 12
_ASKED = 100
_KINDS: Final = {float: pa.float64(), bool: pa.bool_(), str: pa.string()}
_TEXTS: Final = pa.list_(pa.string())
_MISFITS: Final = (ValueError, OverflowError, RecursionError, msgspec.MsgspecError, pa.ArrowException)
_loads: Final = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Payloads:
    """The payloads of some events, one after the other, and their sizes."""

    block: Block
    sizes: Sequence[int]

    @classmethod
    def of(cls, payloads: Sequence[bytes]) -> "Payloads":
        """Some payloads."""
        return cls(b"".join(payloads), list(map(len, payloads)))

    def each(self) -> list[bytes]:
        """One by one."""
        return cut(bytes(self.block), self.sizes)

    def at(self, places: Sequence[int]) -> "Payloads":
        """Those at some places."""
        if len(places) == len(self.sizes):
            return self
        payloads = self.each()
        return Payloads.of([payloads[place] for place in places])


class Reader:
    """Reads the events of one model; the type that some of them suggest holds until others do not fit it."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._shape: _Shape | None = None

    def read(self, payloads: Payloads) -> Columns:
        """The columns of some events; those that say nothing are left out."""
        try:
            if self._shape is None:
                some = payloads.each()[:: len(payloads.sizes) // _ASKED + 1]
                self._shape = _shape_of([_event(payload) for payload in some])
            return _telling(self._shape.read(payloads, self._pseudonyms))
        except _MISFITS:
            self._shape = None
            return columns_by_hand(payloads.each(), self._pseudonyms)


def columns_by_hand(payloads: Sequence[bytes], pseudonyms: Pseudonyms) -> Columns:
    """The columns of some events by the rules, a value at a time."""
    events = [_event(payload) for payload in payloads]
    found = {name: _typed([event.get(name) for event in events]) for name in _OWN if name not in PEOPLE}
    found |= {name: _named([event.get(name) for event in events], pseudonyms) for name in PEOPLE}
    flags = [event.get("flags") for event in events]
    if _are_texts(flags):
        found["flags"] = pa.array(flags, _TEXTS)
    for name in _NESTED:
        nested = [event.get(name) for event in events]
        children = [each if isinstance(each, dict) else {} for each in nested]
        names = nsmallest(NAMES_MAX, {key for each in children for key in each})
        found |= {f"{name}.{key}": _typed([each.get(key) for each in children]) for key in names}
    return _telling(found)


def ordered(names: Iterable[str]) -> list[str]:
    """The columns that a table keeps, in its order: the event's own, then `inputs.NAME` and `segments.NAME`."""
    nested = {prefix: [name for name in names if name.startswith(f"{prefix}.")] for prefix in _NESTED}
    own = set(names).difference(*nested.values())
    return [*sorted(own), *(name for each in nested.values() for name in nsmallest(NAMES_MAX, each))]


def text_of(value: object) -> str | None:
    """A value as text: JSON, where it is none."""
    if value is None or isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # nested deeper, or a number longer, than it writes
        return _written(value)


def _written(value: object) -> str | None:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:  # the evidence has it; the table does without
        return None


@dataclass(frozen=True, slots=True)
class _Part:
    """A struct as columns: how its values are taken, its columns' names, and their kinds where all are of one."""

    take: Callable[[Any], tuple[Any, ...]]
    kinds: Mapping[str, pa.DataType | None]

    def read(self, rows: Iterable[Any], pseudonyms: Pseudonyms) -> Columns:
        columns = dict(zip(self.kinds, zip(*map(self.take, rows), strict=True), strict=True))
        found = {name: _named(columns.pop(name), pseudonyms) for name in PEOPLE if name in columns}
        for name, values in columns.items():
            kind = self.kinds[name]
            found[name] = _typed(values) if kind is None else _of_kind(values, kind)
        return found


@dataclass(frozen=True, slots=True)
class _Shape:
    """A type that some events fit: the parts that are columns, and the nested ones where they say nothing."""

    decode: Callable[[Block], list[Any]]
    own: _Part
    nested: Mapping[str, tuple[_Part, Any]]

    def read(self, payloads: Payloads, pseudonyms: Pseudonyms) -> Columns:
        """The columns of events; those that do not fit raise.

        All are read in one go, without a look at where each ends: an event is one JSON object, or it was not taken.
        """
        events = self.decode(payloads.block)
        if len(events) != len(payloads.sizes):
            raise ValueError("not one object each")
        found = self.own.read(events, pseudonyms) if self.own.kinds else {}
        for name, (part, empty) in self.nested.items():
            rows = list(map(attrgetter(name), events))
            some = [empty if row is None else row for row in rows] if None in rows else rows
            found |= part.read(some, pseudonyms)
        return found


def _shape_of(some: Sequence[Mapping[str, Any]]) -> _Shape:
    own = _types([{name: event[name] for name in _OWN if name in event} for event in some])
    if _are_texts([event.get("flags") for event in some]):
        own["flags"] = list[str] | None, _TEXTS
    fields = [(f"a{i}", own.get(name, (None, None))[0], None) for i, name in enumerate(_OWN)]
    rename, nested = {f"a{i}": name for i, name in enumerate(_OWN)}, {}
    for name in _NESTED:
        types = _types([event[name] for event in some if isinstance(event.get(name), dict)])
        if len(types) > NAMES_MAX:
            raise ValueError("too many names")
        struct = _struct([(f"a{i}", kind, None) for i, (kind, _) in enumerate(types.values())], types)
        fields.append((name, struct | None, None))
        part = _Part(msgspec.structs.astuple, {f"{name}.{key}": kind for key, (_, kind) in types.items()})
        if types:
            nested[name] = part, struct()
    decode = msgspec.json.Decoder(msgspec.defstruct("event", fields, rename=rename, gc=False)).decode_lines
    taken = {name: own[name][1] for name in _OWN if name in own}
    return _Shape(decode, _Part(_getter([f"a{_OWN.index(name)}" for name in taken]), taken), nested)


def _struct(fields: Sequence[tuple[str, Any, None]], names: Iterable[str]) -> Any:
    rename = {f"a{i}": name for i, name in enumerate(names)}
    return msgspec.defstruct("row", fields, rename=rename, gc=False, frozen=True, forbid_unknown_fields=True)


def _getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) == 1:  # attrgetter gives no tuple for one name
        return lambda row: (getattr(row, names[0]),)
    return attrgetter(*names) if names else lambda _: ()


def _types(some: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, pa.DataType | None]]:
    """What each key holds, as far as some objects say: a type to read it by and the kind of its column."""
    values: dict[str, list[Any]] = {}
    for each in some:
        for key, value in each.items():
            values.setdefault(key, []).append(value)
    return {key: _type(held) for key, held in values.items()}


def _type(values: Sequence[Any]) -> tuple[Any, pa.DataType | None]:
    kinds = {float if type(value) is int else type(value) for value in values} - {type(None)}
    if len(kinds) == 1 and (kind := next(iter(kinds))) in _KINDS:
        return kind | None, _KINDS[kind]
    return Any, None


def _are_texts(values: Sequence[Any]) -> bool:
    """Whether each that is there is a list of texts."""
    lists = [value for value in values if value is not None]
    return bool(lists) and all(type(each) is list and all(type(text) is str for text in each) for each in lists)


def _event(payload: bytes) -> Mapping[str, Any]:
    try:
        found = _loads(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # what one reader takes and another does not
        return {}
    return found if isinstance(found, dict) else {}


def _named(values: Sequence[Any], pseudonyms: Pseudonyms) -> pa.Array:
    """People by their pseudonyms."""
    texts = list(map(text_of, values))
    known = pseudonyms([text for text in texts if text is not None])
    if len(known) < len(texts):
        names = iter(known)
        return pa.array([None if text is None else next(names).hex() for text in texts], pa.string())
    ends = np.arange(0, 2 * PSEUDONYM_BYTES * len(known) + 1, 2 * PSEUDONYM_BYTES, dtype=np.int32)
    return pa.StringArray.from_buffers(len(known), pa.py_buffer(ends), pa.py_buffer(b"".join(known).hex().encode()))


def _of_kind(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Values of one kind or null; numbers of which none is null in a quarter of the time that Arrow takes."""
    if kind == _KINDS[float]:
        with suppress(struct.error):
            packed = struct.pack(f"{len(values)}d", *values)
            return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(packed)])
    return pa.array(values, kind)


def _typed(values: Sequence[Any]) -> pa.Array:
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return pa.nulls(len(values))
    if kinds <= {int, float}:
        with suppress(OverflowError):  # a number beyond all doubles stays text
            return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    return pa.array([text_of(value) for value in values], pa.string())


def _telling(columns: Mapping[str, pa.Array]) -> Columns:
    return {name: values for name, values in columns.items() if values.null_count < len(values)}
