"""The data that travels with the code: taxonomy, severities, demo; and the types that a user adds."""

import os
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from andon.base.errors import BadInput
from andon.bootstrap.yaml_file import read_shipped, read_yaml
from andon.incident.checklist import Checklists, parse_checklists
from andon.incident.dossier import Packs
from andon.incident.first_steps import Playbook, parse_first_steps, playbook_of
from andon.incident.raci import Raci, parse_raci
from andon.incident.taxonomy import Severities, Taxonomy, extended, parse_severities, parse_taxonomy
from andon.incident.wording import Classifier
from andon.incident.wording import parse as parse_wording
from andon.people.permission import Permissions, permissions_from


def pack(name: str) -> Traversable:
    """A file or folder of the packs."""
    return files("andon") / "packs" / name


@cache
def load_taxonomy() -> Taxonomy:
    """The types of incident that Andon ships with, and those of the file that ANDON_TAXONOMY names.

    Raises:
        BadInput: that file cannot be read, or is not valid.
    """
    shipped = parse_taxonomy(_yaml("taxonomy.yaml"), "taxonomy.yaml")
    path = os.environ.get("ANDON_TAXONOMY")
    if not path:
        return shipped
    content = read_yaml(path, "taxonomy", "mend ANDON_TAXONOMY, or unset it")
    if not isinstance(content, dict):
        raise BadInput(f"{path} holds no keys: write `schema: andon.taxonomy/1` and `types:` into it")
    return extended(shipped, content, path)


@cache
def load_severities() -> Severities:
    """The priorities P0 to P3."""
    return parse_severities(_yaml("severities.yaml"), "severities.yaml")


@cache
def load_checklists() -> Checklists:
    """The triage checklists."""
    return parse_checklists(_yaml("checklists.yaml"))


@cache
def load_roles() -> Raci:
    """Who does what on an incident."""
    return parse_raci(_yaml("roles.yaml"))


@cache
def load_permissions() -> Permissions:
    """Who may do what."""
    return permissions_from(_yaml("permissions.yaml"))


def playbook(incident_type: str) -> Playbook:
    """What to do first in an incident of a type.

    Raises:
        NotFound: there is no such type.
    """
    steps = parse_first_steps(_yaml("first_steps.yaml"))
    return playbook_of(incident_type, load_taxonomy(), steps, load_checklists())


def floors() -> dict[str, str]:
    """The default severity of each type."""
    return {slug: kind.default_severity for slug, kind in load_taxonomy().types.items()}


@cache
def packs_of_incidents() -> Packs:
    """What holds for all incidents."""
    return Packs(load_severities(), load_checklists(), load_taxonomy().titles())


@cache
def load_classifier() -> Classifier:
    """The reader of reports in words."""
    return Classifier(parse_wording(_yaml("wording.yaml"), tuple(floors()), "wording.yaml"), floors())


def _yaml(name: str) -> dict[str, object]:
    content: dict[str, object] = read_shipped(pack(name).read_text(encoding="utf-8"))
    return content
