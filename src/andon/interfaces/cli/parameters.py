"""Options and texts that several commands share."""

from typing import Annotated, Final

import typer

EXAMPLE: Final = "\b\nExample:\n  {}"  # the mark keeps the lines as they are
LOGS: Final = (
    "Parquet, CSV or JSON lines: files, globs, folders, s3://…; one table: duckdb:///…, postgresql://…; "
    "or ledger:, what was recorded."
)

IsJson = Annotated[bool, typer.Option("--json", help="Said for scripts: it prints JSON anyway.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Html = Annotated[
    str | None, typer.Option("--html", metavar="FILE", help="Write a page to show a colleague: one file, no network.")
]
Data = Annotated[
    str | None, typer.Option("--data", metavar="DIR", help="The data folder (also: ANDON_HOME; ~/.local/share/andon).")
]
Log = Annotated[str, typer.Option("--log", metavar="NAME", help="The log, where several servers write: w-main, w-2 …")]
FIRST_LOG: Final = "w-main"
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only; the exit code tells.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="Print without colour (also: NO_COLOR=1).")]
