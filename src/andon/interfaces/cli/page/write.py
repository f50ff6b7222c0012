"""Writes the page to its place."""

from collections.abc import Sequence

from andon.incident.scan import Scan
from andon.interfaces.cli import output
from andon.interfaces.cli.scan_text import Frame


def write_page(framed: Sequence[tuple[Scan, Frame]], path: str) -> None:
    """Render and write the page, whole or not at all."""
    from andon.interfaces.cli.page.render import render  # noqa: PLC0415  # templates only where a page is asked for

    output.write(render(*framed), path)
