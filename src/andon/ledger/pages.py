"""Pages of tables that hold more than a caller may see."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from andon.ledger.journal import Page, View


def newest(
    view: View, table: str, where: Mapping[str, Any], page: Page, covers: Callable[[str | None], bool]
) -> list[dict[str, Any]]:
    """The newest rows by `place` whose model the caller may see; read on until the page is full or nothing is left."""
    found: list[dict[str, Any]] = []
    page = replace(page, is_newest_first=True, by="place")
    while rows := view.list_rows(table, where, page):
        found += [row for row in rows if covers(row["model_id"])]
        if len(found) >= page.limit or len(rows) < page.limit:
            break
        page = replace(page, after=rows[-1]["place"])
    return found[: page.limit]
