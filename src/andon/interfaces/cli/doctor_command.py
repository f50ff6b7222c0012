"""`andon doctor`: what is well, what is not, how to mend it."""

from dataclasses import asdict

from andon.bootstrap.doctor import examine
from andon.bootstrap.settings import data_folder
from andon.interfaces.cli import output

SIGNS = {"ok": "ok     ", "warning": "look   ", "failed": "FAILED "}


def run(data: str | None, *, as_json: bool) -> bool:
    """Print the diagnoses; whether nothing failed."""
    found = list(examine(data_folder(data)))
    is_well = all(each.state != "failed" for each in found)
    if as_json:
        output.emit_json({"well": is_well, "checks": [asdict(each) for each in found]})
        return is_well
    for each in found:
        output.emit(f"{SIGNS[each.state]} {each.what}: {each.text}\n")
    return is_well
