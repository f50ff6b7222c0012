"""Which files a log is made of, and the SQL that reads them: Parquet, CSV and JSON lines."""

import csv
import gzip
import io
import json
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import duckdb

from andon.adapters.duckdb.codes import quoted_name
from andon.adapters.duckdb.objects import SCHEME, Storage
from andon.base import address
from andon.base.errors import BadInput
from andon.base.nearest import nearest


class Kind(StrEnum):
    """A kind of place that holds rows."""

    PARQUET = "Parquet"
    CSV = "CSV"
    JSON_LINES = "JSON lines"
    TABLE = "a table"

    @property
    def has_types(self) -> bool:
        """Whether its columns have types, rather than text that has to be read."""
        return self in (Kind.PARQUET, Kind.TABLE)


_SUFFIXES = {
    ".parquet": Kind.PARQUET,
    ".pq": Kind.PARQUET,
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
    ".jsonl": Kind.JSON_LINES,
    ".ndjson": Kind.JSON_LINES,
    ".json": Kind.JSON_LINES,
}
_KNOWN = "Parquet (.parquet), CSV (.csv, .tsv) or JSON lines (.jsonl, .ndjson), the last two also as .gz"
_PLACES = "files, s3://bucket/prefix, duckdb:///file.db?table=name or postgresql://host/database?table=name"
_DELIMITERS = (",", ";", "\t", "|")
_HEADER_BYTES_MAX = 1 << 20
_LINES_LOOKED_AT = 100
_LINE_BYTES_MAX = 16 << 20  # DuckDB holds sixteen such lines per reader


