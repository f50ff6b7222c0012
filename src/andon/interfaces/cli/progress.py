"""Progress of a long scan on stderr; silent where nobody watches."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn

from andon.interfaces.cli.output import console
from andon.services import watch


@contextmanager
def shown(*, quiet: bool, no_color: bool) -> Iterator[watch.Progress | None]:
    """Yield who is to be told of the progress; None when stderr is no terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(24, complete_style="none", finished_style="none", pulse_style="dim"),
        TextColumn("{task.percentage:.0f}%"),
    )
    with Progress(*columns, console=console(no_color=no_color, stderr=True), transient=True) as display:
        task = display.add_task("reading", total=None)

        def report(phase: str, done: int, in_all: int) -> None:
            display.update(task, description=phase, completed=done, total=in_all or None)

        yield report
