"""A model for a log that nobody declared: guessed from what the log holds."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from andon.adapters.duckdb.objects import Storage
from andon.adapters.duckdb.profile import profile
from andon.base import address
from andon.bootstrap.wiring import s3_endpoint
from andon.inventory.guess import Guess, guess


def guess_model(logs: Sequence[str]) -> Guess:
    """What the columns of a log may mean.

    Raises:
        BadInput: the log cannot be read, or no column looks like its id or its time.
    """
    return guess(profile(list(logs), Storage(s3_endpoint())), _name(address.shown(logs[0])))


def _name(log: str) -> str:
    """A name for the model: that of the table, or of the log's file."""
    table = re.search(r"[?&]table=([^&]+)", log)
    name = table[1] if table else PurePosixPath(log).name.split(".")[0]
    return "-".join(re.findall(r"\w+", name)) or "model"
