"""What an incident says one may do now is a command that runs as it stands."""

import shlex

import pytest
import typer.main

from andon.incident import answers
from andon.interfaces.cli.app import app

STEPS = {name: step for name, step in vars(answers).items() if name.isupper() and isinstance(step, tuple)}


def parsed(line):
    """The command of a line, with all that it needs; it is not run."""
    program, *words = shlex.split(line)
    assert program == "andon"
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    return command.make_context(command.name, words)


def test_a_step_that_lacks_an_option_is_noticed():
    with pytest.raises(Exception, match="reason"):
        parsed("andon incident seal AI-INC-2026-0001")


@pytest.mark.parametrize("name", sorted(STEPS))
def test_a_step_is_a_whole_command(name):
    command, _, undo = STEPS[name]
    named = {"id": "AI-INC-2026-0001", "type": "model_drift"}
    parsed(command.format(**named))
    if undo.startswith("andon incident"):
        parsed(undo.format(**named))
