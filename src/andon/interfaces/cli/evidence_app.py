"""`andon evidence …`: what its commands take."""

# ruff: noqa: PLC0415  # a command imports what it needs when it runs, so that --help need not

from typing import Annotated

import typer

from andon.interfaces.cli.parameters import EXAMPLE, FIRST_LOG, AsJson, Data, Log, Quiet

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, epilog=EXAMPLE.format("andon evidence seal --model m --reason INC-1")
)


@app.command("seal", epilog=EXAMPLE.format("andon evidence seal --model model.yaml --reason INC-2026-0001"))
def seal(  # noqa: PLR0913  # a command's options are its arguments
    *,
    model: Annotated[str, typer.Option("--model", metavar="ID", help="A model's id, or its model.yaml.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, such as the incident's id.")],
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="When it began; the hold reaches 48 h further back.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="End of the event times held.")] = None,
    scan: Annotated[
        str | None,
        typer.Option("--scan", metavar="FILE", help="Pin what scan --pin (or --json) wrote; it says when it began."),
    ] = None,
    artifact: Annotated[
        list[str] | None,
        typer.Option("--artifact", metavar="NAME=FILE", help="Pin a file too, such as prompt=prompt.txt (repeatable)."),
    ] = None,
    data: Data = None,
    log: Log = FIRST_LOG,
    as_json: AsJson = False,
) -> None:
    """Hold a model's decisions and sign a checkpoint over the log: at once, at any size."""
    from andon.interfaces.cli import evidence_command

    asked = evidence_command.Asked(model, reason, since, until, scan, tuple(artifact or ()))
    evidence_command.seal(asked, data=data, log=log, as_json=as_json)


@app.command("export", epilog=EXAMPLE.format("andon evidence export SEAL --out bundle.zip"))
def export(
    seal: Annotated[str, typer.Argument(metavar="SEAL", help="A seal's id; `last` is the latest.")],
    *,
    out: Annotated[str, typer.Option("--out", metavar="FILE", help="The zip to write.")],
    redact: Annotated[
        str | None,
        typer.Option(
            "--redact", metavar="WHAT", help="`payload` (or `inputs`, the same) is left out; commitments stay."
        ),
    ] = None,
    data: Data = None,
    log: Log = FIRST_LOG,
    as_json: AsJson = False,
) -> None:
    """Write the bundle of a seal: its entries, their proofs, custody, and verify.py to check them without Andon."""
    from andon.interfaces.cli import evidence_command

    evidence_command.export(seal, out, redact, data=data, log=log, as_json=as_json)


@app.command("verify", epilog=EXAMPLE.format("andon evidence verify log --against receipt.json"))
def verify(  # noqa: PLR0913  # as above
    what: Annotated[str, typer.Argument(metavar="WHAT", help="log, bundle, checkpoint or consistency.")],
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="The bundle or the checkpoint.")] = None,
    *,
    against: Annotated[
        str | None, typer.Option("--against", metavar="FILE", help="A receipt or checkpoint that you kept.")
    ] = None,
    vkey: Annotated[
        str | None, typer.Option("--vkey", metavar="KEY", help="The key you got by another way; it has to be this one.")
    ] = None,
    data: Data = None,
    log: Log = FIRST_LOG,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check evidence to the last byte. Exit code: 0 whole, 1 not; the line names the place."""
    from andon.interfaces.cli import evidence_verify as verification

    verification.run(verification.Asked(what, file, against, vkey, data, log), as_json=as_json, quiet=quiet)


@app.command("recompute", epilog=EXAMPLE.format("andon evidence recompute bundle.zip"))
def recompute(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A bundle, or what andon scan --pin wrote.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Compute each finding again from the summaries in a bundle, draw each chart again, and compare.

    Exit code: 0 all the same, 1 not.
    """
    from andon.interfaces.cli import pin_command

    pin_command.recompute(file, as_json=as_json)


@app.command("retain", epilog=EXAMPLE.format("andon evidence retain --days 400 --dry-run"))
def retain(
    *,
    days: Annotated[int, typer.Option("--days", metavar="N", help="Keep what was recorded in the last N days.")],
    data: Data = None,
    as_json: AsJson = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted.")] = False,
) -> None:
    """Delete the oldest segments, up to the first that a hold covers; their proofs stay.

    Exit code: 0 done, 3 fewer days than the law asks for.
    """
    from andon.interfaces.cli import evidence_command

    evidence_command.retain(days, data=data, as_json=as_json, dry_run=dry_run)


@app.command("prove", epilog=EXAMPLE.format("andon evidence prove p0033388"))
def prove(
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="An entry's number, or an event's id.")],
    *,
    data: Data = None,
    log: Log = FIRST_LOG,
) -> None:
    """Print the proof (JSON) that an entry is in the log, under a signed checkpoint."""
    from andon.interfaces.cli import evidence_command

    evidence_command.prove(entry, data=data, log=log)


@app.command("hold", epilog=EXAMPLE.format("andon evidence hold --json"))
def hold(*, data: Data = None, log: Log = FIRST_LOG, as_json: AsJson = False) -> None:
    """List what is held; `andon evidence seal` holds more."""
    from andon.interfaces.cli import evidence_command

    evidence_command.holds(data=data, log=log, as_json=as_json)


@app.command("release", epilog=EXAMPLE.format("andon evidence release SEAL --by ada --reason 'INC-1 is closed'"))
def release(
    seal: Annotated[str, typer.Argument(metavar="SEAL", help="A seal's id; `last` is the latest.")],
    *,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who asks; nothing checks the name yet.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    data: Data = None,
    log: Log = FIRST_LOG,
    as_json: AsJson = False,
) -> None:
    """Ask for the release of a hold. Two different people have to ask (ANDON_APPROVAL=one_person: one).

    Exit code: 0 released, 3 another person has to ask too.
    """
    from andon.interfaces.cli import evidence_command

    evidence_command.release(seal, by, reason, data=data, log=log, as_json=as_json)
