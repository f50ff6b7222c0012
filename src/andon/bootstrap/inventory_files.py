"""An inventory in files: one model a YAML document; compared with the server's register before anything changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from andon.base.errors import BadInput, NotFound
from andon.base.flaw import mend_of
from andon.bootstrap import client
from andon.inventory.register import ModelEntry, differences

PATH = "/api/v1/models"


@dataclass(frozen=True, slots=True)
class Planned:
    """What a file would change of a model: fields with their values before and after, and what was looked at."""

    entry: ModelEntry
    changes: Sequence[tuple[str, Any, Any]]
    etag: str | None

    @property
    def id(self) -> str:
        return self.entry.id

    @property
    def is_new(self) -> bool:
        return self.etag is None

    def document(self) -> dict[str, Any]:
        """The plan as JSON."""
        changes = [{"field": name, "before": before, "after": after} for name, before, after in self.changes]
        return {"id": self.id, "is_new": self.is_new, "changes": changes}


def plan_of(paths: Sequence[str]) -> list[Planned]:
    """What files and folders would change in the server's register.

    Raises:
        BadInput: a file is no entry, or two are about one model.
    """
    entries: dict[str, tuple[str, ModelEntry]] = {}
    for place, content in _documents(paths):
        entry = _entry(content, place)
        if entry.id in entries:
            raise BadInput(f"{place} is about {entry.id}, and so is {entries[entry.id][0]}: keep one of them")
        entries[entry.id] = (place, entry)
    if not entries:
        raise BadInput(f"there is no model in {', '.join(paths)}: write YAML files with `id:` and `owner:` into it")
    return [_planned(entry) for _, entry in entries.values()]


def apply_plan(planned: Sequence[Planned]) -> None:
    """Carry a plan out; what somebody changed meanwhile is refused, and those before it are done."""
    for each in planned:
        body = each.entry.document()
        if each.etag is None:
            client.server().ask("POST", PATH, body)
        else:
            client.server().ask("PUT", f"{PATH}/{client.quoted(each.id)}", body, If_Match=each.etag)


def _planned(entry: ModelEntry) -> Planned:
    try:
        found = client.server().ask("GET", f"{PATH}/{client.quoted(entry.id)}")
    except NotFound:
        return Planned(entry, differences(None, entry), None)
    before = ModelEntry.model_validate(found["entry"])
    return Planned(entry, differences(before, entry), f'"{found["version"]}"')


def _documents(paths: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for given in paths:
        path = Path(given)
        files = sorted(path.glob("**/*.y*ml")) if path.is_dir() else [path]
        for file in files:
            try:
                found = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "it is not UTF-8"
                raise BadInput(f"cannot read {file}: {reason}; name YAML files or a folder of them") from None
            except yaml.YAMLError as error:
                line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
                raise BadInput(f"{file} is no YAML at line {line}: mend it there") from None
            yield from ((str(file), content) for content in found if content is not None)


def _entry(content: Any, place: str) -> ModelEntry:
    try:
        return ModelEntry.model_validate(_spelt_out(content))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        known = ModelEntry.model_fields if len(first["loc"]) == 1 else ()
        raise BadInput(f"{place}: {where} is wrong: {mend_of(first, known)}") from None


def _spelt_out(content: Any) -> Any:
    """An entry whose versions may be names alone."""
    if not isinstance(content, dict) or not isinstance(content.get("versions"), list):
        return content
    versions = [{"version": each} if isinstance(each, str) else each for each in content["versions"]]
    return {**content, "versions": versions}
