"""Where a command's words go: text on stdout, warnings and progress on stderr, JSON whole or not at all."""

import json
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from typing_extensions import override

from andon.base.errors import BadInput
from andon.interfaces.cli.words import HELD

_SHOWN_NAME = 100


class _Patient(Console):
    """A console whose reader may go away: that ends the output, never the command or its exit code."""

    @override
    def on_broken_pipe(self) -> None:
        self.quiet = True


def console(*, no_color: bool, stderr: bool = False) -> Console:
    """A console on stdout (or stderr) that is as wide as the terminal; without colour where that is asked or no tty."""
    return _Patient(stderr=stderr, no_color=True if no_color else None, highlight=False, soft_wrap=False)


def print_on(target: Console, draw: Callable[[Console], None]) -> None:
    """Draw a page and print it in one go; a reader that has gone away (`| head`) is no error."""
    try:
        with target.capture() as page:
            draw(target)
    except OSError as error:
        raise _unwritable(error) from None
    lines = page.get().replace(HELD, " ").splitlines()
    emit("".join(f"{line.rstrip(' ')}\n" for line in lines))


def emit(text: str) -> None:
    """Write text to stdout at once; a closed pipe is quiet, a letter that the terminal lacks becomes `?`."""
    if sys.stdout is None:  # started with its output closed
        return
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
    except OSError as error:
        _discard_stdout()
        raise _unwritable(error) from None


def _unwritable(error: OSError) -> BadInput:
    return BadInput(f"cannot write the result to the output: {error.strerror}; send it to another place")


def _discard_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def emit_json(document: Any) -> None:
    """Print one JSON document and nothing else."""
    emit(to_json(document))


def to_json(document: Any) -> str:
    """The document as text: keys in its own order, two spaces, no NaN."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_json_line(document: Any) -> str:
    """The document on one line."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n"


def same_place(path: str, other: str) -> bool:
    """Whether two names stand for one file, there or not."""
    return Path(path).resolve() == Path(other).resolve()


def require_place(path: str, inputs: Iterable[str], option: str = "--json") -> None:
    """Refuse, before the work is done, a place that cannot be written to or that is one of the inputs."""
    if not path:
        raise BadInput(f"{option} names no file, its name is empty: name a file to write to")
    folder = Path(path).parent
    if _is_folder(path):
        raise BadInput(f"cannot write {path}: it is a folder; name a file in it")
    if inputs and Path(path).exists():
        _require_no_input(path, inputs, option)
    if not folder.is_dir():
        raise BadInput(f"cannot write {path}: there is no folder {folder}; make it, or name another file")
    if not os.access(folder, os.W_OK):
        raise BadInput(f"cannot write {path}: you may not write to {folder}; name another file")


def _require_no_input(path: str, inputs: Iterable[str], option: str) -> None:
    from andon.bootstrap.inputs import files_named  # noqa: PLC0415  # DuckDB takes its time, and few commands read logs

    for file in (each for source in inputs for each in files_named(source)):
        if Path(file).exists() and Path(path).samefile(file):
            raise BadInput(f"{option} {path} would overwrite {file}, which the scan reads: name another file")


def require_file(path: str, option: str) -> None:
    """Refuse a device or a pipe as the place of what is moved there when it is whole: it would take its place."""
    if not _is_folder(path) and Path(path).exists() and not Path(path).is_file():
        raise BadInput(f"{option} {path} is a device or a pipe, which takes no such file: name a file")


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(Path(path).stat().st_mode)
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        shown = path if len(path) <= _SHOWN_NAME else f"{path[:_SHOWN_NAME]}…"
        reason = getattr(error, "strerror", None) or "it is no name of a file"
        raise BadInput(f"cannot write {shown}: {reason}; name another file") from None


def write_json(document: Any, path: str) -> None:
    """Write a JSON file whole or not at all."""
    write(to_json(document), path)


def write(text: str, path: str) -> None:
    """Write a file whole or not at all: beside its place first, then moved there."""
    target = Path(path)
    try:
        if target.exists() and not target.is_file():  # a device or a pipe is written to, never replaced
            target.write_text(text, encoding="utf-8")
        else:
            _replace(target.resolve(), text)
    except UnicodeError:
        raise BadInput(f"cannot write {path}: a text in it is no valid Unicode; mend `model_id` or the log") from None
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}; name a file in a folder you may write to") from None


def _replace(target: Path, text: str) -> None:
    scratch = target.with_name(f".andon.{secrets.token_hex(8)}")  # the longest name leaves no room for more
    try:
        with scratch.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(target)
    except (OSError, UnicodeError):
        scratch.unlink(missing_ok=True)
        raise
