"""What `andon record` reads lines of events from: files, which it reads twice, and standard input."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from andon.base.errors import BadInput
from andon.services.record import EVENT_BYTES_MAX

_PARQUET: Final = b"PAR1"
_GZIP: Final = b"\x1f\x8b"
_LINE_END: Final = 2


def require_event_files(paths: Sequence[str]) -> None:
    """Refuse what is no file of lines; what is not there or not to be opened is told by who reads it.

    A file is checked whole before it is recorded: a pipe would be empty by then.

    Raises:
        BadInput: one of them is a folder, a pipe, a device, or data of another kind.
    """
    for path in paths:
        if not path:
            raise BadInput("an empty text is no name of a file: name one of JSON lines")
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116  # a path of a pipe may end in a slash
        except OSError:
            continue
        if stat.S_ISDIR(mode):
            raise BadInput(f"{path} is a folder: name its files, such as {path.rstrip('/')}/*.jsonl")
        if not stat.S_ISREG(mode):
            raise BadInput(f"{path} is a pipe or a device, which is read but once: cat {path} | andon record -")
        _require_lines(path)


def _require_lines(path: str) -> None:
    try:
        with Path(path).open("rb") as file:
            first = file.read(4)
    except OSError:
        return
    if first == _PARQUET:
        raise BadInput(f"{path} is Parquet: name the model.yaml that maps its columns with --model")
    if first.startswith(_GZIP):
        raise BadInput(f"{path} is compressed: unpack it first, or zcat {path} | andon record -")


def lines_in(path: str) -> Iterator[bytes]:
    """The lines of a file, empty ones too; as `lines_of`.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            yield from _lines(file)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}; name a file of JSON lines") from None


def lines_of(stream: BinaryIO | None) -> Iterator[bytes]:
    """The lines of standard input; the first part of one that is too long is the last, since it is refused with it.

    Raises:
        BadInput: there is no standard input, or it fails.
    """
    if stream is None:
        raise BadInput("there is no standard input: pipe events into it, or name a file")
    try:
        yield from _lines(stream)
    except OSError as error:
        raise BadInput(
            f"cannot read standard input: {error.strerror}; what was told as recorded is on disk, the rest is not"
        ) from None


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    limit = EVENT_BYTES_MAX + _LINE_END
    while line := stream.readline(limit):
        is_cut = len(line) == limit and not line.endswith(b"\n") and not line.isspace()
        yield line.strip().ljust(limit, b"x") if is_cut else line  # too long, whatever is white space in it
        if is_cut:
            return
