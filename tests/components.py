"""Real components that some tests need: absent ones are a visible skip, but a failure where CI=true."""

import os
import shutil
from typing import NoReturn

import pytest


def missing(what: str, mend: str) -> NoReturn:
    """Skip the test, or fail it in CI."""
    sentence = f"{what} is not installed: {mend}"
    if os.environ.get("CI") == "true":  # noqa: TID251  # the one setting of tests
        pytest.fail(sentence)
    pytest.skip(sentence)


def chromium() -> str:
    """The program that opens pages."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return found or missing("chromium", "run .ci/install-components as root")
