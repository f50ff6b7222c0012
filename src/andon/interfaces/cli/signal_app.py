"""`andon signal …`: the commands' words. Light: what a command needs is imported when it runs."""

# ruff: noqa: PLC0415

from typing import Annotated

import typer

from andon.interfaces.cli.parameters import EXAMPLE, AsJson, IsJson

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, epilog=EXAMPLE.format("andon signal list --unmapped"))

Matchers = Annotated[
    list[str], typer.Argument(metavar="LABEL=VALUE…", help="Labels that alerts must have; source=… works too.")
]


@app.command("list", epilog=EXAMPLE.format("andon signal list --state firing --model loans"))
def list_(  # a command's options are its arguments
    *,
    state: Annotated[str | None, typer.Option("--state", metavar="STATE", help="firing or resolved.")] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="ID", help="Of one model.")] = None,
    incident: Annotated[str | None, typer.Option("--incident", metavar="ID", help="Of one incident.")] = None,
    unmapped: Annotated[
        bool, typer.Option("--unmapped", help="Those of which nothing says the model, with the map to make.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1_000, help="So many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List alerts, the newest first: what fires, which incident it belongs to, what holds it back."""
    from andon.interfaces.cli import signal_command

    if unmapped:
        signal_command.list_unmapped(as_json=as_json)
        return
    wanted = {"state": state, "model": model, "incident": incident, "limit": limit}
    signal_command.list_alerts(wanted, as_json=as_json)


@app.command("send", epilog=EXAMPLE.format("andon signal send --as alertmanager webhook.json"))
def send(
    file: Annotated[str, typer.Argument(metavar="FILE", help="What a monitor would send; - is standard input.")],
    *,
    kind: Annotated[
        str,
        typer.Option(
            "--as", metavar="FORMAT", help="alertmanager, pagerduty, cloudevents, scan, or the source of a mapping."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Send a signal as a monitor would, to try a format or to bring in what was missed."""
    from andon.interfaces.cli import signal_command

    signal_command.send(file, kind, as_json=as_json)


@app.command("try", epilog=EXAMPLE.format("andon signal try --mapping mine.yaml sample.json"))
def try_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A body as its source sends it; - is standard input.")],
    *,
    mapping: Annotated[str, typer.Option("--mapping", metavar="FILE", help="The mapping file to try.")],
    as_json: IsJson = True,
) -> None:
    """Show (JSON) which alerts a mapping file makes of a body; nothing is sent."""
    from andon.interfaces.cli import signal_command

    del as_json
    signal_command.try_mapping(file, mapping)


@app.command("report", epilog=EXAMPLE.format("andon signal report 'The bot names other customers' --by user"))
def report(  # noqa: PLR0913  # a command's options are its arguments
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What happened, in words; - reads standard input.")],
    *,
    by: Annotated[
        str, typer.Option("--by", metavar="WHO", help="user, staff, regulator, journalist, partner or researcher.")
    ],
    model: Annotated[str | None, typer.Option("--model", metavar="ID", help="The model, if it is known.")] = None,
    kind: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="The type, where the rules are wrong about it.")
    ] = None,
    seen: Annotated[str | None, typer.Option("--seen", metavar="TIME", help="When it was seen.")] = None,
    contact: Annotated[
        str | None, typer.Option("--contact", metavar="TEXT", help="How to answer whoever reports.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring in a report of a person or a third party: it is classified, and opens or joins an incident."""
    from andon.interfaces.cli import signal_command

    asked = {"text": text, "reporter": by, "model_id": model, "incident_type": kind, "contact": contact}
    signal_command.report(asked, seen, as_json=as_json)


@app.command("silence", epilog=EXAMPLE.format("andon signal silence alertname=Noisy --for 2h --reason 'known, #12'"))
def silence(
    matchers: Matchers,
    *,
    lasting: Annotated[str, typer.Option("--for", metavar="LENGTH", help="How long, such as 2h or 3d.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    as_json: AsJson = False,
) -> None:
    """Let alerts open nothing for a while. They are kept, and what outlasts the silence opens an incident."""
    from andon.interfaces.cli import signal_command

    signal_command.silence(tuple(matchers), lasting, reason, as_json=as_json)


@app.command("silences", epilog=EXAMPLE.format("andon signal silences"))
def silences(*, as_json: AsJson = False) -> None:
    """List the silences."""
    from andon.interfaces.cli import signal_command

    signal_command.list_silences(as_json=as_json)


@app.command("lift", epilog=EXAMPLE.format("andon signal lift sil_01J…"))
def lift(
    silence: Annotated[str, typer.Argument(metavar="SILENCE", help="Its id.")], *, as_json: AsJson = False
) -> None:
    """End a silence now."""
    from andon.interfaces.cli import signal_command

    signal_command.remove(f"/api/v1/silences/{silence}", f"{silence} is over", as_json=as_json)


@app.command("map", epilog=EXAMPLE.format("andon signal map job=loans-api --model loans --type model_drift"))
def map_(  # a command's options are its arguments
    matchers: Matchers,
    *,
    model: Annotated[str | None, typer.Option("--model", metavar="ID", help="The model they are about.")] = None,
    kind: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="The type of incident.")] = None,
    environment: Annotated[str | None, typer.Option("--environment", metavar="NAME", help="Where.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what alerts are about, where their labels do not. Those that wait for it go to their incident."""
    from andon.interfaces.cli import signal_command

    asked = {"model_id": model, "incident_type": kind, "environment": environment}
    signal_command.map_alerts(tuple(matchers), asked, as_json=as_json)


@app.command("maps", epilog=EXAMPLE.format("andon signal maps --json"))
def maps(*, as_json: AsJson = False) -> None:
    """List the maps, in the order in which they are tried."""
    from andon.interfaces.cli import signal_command

    signal_command.list_maps(as_json=as_json)


@app.command("unmap", epilog=EXAMPLE.format("andon signal unmap map_01J…"))
def unmap(name: Annotated[str, typer.Argument(metavar="MAP", help="Its id.")], *, as_json: AsJson = False) -> None:
    """Take a map away; what it mapped stays where it is."""
    from andon.interfaces.cli import signal_command

    signal_command.remove(f"/api/v1/maps/{name}", f"{name} maps nothing any more", as_json=as_json)
