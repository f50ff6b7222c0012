"""The command line `andon`. Only light modules are imported here: `andon --help` answers at once."""

# ruff: noqa: PLC0415  # a command imports what it needs when it runs, so that --help need not

import gc
from typing import Annotated, Final

import typer

from andon.interfaces.cli import edge, evidence_app, incident_app, model_app, signal_app
from andon.interfaces.cli.parameters import EXAMPLE, LOGS, AsJson, Data, Html, NoColor, Quiet

FOUND: Final = 1

app = typer.Typer(
    name="andon",
    help="Andon finds the silent failure in a model's decision log: what, since when, for whom, how many, why.",
    epilog=EXAMPLE.format("andon demo"),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
show = typer.Typer(no_args_is_help=True, rich_markup_mode=None, epilog=EXAMPLE.format("andon show detectors"))
app.add_typer(evidence_app.app, name="evidence", help="Seal, prove, verify and hand out what was recorded.")
token = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=EXAMPLE.format("andon token create --name 'scoring service' --role recorder"),
)
app.add_typer(signal_app.app, name="signal", help="Signals and alerts: list, send, silence, map.")
app.add_typer(model_app.model, name="model", help="The register of models.")
app.add_typer(model_app.change, name="change", help="The log of changes around models.")
app.add_typer(token, name="token", help="Make, list and take the tokens of a server.")
app.add_typer(show, name="show", help="Show what Andon knows: its detectors, the taxonomy, the severities.")

app.add_typer(incident_app.app, name="incident", help="Declare an incident and work on it, with a server.")


def _print_version(asked: bool) -> None:  # noqa: FBT001  # Typer calls it so
    if asked:
        typer.echo(f"andon {edge.version_of('andon')}")
        raise typer.Exit


@app.callback()
def andon(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Andon finds the silent failure in a model's decision log: what, since when, for whom, how many, why."""


@app.command(
    "scan",
    epilog=EXAMPLE.format(
        "\n  ".join(
            (
                "andon scan log.parquet --model model.yaml --reference reference.parquet --json scan.json",
                "andon scan log.parquet",
                "andon scan log.parquet --model model.yaml --reference reference.parquet --send",
                "andon scan log.parquet --model model.yaml --reference good.csv --labels outcomes.csv --on id",
                "andon scan 'duckdb:///warehouse.db?table=decisions' --model model.yaml --reference good.csv",
                "andon scan 'postgresql://me@db.local/ml?table=decisions' --model model.yaml --reference good.csv",
                "andon scan s3://bucket/decisions --model model.yaml --reference s3://bucket/good.parquet",
            )
        )
    ),
)
def scan(  # noqa: PLR0913  # a command's options are its arguments
    logs: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG",
            help=LOGS,
        ),
    ],
    *,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="FILE", help="The model.yaml that says what columns mean; else it is guessed."),
    ] = None,
    model_id: Annotated[
        str | None, typer.Option("--model-id", metavar="ID", help="Of a log of several models, the one to scan.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            metavar="LOG",
            help="Rows of a period known to be good; else the earliest stable part of the log.",
        ),
    ] = None,
    labels: Annotated[
        str | None, typer.Option("--labels", metavar="LOG", help="Labels that live elsewhere, with their ids.")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="COLUMN", help="The column that log and labels share (the id).")
    ] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the result as JSON; - prints it on stdout.")
    ] = None,
    html: Html = None,
    every: Annotated[
        str | None, typer.Option("--every", metavar="LENGTH", help="Time between evaluations, such as 6h or 30m.")
    ] = None,
    now: Annotated[
        str | None, typer.Option("--now", metavar="TIME", help="End of the replay (ISO 8601; UTC without a zone).")
    ] = None,
    pin: Annotated[
        str | None, typer.Option("--pin", metavar="FILE", help="Keep the summaries and charts too, for a seal.")
    ] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send what was found to ANDON_SERVER: it opens or joins an incident there.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse unknown keys in model.yaml.")] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Print errors only, and without --model what was guessed, on one line."),
    ] = False,
    no_color: NoColor = False,
) -> None:
    """Replay a decision log and report the silent failures in it.

    Exit code: 0 none found, 1 found, 2 bad input.
    """
    from andon.interfaces.cli import scan_command

    asked = scan_command.Asked(tuple(logs), model, reference, json, every, now, html, labels, on, model_id, pin, send)
    found = scan_command.run(asked, strict=strict, quiet=quiet, no_color=no_color)
    raise typer.Exit(FOUND if found else 0)


