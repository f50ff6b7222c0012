"""Leaving a dataset out: what is chosen without it, and that leaving a choice out is possible at all."""

import shlex
import subprocess
from typing import Any

import pytest
from leave_out import CHOICES, command, table


def row(scenario: str, *, right: bool | None, false: int = 0) -> dict[str, Any]:
    return {
        "scenario": scenario,
        "incident": right is not None,
        "right": right,
        "rows_f1": float(bool(right)),
        "false": false,
    }


def test_a_dataset_gets_what_the_others_would_choose() -> None:
    shipped = [row("o01_bank_x", right=True), row("o02_bikes_x", right=False), row("o03_bikes_control", right=None)]
    without = [
        row("o01_bank_x", right=False),
        row("o02_bikes_x", right=True),
        row("o03_bikes_control", right=None, false=1),
    ]
    said = table({(): shipped, ("a floor",): without}).splitlines()
    assert said[2] == "| bank | 1 of 1 right, rows F1 1.00, 0 false | 1 of 1 right, rows F1 1.00, 0 false | nothing |"
    assert said[3] == "| bikes | 0 of 1 right, rows F1 0.00, 0 false | 0 of 1 right, rows F1 0.00, 0 false | nothing |"
    harmless = [row("o01_bank_x", right=False), row("o02_bikes_x", right=True), row("o03_bikes_control", right=None)]
    said = table({(): shipped, ("a floor",): harmless}).splitlines()
    assert said[2] == "| bank | 1 of 1 right, rows F1 1.00, 0 false | 0 of 1 right, rows F1 0.00, 0 false | a floor |"
    assert said[3].endswith("| nothing |")


@pytest.mark.parametrize("left", [(), tuple(CHOICES)], ids=["shipped", "none"])
def test_the_command_without_a_choice_is_andon(left: tuple[str, ...]) -> None:
    done = subprocess.run([*shlex.split(command(left)), "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.startswith("andon ")


@pytest.mark.parametrize("statement", CHOICES.values())
def test_what_a_choice_sets_is_there(statement: str) -> None:
    for assignment in statement.split("; "):
        name = assignment.partition(" = ")[0]
        module, _, constant = name.rpartition(".")
        assert hasattr(__import__(module, fromlist=["x"]), constant)
