"""A real browser, and pages that real scans wrote."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from components import chromium
from page_cases import write_page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium()
    with sync_playwright() as playwright:
        # No sandbox: tests run as root in containers, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes the page of a case once."""
    pages: dict[str, Path] = {}

    def write(case: str) -> Path:
        if case not in pages:
            pages[case] = write_page(case, tmp_path_factory.mktemp(case), "--quiet")
        return pages[case]

    return write
