"""`andon incident …`: the commands' words. Light: what a command needs is imported when it runs."""

# ruff: noqa: PLC0415

from typing import Annotated, Final

import typer

EXAMPLE: Final = "\b\nExample:\n  {}"  # the mark keeps the lines as they are
DECLARE: Final = (
    "andon incident declare --model loans --type harmful_output --title 'The assistant names other customers'"
)

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, epilog=EXAMPLE.format(DECLARE))

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@app.command("declare", epilog=EXAMPLE.format(DECLARE))
def declare(  # noqa: PLR0913  # a command's options are its arguments
    *,
    model: Annotated[str, typer.Option("--model", metavar="ID", help="The model's id.")],
    kind: Annotated[str, typer.Option("--type", metavar="TYPE", help="Its type: andon show taxonomy lists them.")],
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What is wrong, in one line.")],
    priority: Annotated[
        str | None, typer.Option("--priority", metavar="P", help="P0 to P3; else the facts propose it.")
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option("--fact", metavar="NAME=VALUE", help="What is known, such as people=1200 (repeatable)."),
    ] = None,
    started: Annotated[
        str | None, typer.Option("--started", metavar="TIME", help="When the failure began, as far as is known.")
    ] = None,
    environment: Annotated[str, typer.Option("--environment", metavar="NAME", help="Where.")] = "production",
    version: Annotated[
        str | None, typer.Option("--version", metavar="NAME", help="The model's version that answered.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Declare an incident: it gets its number, its priority from the facts, and its clocks start."""
    from andon.interfaces.cli import incident_command

    asked = incident_command.Asked(model, kind, title, priority, tuple(fact or ()), started, environment, version)
    incident_command.declare(asked, as_json=as_json)