@dataclass(frozen=True, slots=True)
class LogFiles:
    """Files of one kind that together are one log.

    Attributes:
        kind: of all of them.
        paths: as the user wrote or would write them, sorted, each once.
        delimiter: of CSV files.
        headers: of CSV and Parquet files, the column names of each.
        storage: what opens them.
        by_folder: whether folders such as `day=5` are columns: not where the files hold a column of that name.
    """

    kind: Kind
    paths: tuple[str, ...]
    delimiter: str = ","
    headers: tuple[tuple[str, ...], ...] = ()
    storage: Storage = field(default_factory=Storage, compare=False)
    by_folder: bool = True

    @property
    def absolute(self) -> tuple[str, ...]:
        return tuple(_absolute(path) for path in self.paths)

    @property
    def size_bytes(self) -> int:
        return sum(self.storage.size(path) * (10 if path.endswith(".gz") else 1) for path in self.paths)

    @property
    def name(self) -> str:
        """What to call the log in a sentence."""
        return self.paths[0] if len(self.paths) == 1 else f"{self.paths[0]} and {len(self.paths) - 1} more files"

    @property
    def mend(self) -> str:
        return "mend the file or write it again"

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let the engine open the files; those on a disk it opens by itself."""
        if any(path.startswith(SCHEME) for path in self.paths):
            connection.register_filesystem(self.storage.s3)

    def require_no_nul(self) -> None:
        """Refuse text with a NUL byte: no program writes one into text, so something was torn or overwritten there.

        Raises:
            BadInput: a file holds one.
        """
        for path in self.paths:
            with _text(path, self.storage) as text:
                _require_no_nul(path, text)

    def lacking(self, connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """A warning for each column that some files have and others lack."""
        by_keys = self.kind is Kind.JSON_LINES and len(self.paths) > 1
        headers = [tuple(_first_keys([path], self.storage)) for path in self.paths] if by_keys else self.headers
        held = [{name.casefold() for name in header} for header in headers]
        for name in names:
            without = [path for path, has in zip(self.paths, held, strict=False) if has and name.casefold() not in has]
            if by_keys:  # it may come in later lines
                without = [path for path in without if not replace(self, paths=(path,)).holds(connection, name)]
            if without and any(name.casefold() in has for has in held):
                more = f" and {len(without) - 1:,} more files have" if len(without) > 1 else " has"
                text = f"{without[0]}{more} no column {name!r}, which other files have: it is null in their rows"
                yield "column_not_in_all_files", text

    def holds(self, connection: duckdb.DuckDBPyConnection, key: str) -> bool:
        """Whether a line of JSON has a value under this key."""
        rows = self.reader({key: "VARCHAR"})
        return bool(connection.execute(f"select count({quoted_name(key)}) > 0 from {rows}").fetchall()[0][0])

    def line_of(self, path: str, number: int) -> int:
        """Which line of a file is meant by one that the engine counted: it leaves empty lines out."""
        try:
            with _text(path, self.storage) as text:
                filled = (line for line, content in enumerate(text, start=1) if content.strip())
                return next(islice(filled, number - 1, None), number)
        except (OSError, EOFError, zlib.error):
            return number

    def shown(self, absolute: str) -> str:
        """The path as the user knows it."""
        return dict(zip(self.absolute, self.paths, strict=True)).get(absolute, absolute)

    def reader(
        self, types: Mapping[str, str] | None = None, *, with_file: bool = False, rare_keys: bool = False
    ) -> str:
        """SQL for all rows of the files; CSV comes as text, `types` fixes what JSON lines come as.

        Args:
            types: DuckDB types by column; without them the values of JSON lines decide.
            with_file: add a column `FILE` with the path of each row's file.
            rare_keys: take the keys of JSON lines for columns even if they are many and each is seldom there.
        """
        options = [f"filename = {quoted(FILE) if with_file else 'false'}"]
        if not self.by_folder:
            options.append("hive_partitioning = false")
        if self.kind is Kind.PARQUET:
            return _function("read_parquet", self.absolute, [*options, "union_by_name = true"])
        if self.kind is Kind.JSON_LINES:
            options += [
                "union_by_name = true",
                "format = 'newline_delimited'",
                "maximum_depth = 2",
                f"maximum_object_size = {_LINE_BYTES_MAX}",
            ]
            if rare_keys:
                options.append("map_inference_threshold = -1")
            options.append("sample_size = -1" if types is None else f"columns = {_struct(types)}")
            return _function("read_json", self.absolute, options)
        by_header: dict[tuple[str, ...], list[str]] = {}
        for header, path in zip(self.headers, self.absolute, strict=True):
            by_header.setdefault(header, []).append(path)
        parts = [
            "select * from " + _function("read_csv", paths, [*options, *self._csv_options(header)])
            for header, paths in by_header.items()
        ]
        return f"({' union all by name '.join(parts)})"

    def _csv_options(self, header: tuple[str, ...]) -> list[str]:
        # nothing is left to a guess: a guessed dialect may skip lines without a word
        dialect = [f"delim = {quoted(self.delimiter)}", "quote = '\"'", "escape = '\"'", "header = true", "skip = 0"]
        columns = f"columns = {_struct(dict.fromkeys(header, 'VARCHAR'))}"
        return [*dialect, "comment = ''", "auto_detect = false", columns, f"max_line_size = {_LINE_BYTES_MAX}"]


def _absolute(path: str) -> str:
    return path if path.startswith(SCHEME) else str(Path(path).resolve())


def _function(name: str, paths: Iterable[str], options: Iterable[str]) -> str:
    return f"{name}([{', '.join(quoted(path) for path in paths)}], {', '.join(options)})"


def quoted(text: str) -> str:
    """A string as SQL."""
    return "'" + text.replace("'", "''") + "'"


def _struct(types: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in types.items()) + "}"


FILE = "andon\x1ffile"
"""A column for the file that a row comes from; no column of a log has such a name."""
_GLOB_SIGNS = "*?["


def find_files(given: Sequence[str] | str, storage: Storage | None = None) -> LogFiles:
    """The files that paths, globs, folders and prefixes of object storage name.

    Raises:
        BadInput: nothing is there, kinds are mixed, or a file is visibly no data.
    """
    patterns = [given] if isinstance(given, str) else list(given)
    if not patterns:
        raise BadInput(f"no log was named: give a file, a glob or a folder of {_KNOWN}")
    storage = storage or Storage()
    found: dict[str, str] = {}
    for pattern in patterns:
        for path in paths_of(pattern, storage):
            found.setdefault(_absolute(path), path)
    for absolute, path in found.items():
        require_readable_name(absolute, path)
    paths = tuple(sorted(found.values()))
    kind = _one_kind(paths, storage)
    held = [_CHECKS[kind](path, storage) for path in paths]
    folders = {key for path in found for key in _keys_of_folders(path)}
    if kind is not Kind.CSV:
        by_folder = kind is not Kind.JSON_LINES or not folders or folders.isdisjoint(_first_keys(paths, storage))
        by_folder = by_folder and folders.isdisjoint(name.casefold() for names in held for name in names)
        return LogFiles(kind, paths, headers=tuple(map(tuple, held)), storage=storage, by_folder=by_folder)
    delimiter = _one_delimiter(paths, storage)
    headers = tuple(_header(path, delimiter, storage) for path in paths)
    by_folder = folders.isdisjoint(name.casefold() for names in headers for name in names)
    return LogFiles(kind, paths, delimiter, headers, storage, by_folder)


def _keys_of_folders(path: str) -> Iterator[str]:
    """The names that folders above a file give to columns: `day` of `day=5`."""
    parts = (part.partition("=") for part in Path(path).parts[:-1])
    return (key.casefold() for key, sign, _ in parts if sign and key)


def _first_keys(paths: Iterable[str], storage: Storage) -> Iterator[str]:
    """The keys of the first lines of JSON lines; none of a line that is not sound, which the engine says better."""
    for path in paths:
        with suppress(OSError, EOFError, zlib.error), _text(path, storage) as text:
            for line in islice(text, _LINES_LOOKED_AT):
                with suppress(ValueError, RecursionError):
                    found = json.loads(line)
                    yield from (key.casefold() for key in (found if isinstance(found, dict) else ()))


def require_readable_name(absolute: str, path: str) -> None:
    """Refuse a file of which the name, or that of a folder above it, is no text: the engine cannot be told of it."""
    try:
        absolute.encode()
    except UnicodeError:
        name = os.fsencode(absolute if path.isprintable() else path).decode(errors="backslashreplace")
        raise BadInput(f"the name of {name} is not UTF-8 text: rename it") from None


def paths_of(pattern: str, storage: Storage) -> list[str]:
    """The files that one path, glob, folder or prefix names.

    Raises:
        BadInput: nothing is there.
    """
    if not pattern:
        raise BadInput("the log's name is empty: name a file, a glob or a folder")
    if address.is_url(pattern):
        return _in_store(pattern, storage)
    try:
        return _named(Path(pattern), pattern)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "the pattern is malformed"
        raise BadInput(f"cannot look up {pattern[:200]}: {reason}; name a file, a glob or a folder") from None


def _in_store(url: str, storage: Storage) -> list[str]:
    if not url.startswith(SCHEME):
        raise BadInput(f"{address.shown(url)} is of a kind that Andon does not read: give {_PLACES}")
    found = storage.list(url)
    paths = [path for path in found if path == url or _is_data(path.removeprefix(url.rstrip("/")))]
    if not paths:
        raise BadInput(f"{url} holds no data files: check the bucket and the prefix, which must hold {_KNOWN} objects")
    return paths


def _named(path: Path, pattern: str) -> list[str]:
    if path.is_dir():
        return _in_folder(path)
    signs = [sign for sign in _GLOB_SIGNS if sign in pattern]
    if path.exists():
        if signs:
            raise BadInput(f"the name of {pattern} holds {signs[0]}, which stands for many files: rename it")
        if not path.is_file() or _is_shown_by_the_kernel(path):
            raise BadInput(f"{pattern} is no file but a device or a pipe: write its content to a file first")
        return [pattern]
    if path.is_symlink():
        raise BadInput(f"{pattern} is a link that leads to no file: mend the link, or name the file itself")
    if not signs:
        raise BadInput(f"there is no file {pattern}: {_meant(path)}")
    root = Path(path.anchor)
    names = sorted(str(found) for found in root.glob(str(path.relative_to(path.anchor))) if found.is_file())
    if not names:
        raise BadInput(f"no file matches {pattern}: check the pattern")
    return names


def _is_shown_by_the_kernel(path: Path) -> bool:
    """Whether it lies in /proc or /sys: what stands there as files has no size, and some of it no end."""
    return path.stat().st_dev in {root.stat().st_dev for root in map(Path, ("/proc", "/sys")) if root.is_mount()}


def _meant(path: Path) -> str:
    try:
        siblings = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"its folder {path.parent} is not there or cannot be read; check the path"
    near = nearest(path.name, siblings)
    return f"did you mean {path.parent / near}?" if near else "check the path"


def _in_folder(folder: Path) -> list[str]:
    paths = [
        str(path) for path in sorted(folder.rglob("*")) if path.is_file() and _is_data(str(path.relative_to(folder)))
    ]
    if not paths:
        raise BadInput(f"the folder {folder} holds no data files: put {_KNOWN} files into it, or name another folder")
    return paths


def _is_data(below: str) -> bool:
    hidden = any(part.startswith((".", "_")) for part in Path(below).parts)  # as Spark and Hive mark it
    return not hidden and _kind_by_name(Path(below)) is not None


def _kind_by_name(path: Path) -> Kind | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
        kind = _SUFFIXES.get(suffixes[-1]) if suffixes else None
        return None if kind is Kind.PARQUET else kind
    return _SUFFIXES.get(suffixes[-1]) if suffixes else None


def _one_kind(paths: Iterable[str], storage: Storage) -> Kind:
    kinds: dict[Kind, str] = {}
    for path in paths:
        kinds.setdefault(_kind_by_name(Path(path)) or _kind_by_content(path, storage), path)
    if len(kinds) > 1:
        (one, first), (other, second), *_ = kinds.items()
        raise BadInput(
            f"the log mixes {one} ({first}) and {other} ({second}): name files of one kind, for example with a glob"
        )
    return next(iter(kinds))


def _kind_by_content(path: str, storage: Storage) -> Kind:
    start = _head(path, 4, storage)
    if start == b"PAR1":
        return Kind.PARQUET
    if start.lstrip().startswith(b"{"):
        return Kind.JSON_LINES
    raise BadInput(f"{path} is no data file that Andon reads: give {_KNOWN}")


def _head(path: str, size: int, storage: Storage) -> bytes:
    try:
        with storage.open(path) as file:
            return file.read(size)
    except OSError as error:
        raise BadInput(
            f"cannot read {path}: {error.strerror or 'the store refuses it'}; check its permissions"
        ) from None


def _check_parquet(path: str, storage: Storage) -> list[str]:
    """The names of the columns."""
    start = _head(path, 4, storage)
    if not start:
        raise BadInput(f"{path} is empty (0 bytes): write it again, or name another file")
    if start != b"PAR1":
        raise BadInput(
            f"{path} is not Parquet, whatever its name says: convert it, or give it the ending of what it is"
        )
    with storage.open(path) as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - 4))
        end = file.read(4)
        if end != b"PAR1":
            raise BadInput(f"{path} is cut short (its Parquet footer is missing): copy or write it again")
        names = _parquet_names(file)
    _require_names(path, names)
    return names


def _parquet_names(file: BinaryIO) -> list[str]:
    """The columns that a Parquet footer names; none where it is unreadable, which the engine says better."""
    from pyarrow import ArrowException, parquet  # noqa: PLC0415  # only who reads Parquet waits for it

    try:
        return list(parquet.read_schema(file).names)
    except (ArrowException, OSError, UnicodeError):
        return []


def _require_names(path: str, names: Sequence[str]) -> None:
    """Refuse columns that the engine, for which capital letters do not count, could not tell apart."""
    twice = [name for name, count in Counter(name.casefold() for name in names).items() if count > 1]
    if twice:
        raise BadInput(f"{path} names the column {twice[0]!r} twice (capital letters do not count): rename one of them")


def _check_text(path: str, storage: Storage) -> list[str]:
    """No names: those of text are known when its delimiter is."""
    start = _head(path, 4, storage)
    if not start:
        raise BadInput(f"{path} is empty (0 bytes): write it again, or name another file")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BadInput(f"{path} is UTF-16 text: save it as UTF-8")
    is_gzip = start[:2] == b"\x1f\x8b"
    if path.endswith(".gz") != is_gzip:
        raise BadInput(f"{path} is {'' if is_gzip else 'not '}gzip, against its name: rename it or write it again")
    if start == b"PAR1":
        raise BadInput(f"{path} is Parquet, against its name: give it the ending .parquet")
    return []


_CHECKS = {Kind.PARQUET: _check_parquet, Kind.CSV: _check_text, Kind.JSON_LINES: _check_text}


def _one_delimiter(paths: Sequence[str], storage: Storage) -> str:
    found: dict[str, str] = {}
    for path in paths:
        found.setdefault(_delimiter(path, storage), path)
    if len(found) > 1:
        first, second, *_ = found.values()
        raise BadInput(f"{first} and {second} separate their columns differently: write all files with one delimiter")
    return next(iter(found))


def _delimiter(path: str, storage: Storage) -> str:
    """The delimiter that the header line uses most."""
    unquoted = "".join(_first_line(path, storage).split('"')[::2])
    return max(_DELIMITERS, key=unquoted.count)


def _header(path: str, delimiter: str, storage: Storage) -> tuple[str, ...]:
    try:
        names = next(csv.reader([_first_line(path, storage)], delimiter=delimiter), [])
    except csv.Error as error:
        reason = f"{error}; end its lines with a line feed"
        if "new-line character" in str(error):
            reason = "its lines end in a carriage return alone; end its lines with a line feed"
        elif "field larger" in str(error):
            reason = f"a name in it is longer than {csv.field_size_limit():,} characters; shorten it"
        raise BadInput(f"cannot read the header of {path}: {reason}") from None
    if not any(name.strip() for name in names):
        raise BadInput(f"{path} begins with an empty line: its first line must name the columns")
    named = tuple(name or f"column{place}" for place, name in enumerate(names))
    _require_names(path, named)
    return named


@contextmanager
def _text(path: str, storage: Storage) -> Iterator[BinaryIO]:
    """The bytes of a text file, decompressed."""
    with storage.open(path) as file:
        if not path.endswith(".gz"):
            yield file
            return
        with gzip.open(file) as text:
            yield cast("BinaryIO", text)


def _require_no_nul(path: str, lines: Iterable[bytes]) -> None:
    for number, line in enumerate(lines, start=1):
        if b"\0" in line:
            raise BadInput(
                f"{path} holds a NUL byte in line {number:,}, which no text holds: mend the file or write it again"
            )


def _first_line(path: str, storage: Storage) -> str:
    try:
        with _text(path, storage) as text:
            raw = text.readline(_HEADER_BYTES_MAX)
        _require_no_nul(path, [raw])
        return raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not UTF-8 text: save it as UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        broken = "it is cut short" if isinstance(error, EOFError) else "its gzip is broken"
        reason = getattr(error, "strerror", None) or broken
        raise BadInput(f"cannot read {path}: {reason}; write it again") from None
