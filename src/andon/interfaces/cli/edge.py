"""The edge of the command line: every error becomes one line on stderr and an exit code."""

import platform
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Final, NoReturn

from andon.base.errors import AndonError, BadInput, NotFound, Refused, Tampered, Unavailable

EXIT_CODES: Final[dict[type[AndonError], int]] = {BadInput: 2, NotFound: 2, Refused: 3, Tampered: 1, Unavailable: 4}
INTERNAL: Final = 70
INTERRUPTED: Final = 130


class Interrupt:
    """Notes that a person pressed Ctrl-C, even where a library turns it into an error of its own."""

    pressed = False

    def __call__(self, *_: object) -> None:
        """Take the signal."""
        self.pressed = True
        raise KeyboardInterrupt


def leave(command: Callable[[], object]) -> NoReturn:
    """Run a command and exit: 2 bad input, 4 unreachable, 70 internal, 130 interrupted, else as the command says."""
    interrupt = Interrupt()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a job that ignores it goes on ignoring it
        signal.signal(signal.SIGINT, interrupt)
    try:
        command()
    except AndonError as error:
        _say(_one_line(str(error)))
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001  # the one edge: whatever broke, a person gets one line and a report
        if interrupt.pressed:
            sys.exit(INTERRUPTED)
        _say(_internal(error))
        sys.exit(INTERNAL)
    sys.exit(0)


def exit_code(error: AndonError) -> int:
    """The exit code that the contract gives an error."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), INTERNAL)


def _say(line: str) -> None:
    try:
        print(f"andon: {line}", file=sys.stderr)
    except OSError:
        return  # nobody reads stderr; the exit code still tells


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _internal(error: Exception) -> str:
    kind = type(error).__name__
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix="andon-report-", suffix=".txt", delete=False
        ) as file:
            file.write(report(error))
    except OSError:
        return f"internal error ({kind}), and no report could be written to {tempfile.gettempdir()}"
    return f"internal error ({kind}); send the report {file.name} to the project, it holds no data of yours"


def report(error: BaseException) -> str:
    """What broke, for the maintainers: versions, kinds of errors and lines of code; no message, value or argument."""
    lines = [f"python {platform.python_version()} on {platform.system()} {platform.machine()}"]
    lines += [f"{name} {version_of(name)}" for name in ("andon", "duckdb", "numpy", "pyarrow", "pydantic", "typer")]
    cause: BaseException | None = error
    while cause is not None:
        lines += ["", type(cause).__qualname__, *_frames(cause.__traceback__)]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n".join(lines) + "\n"


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


def version_of(package: str) -> str:
    """The installed version of a package."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  # asked for seldom, and slow to load

    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed as a package)"
