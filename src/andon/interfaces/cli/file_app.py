"""`andon incident file …`: the commands' words."""

# ruff: noqa: PLC0415

from typing import Annotated, Final

import typer

from andon.interfaces.cli.parameters import EXAMPLE, AsJson

ADD: Final = "andon incident file add AI-INC-2026-0001 parts.json 'What the feed sent'"

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, epilog=EXAMPLE.format(ADD))

Id = Annotated[str, typer.Argument(metavar="ID", help="The incident, such as AI-INC-2026-0001.")]
Number = Annotated[int, typer.Argument(metavar="N", help="The file's number: andon incident show lists them.")]


@app.command("add", epilog=EXAMPLE.format(ADD))
def add(
    incident: Id,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file of yours; its content is sent.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What it is.")] = "",
    *,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="When it is from, if not now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a file: the server keeps its content, encrypted under a key of its own, and its SHA-256 on the timeline."""
    from andon.interfaces.cli import file_command, options

    when = None if at is None else options.time(at, "--at").isoformat()
    file_command.add(incident, file, text, when, as_json=as_json)


@app.command("get", epilog=EXAMPLE.format("andon incident file get AI-INC-2026-0001 1 --out parts.json"))
def get(
    incident: Id,
    number: Number,
    *,
    out: Annotated[str, typer.Option("--out", metavar="FILE", help="Where to write it; what is there is replaced.")],
    as_json: AsJson = False,
) -> None:
    """Fetch a file, checked against its SHA-256. Exit code: 2 where it was erased, 1 where it was changed."""
    from andon.interfaces.cli import file_command

    file_command.get(incident, number, out, as_json=as_json)


@app.command(
    "erase", epilog=EXAMPLE.format("andon incident file erase AI-INC-2026-0001 1 --reason 'It names a customer'")
)
def erase(
    incident: Id,
    number: Number,
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept.")],
    as_json: AsJson = False,
) -> None:
    """Destroy a file's content for good; its name, note and SHA-256 stay (roles compliance and admin)."""
    from andon.interfaces.cli import incident_command

    said = "the content of file {number} of {incident} is erased"
    incident_command.write(incident, f"files/{number}/erase", {"reason": reason}, said, as_json=as_json)