@app.command("init", epilog=EXAMPLE.format("andon init log.parquet -o model.yaml"))
def init(
    logs: Annotated[list[str], typer.Argument(metavar="LOG", help=LOGS.rpartition(";")[0] + ".")],
    *,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write (model.yaml); - prints it.")
    ] = None,
    as_json: AsJson = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Propose a model.yaml for a log, with reasons, and say what the log can never answer.

    Who is protected and which answer is good for a person is asked in it, never taken.
    """
    from andon.interfaces.cli import init_command

    init_command.run(tuple(logs), out, as_json=as_json, force=force)


@app.command("record", epilog=EXAMPLE.format("andon record log.parquet --model model.yaml"))
def record(  # noqa: PLR0913  # a command's options are its arguments
    logs: Annotated[
        list[str], typer.Argument(metavar="LOG", help="Events as JSON lines (- is standard input), or any log.")
    ],
    *,
    model: Annotated[
        str | None, typer.Option("--model", metavar="FILE", help="The model.yaml that maps the columns of a log.")
    ] = None,
    producer: Annotated[
        str | None,
        typer.Option("--producer", metavar="NAME", help="Whose events these are; what it sends again is known."),
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the events and record nothing.")] = False,
) -> None:
    """Keep decisions in the ledger: each is on disk before the next batch is read.

    Without --model a line is an event with id, ts, model_id and what the model saw and said (andon show events).
    """
    from andon.interfaces.cli import record_command

    record_command.run(
        record_command.Asked(tuple(logs), model, data, producer), as_json=as_json, quiet=quiet, dry_run=dry_run
    )


@app.command("serve", epilog=EXAMPLE.format("andon serve --data ./andon-data --listen 127.0.0.1:8600"))
def serve(
    *,
    data: Data = None,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where to answer; put TLS in front of other hosts.")
    ] = "127.0.0.1:8600",
    database: Annotated[
        str | None,
        typer.Option("--database", metavar="URL", help="postgresql://… (also: ANDON_DATABASE); else SQLite in DIR."),
    ] = None,
) -> None:
    """Serve: take events over HTTP, seal, prove and hand out. The first start prints the administrator's token."""
    gc.disable()  # what is loaded stays, so that to look through it is a tenth of the start; a ready server enables it
    from andon.interfaces.cli import serve_command

    serve_command.run(data, listen, database)


@app.command("ack", epilog=EXAMPLE.format("andon ack AI-INC-2026-0001"))
def ack(incident: incident_app.Id, *, as_json: AsJson = False) -> None:
    """Say that you are at work on an incident: its response clock stops."""
    from andon.interfaces.cli import incident_command

    incident_command.change(incident, "acknowledge", {}, as_json=as_json)


@app.command("watch", epilog=EXAMPLE.format("andon watch"))
def watch(
    *,
    once: Annotated[bool, typer.Option("--once", help="Show it once and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a line; with --once, one in all.")] = False,
    no_color: NoColor = False,
) -> None:
    """Watch the open incidents live, the most urgent first, and what happens to them; Ctrl-C ends it."""
    from andon.interfaces.cli import watch_command

    watch_command.run(once=once, as_json=as_json, no_color=no_color)


