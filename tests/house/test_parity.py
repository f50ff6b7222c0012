"""Every service method is an act that each face offers, or the reason why one does not stands here."""

import importlib
import inspect
import pkgutil

import typer.main
from fastapi.routing import APIRoute

from andon import services
from andon.bootstrap.packs import load_permissions
from andon.interfaces.api.app import application
from andon.interfaces.api.edge import OPEN
from andon.interfaces.cli.app import app as commands
from houses import house_in

COMMANDS = {  # command: the acts that it does
    "apply": ("register.add_model", "register.change_model", "register.get_model"),
    "change list": ("register.list_changes",),
    "change post": ("register.post_change",),
    "model add": ("register.add_model",),
    "model list": ("register.list_models",),
    "model show": ("register.get_model",),
    "model tag": ("register.tag_version",),
    "model untag": ("register.untag_version",),
    "signal lift": ("sift.lift",),
    "signal list": ("sift.list_alerts", "sift.list_unmapped"),
    "signal map": ("sift.map_alerts",),
    "signal maps": ("sift.list_maps",),
    "signal report": ("receive.report",),
    "signal send": (
        *("receive.alertmanager", "receive.cloudevents", "receive.pagerduty", "receive.webhook", "receive.scan"),
        "sift.get_signal",
    ),
    "signal silence": ("sift.silence",),
    "signal silences": ("sift.list_silences",),
    "signal unmap": ("sift.unmap",),
    "demo": ("watch.scan", "illustrate.draw", "receive.scan", "respond.get"),
    "evidence export": ("export.export",),
    "evidence hold": ("audit.holds",),
    "evidence prove": ("audit.prove",),
    "evidence release": ("audit.release",),
    "evidence retain": ("retain.retain",),
    "evidence seal": ("audit.seal",),
    "evidence verify": ("audit.compare", "audit.latest"),
    "ack": ("respond.acknowledge",),
    "incident assign": ("staff.assign",),
    "incident check": ("deliberate.check", "respond.get"),
    "incident decide": ("deliberate.decide",),
    "incident declare": ("declare.declare",),
    "incident fact": ("respond.learn_facts",),
    "incident file add": ("attach.add_file",),
    "incident file erase": ("attach.erase_file",),
    "incident file get": ("attach.get_file",),
    "incident handover": ("staff.hand_over",),
    "incident judge": ("deliberate.judge",),
    "incident import": ("records.import_record",),
    "incident link": ("respond.link",),
    "incident list": ("respond.list_incidents",),
    "incident merge": ("respond.merge",),
    "incident unmerge": ("respond.unmerge",),
    "incident note": ("deliberate.note",),
    "incident priority": ("respond.set_priority",),
    "incident record": ("records.get_record",),
    "incident reopen": ("respond.reopen",),
    "incident seal": ("attend.seal",),
    "incident show": ("respond.get",),
    "incident status": ("respond.move",),
    "incident suppose": ("deliberate.suppose",),
    "incident task": ("staff.add_task",),
    "incident task-status": ("staff.move_task",),
    "incident timeline": ("respond.timeline",),
    "watch": ("respond.news", "respond.list_incidents", "respond.get"),
    "incident write": ("records.write_record",),
    "record": ("record.record",),
    "search": ("search.search",),
    "scan": ("watch.scan", "illustrate.draw", "receive.scan", "sift.get_signal", "sift.list_alerts"),
    "serve": (
        "access.start",
        "follow.step",
        "ingest.accept",
        "declare.open_or_join",
        "attend.step",
        "group.step",
        "receive.audit",
        "attach.tidy",
    ),
    "token create": ("access.create_token",),
    "token list": ("access.list_tokens",),
    "token revoke": ("access.revoke_token",),
}
NO_ACT = {  # commands that do nothing to an installation
    "connect prometheus": "looks at a Prometheus and proposes; `apply` and `signal map` do it",
    "show rules": "prints what the code knows",
    "classify": "says what it would be classified as",
    "signal try": "shows what a mapping file makes of a body",
    "evidence recompute": "checks a file that was handed out",
    "init": "writes a model.yaml for the user's own log",
    "doctor": "looks only, at what may be too broken for a service",
    "show detectors": "prints what the code knows",
    "show events": "prints what the code knows",
    "show playbook": "prints what the code knows; api.playbook is the same page",
    "show record": "prints what the code knows",
    "show severities": "prints what the code knows",
    "show roles": "prints what the code knows",
    "show taxonomy": "prints what the code knows",
}
NO_ROUTE = {  # acts that HTTP lacks
    "attach.tidy": "nobody asks for it: it happens at each start",
    "group.step": "nobody asks for it: it happens",
    "receive.audit": "Andon's own",
    "watch.scan": "reads logs that lie with the user; the server's own watch comes with its issue",
    "illustrate.draw": "belongs to a scan",
    "record.record": "reads a user's files; events over HTTP are ingest.accept",
    "access.start": "happens once, at the first start",
    "attend.step": "nobody asks for it: it happens",
    "declare.open_or_join": "alerts come as signals",
    "follow.step": "nobody asks for it: it happens",
}
PARTS = {  # public methods that are steps of an act
    "prepared.accepted": "receive.alertmanager",
    "receive.prepare": "receive.alertmanager",
    "receive.prepare_mapped": "receive.webhook",
    "record.entries": "record.record",
    "attach.begin": "attach.add_file",
    "roomy.drop": "attach.add_file",
    "roomy.keep": "attach.add_file",
    "roomy.write": "attach.add_file",
    "attend.note_receipt": "attend.step",
    "ingest.prepare": "ingest.accept",
    "ingest.take": "record.record",
    "ingest.taken": "record.record",
    "ingest.resume": "access.start",
    "ingest.snapshot": "ingest.accept",
    "follow.leave": "follow.step",
    "follow.tell": "follow.step",
}
NO_SERVICE = {"api.describe": "the server describes itself", "api.playbook": "a page of what the code knows"}


