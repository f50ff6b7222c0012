"""`andon model …` and `andon change …`: the commands' words. Light: what a command needs is imported when it runs."""

# ruff: noqa: PLC0415

from typing import Annotated

import typer

from andon.interfaces.cli.parameters import EXAMPLE, AsJson

model = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, epilog=EXAMPLE.format("andon model add loans --owner 'Credit risk'")
)
change = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=EXAMPLE.format("andon change post --model loans --kind deploy --version v3 'v3 goes live'"),
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The model's id.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="One of its versions.")]


@model.command("add", epilog=EXAMPLE.format("andon model add loans --owner 'Credit risk' --risk-class high"))
def add(  # a command's options are its arguments
    name: Id,
    *,
    owner: Annotated[str, typer.Option("--owner", metavar="NAME", help="Who answers for it.")],
    use: Annotated[str, typer.Option("--use", metavar="TEXT", help="What it decides, for whom.")] = "",
    risk_class: Annotated[
        str, typer.Option("--risk-class", metavar="CLASS", help="minimal, limited, high or unknown (judged as high).")
    ] = "unknown",
    version: Annotated[
        list[str] | None, typer.Option("--version", metavar="NAME", help="A version (repeatable).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Register a model; `andon apply` registers all fields of many from files."""
    from andon.interfaces.cli import model_command

    entry = {"id": name, "owner": owner, "use": use, "risk_class": risk_class}
    model_command.add({**entry, "versions": [{"version": each} for each in version or ()]}, as_json=as_json)


@model.command("list", epilog=EXAMPLE.format("andon model list --json"))
def list_(*, as_json: AsJson = False) -> None:
    """List the models, those too that only incidents or changes name."""
    from andon.interfaces.cli import model_command

    model_command.list_models(as_json=as_json)


@model.command("show", epilog=EXAMPLE.format("andon model show loans"))
def show(name: Id, *, as_json: AsJson = False) -> None:
    """Show a model: its entry, its known-good versions, its incidents."""
    from andon.interfaces.cli import model_command

    model_command.show(name, as_json=as_json)


@model.command("tag", epilog=EXAMPLE.format("andon model tag loans v2 --evidence 'eval 118: AUC 0.81 on 2026-Q1'"))
def tag(
    name: Id,
    version: Version,
    *,
    evidence: Annotated[
        str, typer.Option("--evidence", metavar="TEXT", help="Which evaluation, on which data, with which result.")
    ],
    as_json: AsJson = False,
) -> None:
    """Give a version the tag known-good. It has to be earned: a validated model, evidence, no open incident of it.

    Exit code: 0 tagged, 3 it has not earned it.
    """
    from andon.interfaces.cli import model_command

    model_command.tag(name, version, evidence, as_json=as_json)


@model.command("untag", epilog=EXAMPLE.format("andon model untag loans v2 --reason 'worse for older applicants'"))
def untag(
    name: Id,
    version: Version,
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is no longer known to be good.")],
    as_json: AsJson = False,
) -> None:
    """Take the tag known-good from a version."""
    from andon.interfaces.cli import model_command

    model_command.untag(name, version, reason, as_json=as_json)


@change.command(
    "post", epilog=EXAMPLE.format("andon change post --model loans --kind prompt 'shorter system prompt, PR 41'")
)
def post(  # noqa: PLR0913  # a command's options are its arguments
    what: Annotated[str, typer.Argument(metavar="WHAT", help="What was changed, in one line.")],
    *,
    name: Annotated[str, typer.Option("--model", metavar="ID", help="The model it is around.")],
    kind: Annotated[
        str,
        typer.Option(
            "--kind", metavar="KIND", help="deploy, retrain, prompt, configuration, pipeline, vendor_notice or other."
        ),
    ],
    version: Annotated[
        str | None, typer.Option("--version", metavar="NAME", help="The version that goes live.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="When; else now.")] = None,
    environment: Annotated[str, typer.Option("--environment", metavar="NAME", help="Where.")] = "production",
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="The pull request or the notice.")] = None,
    as_json: AsJson = False,
) -> None:
    """Note a change around a model, so that a failure that begins then finds its cause."""
    from andon.interfaces.cli import model_command

    asked = {"model_id": name, "kind": kind, "what": what, "version": version, "environment": environment, "url": url}
    model_command.post_change(asked, at, as_json=as_json)


@change.command("list", epilog=EXAMPLE.format("andon change list --model loans"))
def list_changes(
    *,
    name: Annotated[str | None, typer.Option("--model", metavar="ID", help="Of one model.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1_000, help="So many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List changes, the newest first."""
    from andon.interfaces.cli import model_command

    model_command.list_changes(name, limit, as_json=as_json)