@app.command("search", epilog=EXAMPLE.format("andon search renamed column --json"))
def search(
    words: Annotated[
        list[str], typer.Argument(metavar="WORD", help="Every word has to be there, or one that begins so.")
    ],
    *,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="So many places at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Search incidents, timelines and alerts, within what you may see."""
    from andon.interfaces.cli import incident_show

    incident_show.search(" ".join(words), limit, as_json=as_json)


@app.command("apply", epilog=EXAMPLE.format("andon apply inventory/ --yes"))
def apply(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="YAML files, or folders of them; a model each.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Apply what is shown.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the register of models would change by files, and change it with --yes.

    Exit code: 0 done, or nothing to do; 3 something would change and --yes was not said.
    """
    from andon.interfaces.cli import model_command

    model_command.apply(tuple(paths), yes=yes, dry_run=dry_run, as_json=as_json)


connect = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, epilog=EXAMPLE.format("andon connect prometheus http://127.0.0.1:9090")
)
app.add_typer(connect, name="connect", help="Look at what is there already, and propose what to register and map.")


@connect.command("prometheus", epilog=EXAMPLE.format("andon connect prometheus http://127.0.0.1:9090"))
def connect_prometheus(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where Prometheus answers.")],
    *,
    out: Annotated[
        str | None, typer.Option("--out", metavar="FILE", help="Write the proposed models there, for `andon apply`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose models from the labels of a Prometheus, and maps for alert rules that name no model."""
    from andon.interfaces.cli import connect_command

    connect_command.prometheus(url, out, as_json=as_json)


@app.command("classify", epilog=EXAMPLE.format("andon classify 'The bot shows phone numbers of customers' --json"))
def classify(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A report in words; - reads standard input.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say which type of incident a report in words is about, which priority its facts call for, and by which rule."""
    from andon.interfaces.cli import classify_command

    classify_command.run(text, as_json=as_json)


@app.command("doctor", epilog=EXAMPLE.format("andon doctor --data ./andon-data"))
def doctor(*, data: Data = None, as_json: AsJson = False) -> None:
    """Check an installation and say what is missing or changed, and how to mend it.

    Exit code: 0 all is well, 1 something is not.
    """
    from andon.interfaces.cli import doctor_command

    raise typer.Exit(0 if doctor_command.run(data, as_json=as_json) else FOUND)


@token.command("create", epilog=EXAMPLE.format("andon token create --name 'scoring service' --role recorder"))
def token_create(  # noqa: PLR0913  # a command's options are its arguments
    *,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Who or what will hold it.")],
    role: Annotated[
        str | None,
        typer.Option("--role", metavar="ROLE", help="recorder, signaller, reporter, viewer, responder, admin, …"),
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="pagerduty makes a routing key of 32 letters.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", metavar="ID", help="Limit it to a model; may be repeated.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="WHEN", help="A length such as 90d, or a time.")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it on the last line, once. A running server knows it within a second."""
    from andon.interfaces.cli import token_command
    from andon.services.access import Grant

    grant = Grant(name, token_command.role(role, kind), tuple(model or ()), token_command.expiry(expires), kind)
    token_command.create(grant, data=data, as_json=as_json)


@token.command("list", epilog=EXAMPLE.format("andon token list --json"))
def token_list(*, data: Data = None, as_json: AsJson = False) -> None:
    """List the tokens, without their secrets."""
    from andon.interfaces.cli import token_command

    token_command.show(data=data, as_json=as_json)


@token.command("revoke", epilog=EXAMPLE.format("andon token revoke tok_01J…"))
def token_revoke(
    token_id: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id, from `andon token list`.")],
    *,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Take a token: it opens nothing any more."""
    from andon.interfaces.cli import token_command

    token_command.revoke(token_id, data=data, as_json=as_json)


@app.command("demo", epilog=EXAMPLE.format("andon demo"))
def demo(*, html: Html = None, no_color: NoColor = False) -> None:
    """Replay a real log with a failure that every dashboard missed.

    The data is bundled: it runs offline, ends by itself and takes less than a minute.
    """
    from andon.interfaces.cli import demo as story

    story.run(html=html, no_color=no_color)


@show.command("detectors", epilog=EXAMPLE.format("andon show detectors"))
def show_detectors(*, as_json: AsJson = False, no_color: NoColor = False) -> None:
    """List the detectors.

    What each looks for, what it is blind to, where its threshold comes from.
    """
    from andon.interfaces.cli import show as tables

    tables.detectors(as_json=as_json, no_color=no_color)


@show.command("taxonomy", epilog=EXAMPLE.format("andon show taxonomy --json"))
def show_taxonomy(*, as_json: AsJson = False, no_color: NoColor = False) -> None:
    """List the types of incident.

    What each means and what it does not, where to look first, how bad it is taken to be.
    """
    from andon.interfaces.cli import show as tables

    tables.taxonomy(as_json=as_json, no_color=no_color)


@show.command("playbook", epilog=EXAMPLE.format("andon show playbook data_pipeline_corruption"))
def show_playbook(
    incident_type: Annotated[str, typer.Argument(metavar="TYPE", help="andon show taxonomy lists the types.")],
    *,
    as_json: AsJson = False,
    no_color: NoColor = False,
) -> None:
    """Say what to do first in an incident of a type: the page that an alert's runbook_url opens."""
    from andon.interfaces.cli import show as tables

    tables.playbook(incident_type, as_json=as_json, no_color=no_color)


@show.command("severities", epilog=EXAMPLE.format("andon show severities"))
def show_severities(*, as_json: AsJson = False, no_color: NoColor = False) -> None:
    """List the priorities P0 to P3.

    The facts behind each, its names on other scales, the time to respond.
    """
    from andon.interfaces.cli import show as tables

    tables.severities(as_json=as_json, no_color=no_color)


@show.command("roles", epilog=EXAMPLE.format("andon show roles"))
def show_roles(*, as_json: AsJson = False, no_color: NoColor = False) -> None:
    """List the roles of an incident.

    For each piece of work: who answers for it, does it, is asked before, is told after (RACI).
    """
    from andon.interfaces.cli import show as tables

    tables.roles(as_json=as_json, no_color=no_color)


@show.command("events", epilog=EXAMPLE.format("andon show events"))
def show_events() -> None:
    """Print the JSON Schema of recorded events: predictions, outcomes, reviews, steps, actions."""
    from andon.interfaces.cli import show as tables

    tables.events()


@show.command("record", epilog=EXAMPLE.format("andon show record"))
def show_record() -> None:
    """Print the JSON Schema of incident records."""
    from andon.interfaces.cli import show as tables

    tables.record()


@show.command("rules", epilog=EXAMPLE.format("andon show rules --url https://andon.example.com"))
def show_rules(
    *,
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Where Andon answers; runbook_url points there.")
    ] = "http://127.0.0.1:8600",
    resource: Annotated[
        bool, typer.Option("--resource", help="As a PrometheusRule for the Prometheus operator, not as a rule file.")
    ] = False,
    faster: Annotated[
        int, typer.Option("--faster", metavar="N", help="Divide for and interval, to try the rules in seconds.")
    ] = 1,
) -> None:
    """Print the alert rules for Prometheus (YAML), at least one per type of incident."""
    from andon.interfaces.cli import show as tables

    tables.rules(url, faster=faster, as_resource=resource)


def main() -> None:
    """Run the command line and leave with the exit code of the contract."""
    edge.leave(lambda: app(prog_name="andon"))
