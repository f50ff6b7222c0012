"""Who does what on an incident."""

import copy

import pytest
import yaml

from andon.base.errors import BadInput
from andon.bootstrap.packs import load_roles, pack
from andon.incident.raci import parse_raci
from andon.incident.work import ROLE_NAMES

SHIPPED = yaml.safe_load(pack("roles.yaml").read_text(encoding="utf-8"))


def test_every_role_has_work_and_the_commander_does_not_debug():
    known = load_roles()
    assert set(known.roles) == set(ROLE_NAMES)
    doing = {role for each in known.work for role in each.responsible}
    assert doing == set(ROLE_NAMES)
    [cause] = [each for each in known.work if each.what == "Find the cause"]
    assert "commander" not in (cause.accountable, *cause.responsible)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda raci: raci["roles"].pop("compliance"), "describe these, no others"),
        (lambda raci: raci["work"][0].update(accountable="boss"), "names boss, which is no role"),
        (lambda raci: raci["work"][0].update(informed=["commander"]), "stands there twice"),
        (lambda raci: raci["work"][1].update(informed=["commander"]), "neither asked nor told"),
        (lambda raci: raci["work"][0].update(responsible=[]), "work.0.responsible"),
    ],
)
def test_what_is_no_table(change, named):
    raci = copy.deepcopy(SHIPPED)
    change(raci)
    with pytest.raises(BadInput, match=named):
        parse_raci(raci)
