"""What all tests share."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from andon.interfaces.cli import app

sys.path.append(str(Path(__file__).parent))  # for the modules beside this one, which several rooms' tests import

# The same examples on every run, so that a red build can be repeated; `make soak` looks further, at random.
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of this test run, with its password."""
    import components  # noqa: PLC0415  # found through the path above

    with components.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The URL of an S3 server of this test run; it takes any credentials."""
    import components  # noqa: PLC0415  # found through the path above

    with components.object_store() as endpoint, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield endpoint


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