def service_methods():
    """`service.method` of every public method of every service, by reflection."""
    found = set()
    for module in pkgutil.iter_modules(services.__path__):
        loaded = importlib.import_module(f"andon.services.{module.name}")
        for kind in vars(loaded).values():
            is_ours = inspect.isclass(kind) and kind.__module__ == loaded.__name__ and kind.__name__[0] != "_"
            if not is_ours or getattr(kind, "_is_protocol", False):
                continue
            methods = [name for name, value in vars(kind).items() if inspect.isfunction(value) and name[0] != "_"]
            found |= {f"{kind.__name__.lower()}.{name}" for name in methods}
    return found


def cli_commands(group=None, path=()):
    group = group or typer.main.get_command(commands)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from cli_commands(command, (*path, name))
        else:
            yield " ".join((*path, name))


def test_every_act_has_its_faces(tmp_path):
    with house_in(tmp_path) as house:
        app = application(house, "test")
    routes = [route for route in app.routes if route.path not in OPEN]
    over_http = {route.operation_id if isinstance(route, APIRoute) else route.name for route in routes}
    on_the_line = {act for acts in COMMANDS.values() for act in acts}
    acts = service_methods() - PARTS.keys()
    assert PARTS.keys() <= service_methods()
    assert set(PARTS.values()) <= acts
    assert set(cli_commands()) == COMMANDS.keys() | NO_ACT.keys()
    assert over_http == (acts - NO_ROUTE.keys()) | NO_SERVICE.keys()
    assert NO_ROUTE.keys() <= acts
    assert on_the_line == acts
    assert over_http == load_permissions().acts.keys()


def test_one_route_an_act(tmp_path):
    with house_in(tmp_path) as house:
        app = application(house, "test")
    names = [route.operation_id if isinstance(route, APIRoute) else route.name for route in app.routes]
    assert len(names) == len(set(names))


NO_JSON = {  # commands that never print a document
    "demo": "tells a story; `andon scan --json` is its document",
    "serve": "runs until it is ended",
    "evidence prove": "prints a proof in its own format (C2SP)",
    "show events": "prints a JSON Schema",
    "show record": "prints a JSON Schema",
    "show rules": "prints YAML for Prometheus",
}


def test_every_command_can_print_json():
    def walk(command, *path):
        for name, each in getattr(command, "commands", {}).items():
            yield from walk(each, *path, name)
        if not hasattr(command, "commands"):
            yield " ".join(path), {option for each in command.params for option in each.opts}

    found = dict(walk(typer.main.get_command(commands)))
    assert {name for name, options in found.items() if "--json" not in options} == NO_JSON.keys()
