"""`andon incident …`: the commands' words. Light: what a command needs is imported when it runs."""

# ruff: noqa: PLC0415

from typing import Annotated, Final

import typer

from andon.interfaces.cli import file_app
from andon.interfaces.cli.parameters import EXAMPLE, AsJson, IsJson

DECLARE: Final = (
    "andon incident declare --model loans --type harmful_output --title 'The assistant names other customers'"
)

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, epilog=EXAMPLE.format(DECLARE))
app.add_typer(file_app.app, name="file", help="Files of an incident: add, get, erase.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The incident, such as AI-INC-2026-0001.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept.")]
To = Annotated[str, typer.Option("--to", metavar="NAME", help="Who: a name of `andon token list`, or a token's id.")]
ROLES: Final = "commander, technical_lead, data_engineer, communications or compliance."


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


@app.command("list", epilog=EXAMPLE.format("andon incident list --status open --priority P0"))
def list_incidents(  # a command's options are its arguments
    *,
    status: Annotated[
        str | None, typer.Option("--status", metavar="S", help="open, declared, contained, resolved, closed, merged.")
    ] = None,
    priority: Annotated[str | None, typer.Option("--priority", metavar="P", help="P0 to P3.")] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="ID", help="Of one model.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="So many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List incidents, the newest first."""
    from andon.interfaces.cli import incident_command

    incident_command.list_incidents(
        {"status": status, "priority": priority, "model": model, "limit": limit}, as_json=as_json
    )


@app.command("show", epilog=EXAMPLE.format("andon incident show AI-INC-2026-0001"))
def show(incident: Id, *, as_json: AsJson = False) -> None:
    """Answer six questions: what is wrong, since when, how many, what may I do now, who is on it, which deadline."""
    from andon.interfaces.cli import incident_show

    incident_show.show(incident, as_json=as_json)


@app.command("timeline", epilog=EXAMPLE.format("andon incident timeline AI-INC-2026-0001 --json"))
def timeline(
    incident: Id,
    *,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="The last N lines.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Print what happened, in its order; it writes itself from the journal."""
    from andon.interfaces.cli import incident_show

    incident_show.timeline(incident, limit, as_json=as_json)


@app.command(
    "status",
    epilog=EXAMPLE.format("andon incident status AI-INC-2026-0001 contained --reason 'Rerouted to version 4'"),
)
def status(
    incident: Id,
    to: Annotated[str, typer.Argument(metavar="STATUS", help="contained, resolved or closed.")],
    *,
    reason: Reason,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="When it came true, if not now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Note that an incident is contained, resolved or closed. Exit code: 3 where the move is not allowed."""
    from andon.interfaces.cli import incident_command, options

    when = None if at is None else options.time(at, "--at").isoformat()
    incident_command.change(incident, "status", {"status": to, "reason": reason, "at": when}, as_json=as_json)


@app.command(
    "priority", epilog=EXAMPLE.format("andon incident priority AI-INC-2026-0001 P1 --reason 'It hits one region only'")
)
def priority(
    incident: Id,
    level: Annotated[str, typer.Argument(metavar="P", help="P0, P1, P2 or P3.")],
    *,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Escalate or de-escalate; who, when and why are kept."""
    from andon.interfaces.cli import incident_command

    incident_command.change(incident, "priority", {"priority": level.upper(), "reason": reason}, as_json=as_json)


@app.command(
    "fact", epilog=EXAMPLE.format("andon incident fact AI-INC-2026-0001 people=1200 --reason 'Counted in the ledger'")
)
def fact(
    incident: Id,
    facts: Annotated[list[str], typer.Argument(metavar="NAME=VALUE", help="Such as people=1200, physical_harm=no.")],
    *,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Say what became known of the harm: the priority is proposed anew, and rises by itself; a person lowers it."""
    from andon.interfaces.cli import incident_command

    body = {"facts": incident_command.facts_of(tuple(facts)), "reason": reason}
    incident_command.change(incident, "facts", body, as_json=as_json)


@app.command(
    "merge", epilog=EXAMPLE.format("andon incident merge AI-INC-2026-0002 AI-INC-2026-0001 --reason 'The same feed'")
)
def merge(
    incident: Id,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The open incident that takes it in.")],
    *,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Let an open incident go up in another open one, which takes its alerts from then on; `unmerge` undoes it."""
    from andon.interfaces.cli import incident_command

    incident_command.change(incident, "merge", {"into": into, "reason": reason}, as_json=as_json)


@app.command("unmerge", epilog=EXAMPLE.format("andon incident unmerge AI-INC-2026-0002 --reason 'Two feeds after all'"))
def unmerge(incident: Id, *, reason: Reason, as_json: AsJson = False) -> None:
    """Undo a merge: the incident stands where it stood, with its alerts, also those that came since."""
    from andon.interfaces.cli import incident_command

    incident_command.change(incident, "unmerge", {"reason": reason}, as_json=as_json)


@app.command(
    "link",
    epilog=EXAMPLE.format("andon incident link AI-INC-2026-0002 AI-INC-2026-0001 --reason 'The same vendor'"),
)
def link(
    incident: Id,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The other incident.")],
    *,
    relation: Annotated[
        str, typer.Option("--relation", metavar="R", help="related, same_cause or duplicate.")
    ] = "related",
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Say that two incidents have to do with each other."""
    from andon.interfaces.cli import incident_command

    body = {"other": other, "relation": relation, "reason": reason}
    incident_command.change(incident, "links", body, as_json=as_json)


@app.command("reopen", epilog=EXAMPLE.format("andon incident reopen AI-INC-2026-0001 --reason 'The nulls are back'"))
def reopen(incident: Id, *, reason: Reason, as_json: AsJson = False) -> None:
    """Set an incident back to declared; its clocks start anew."""
    from andon.interfaces.cli import incident_command

    incident_command.change(incident, "reopen", {"reason": reason}, as_json=as_json)


@app.command(
    "note", epilog=EXAMPLE.format("andon incident note AI-INC-2026-0001 'The feed moved at 04:00' --kind fact")
)
def note(  # a command's options are its arguments
    incident: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to write.")],
    *,
    kind: Annotated[str, typer.Option("--kind", metavar="K", help="note, fact, link or file.")] = "note",
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Of a link; of a file that stays with you, sha256:….")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="When it happened, if not now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write into the timeline; a fact stands apart from what is supposed. `file add` keeps a file."""
    from andon.interfaces.cli import incident_command, options

    when = None if at is None else options.time(at, "--at").isoformat()
    body = {"text": text, "kind": kind, "url": url, "at": when}
    incident_command.write(incident, "notes", body, "noted in {incident}", as_json=as_json)


@app.command("assign", epilog=EXAMPLE.format("andon incident assign AI-INC-2026-0001 commander --to administrator"))
def assign(
    incident: Id,
    role: Annotated[str, typer.Argument(metavar="ROLE", help=ROLES)],
    *,
    to: To,
    as_json: AsJson = False,
) -> None:
    """Give somebody a role on an incident; each role has one holder."""
    from andon.interfaces.cli import incident_command

    said = "{name} is {role} of {incident}"
    incident_command.write(incident, "roles", {"role": role, "to": to}, said, as_json=as_json)


@app.command("handover", epilog=EXAMPLE.format("andon incident handover AI-INC-2026-0001 commander --to ben"))
def handover(
    incident: Id,
    role: Annotated[str, typer.Argument(metavar="ROLE", help=ROLES)],
    *,
    to: To,
    words: Annotated[str, typer.Option("--words", metavar="TEXT", help="What to put on top of the brief.")] = "",
    as_json: AsJson = False,
) -> None:
    """Hand a role over, with a brief made of what is known."""
    from andon.interfaces.cli import incident_command

    said = "{name} is {role} of {incident} now; the brief:\n\n{brief}"
    incident_command.write(incident, "handovers", {"role": role, "to": to, "words": words}, said, as_json=as_json)


@app.command(
    "task",
    epilog=EXAMPLE.format(
        "andon incident task AI-INC-2026-0001 'Replay the evaluation set' --to administrator --due 2h --kind debug"
    ),
)
def task(  # a command's options are its arguments
    incident: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be done.")],
    *,
    to: To,
    due: Annotated[str, typer.Option("--due", metavar="WHEN", help="A length such as 2h, or a time.")],
    kind: Annotated[
        str, typer.Option("--kind", metavar="K", help="debug, coordinate, communicate, evidence or assess.")
    ] = "coordinate",
    as_json: AsJson = False,
) -> None:
    """Add a task with one owner and a due time.

    Exit code: 3 for debugging by the commander while another responder is on it.
    """
    from andon.interfaces.cli import incident_command

    incident_command.task(incident, {"text": text, "kind": kind, "to": to}, due, as_json=as_json)


@app.command(
    "task-status", epilog=EXAMPLE.format("andon incident task-status AI-INC-2026-0001 1 done --reason 'F1: 0.78'")
)
def task_status(
    incident: Id,
    number: Annotated[int, typer.Argument(metavar="N", help="The task's number.")],
    to: Annotated[str, typer.Argument(metavar="STATUS", help="done, cancelled or open.")],
    *,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Say what became of a task."""
    from andon.interfaces.cli import incident_command

    said = f"task {{number}} of {{incident}} is {to}"
    incident_command.write(incident, f"tasks/{number}", {"status": to, "reason": reason}, said, as_json=as_json)


@app.command(
    "decide",
    epilog=EXAMPLE.format(
        "andon incident decide AI-INC-2026-0001 'A: reroute' --option 'B: pause' --because 'A fallback exists'"
    ),
)
def decide(
    incident: Id,
    choice: Annotated[str, typer.Argument(metavar="CHOICE", help="What was decided.")],
    *,
    option: Annotated[
        list[str], typer.Option("--option", metavar="TEXT", help="What else was considered (repeatable).")
    ],
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="The reason.")],
    as_json: AsJson = False,
) -> None:
    """Record a decision, why, and what else was considered."""
    from andon.interfaces.cli import incident_command

    body = {"choice": choice, "rationale": because, "options": option}
    incident_command.write(incident, "decisions", body, "decision {number} of {incident}", as_json=as_json)


@app.command(
    "suppose", epilog=EXAMPLE.format("andon incident suppose AI-INC-2026-0001 'The feed renamed a column at 04:00'")
)
def suppose(
    incident: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What may be the cause.")],
    *,
    as_json: AsJson = False,
) -> None:
    """State a hypothesis; it stays apart from the facts."""
    from andon.interfaces.cli import incident_command

    incident_command.write(incident, "hypotheses", {"text": text}, "hypothesis {number} of {incident}", as_json=as_json)


@app.command(
    "judge", epilog=EXAMPLE.format("andon incident judge AI-INC-2026-0001 1 confirmed --evidence 'Nulls from 04:00 on'")
)
def judge(
    incident: Id,
    number: Annotated[int, typer.Argument(metavar="N", help="The hypothesis's number.")],
    state: Annotated[str, typer.Argument(metavar="STATE", help="investigating, supported, refuted or confirmed.")],
    *,
    evidence: Annotated[str, typer.Option("--evidence", metavar="TEXT", help="What says so.")],
    as_json: AsJson = False,
) -> None:
    """Say what evidence says of a hypothesis; confirmed, it is the cause."""
    from andon.interfaces.cli import incident_command

    said = f"hypothesis {{number}} of {{incident}} is {state}"
    body = {"state": state, "evidence": evidence}
    incident_command.write(incident, f"hypotheses/{number}", body, said, as_json=as_json)


@app.command(
    "check",
    epilog=EXAMPLE.format("andon incident check AI-INC-2026-0001 severity system 'nature=wrong classification'"),
)
def check(
    incident: Id,
    items: Annotated[
        list[str] | None,
        typer.Argument(metavar="ITEM[=TEXT]", help="An answer; ITEM alone confirms the prefill."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Answer the triage checklist; without items, show it with what could be computed."""
    from andon.interfaces.cli import incident_command

    incident_command.check(incident, tuple(items or ()), as_json=as_json)


@app.command("seal", epilog=EXAMPLE.format("andon incident seal AI-INC-2026-0001 --reason 'Before the rollback'"))
def seal(incident: Id, *, reason: Reason, as_json: AsJson = False) -> None:
    """Hold an incident's evidence and sign a checkpoint over the log. P0 and P1 are sealed by themselves."""
    from andon.interfaces.cli import incident_command

    said = "{seal_id} holds the evidence. Keep this checkpoint elsewhere:\n\n{checkpoint}\n{export}\n{verify}"
    incident_command.write(incident, "seal", {"reason": reason}, said, as_json=as_json)


@app.command("record", epilog=EXAMPLE.format("andon incident record AI-INC-2026-0001 --profile s1"))
def record(
    incident: Id,
    *,
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="P", help="s1 leaves out what S1's schema lacks.")
    ] = None,
    as_json: IsJson = True,
) -> None:
    """Print an incident's record as JSON, prefilled with all that is known (`andon show record`: its schema)."""
    from andon.interfaces.cli import incident_command

    del as_json
    incident_command.record(incident, profile)


@app.command("write", epilog=EXAMPLE.format("andon incident write AI-INC-2026-0001 parts.json"))
def write(
    incident: Id,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="JSON with impact, root_cause or corrective_actions; - reads stdin.")
    ],
    *,
    as_json: IsJson = True,
) -> None:
    """Write what people know into an incident's record: impact, root cause, corrective actions."""
    from andon.interfaces.cli import incident_command

    del as_json
    incident_command.write_record(incident, file)


@app.command("import", epilog=EXAMPLE.format("andon incident import record.json"))
def import_record(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A record as JSON; - reads stdin.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Take in an incident that ran elsewhere; its number and its timeline are kept.

    Exit code: 3 where the number is taken.
    """
    from andon.interfaces.cli import incident_command

    incident_command.import_record(file, as_json=as_json)
