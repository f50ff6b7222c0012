"""What to do first: every type has its steps, and every command in them is one that exists."""

import shlex

import click
import pytest
import typer.main

from andon.base.errors import BadInput, NotFound
from andon.bootstrap.packs import floors, playbook
from andon.incident.first_steps import parse_first_steps
from andon.interfaces.cli.app import app

COMMANDS = typer.main.get_command(app)


@pytest.mark.parametrize("kind", floors())
def test_every_type_has_steps_of_its_own_and_their_commands_exist(kind):
    page, general = playbook(kind), {step.do for step in playbook("model_drift").steps}
    own = [step for step in page.steps if step.do not in general or kind == "model_drift"]
    assert len(own) >= 3
    assert page.questions
    for step in page.steps:
        if step.run is None:
            continue
        program, *words = shlex.split(step.run)
        assert program == "andon"
        command, context = COMMANDS, click.Context(COMMANDS)
        while isinstance(command, click.Group):
            _, command, words = command.resolve_command(context, words)
            context = click.Context(command, parent=context)
        command.make_context(command.name, words)  # raises where an argument or an option is none


def test_an_unknown_type_and_a_wrong_file_say_what_is_wrong():
    with pytest.raises(NotFound, match="did you mean model_drift"):
        playbook("model_drif")
    with pytest.raises(BadInput, match=r"first_steps.yaml is not valid at before"):
        parse_first_steps({"schema": "andon.first_steps/1", "types": {}, "after": []})
