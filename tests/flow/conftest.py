"""The command line in this process."""

import sys
from collections.abc import Callable

import pytest

from andon.interfaces.cli import app


@pytest.fixture
def andon(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs the command line in this process; gives exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["andon", *arguments])
        with pytest.raises(SystemExit) as left:
            app.main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return int(str(left.value.code)), printed.out, printed.err

    return run
