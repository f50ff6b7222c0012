"""The secrets of an installation's logs: the key that signs their checkpoints, and others like it."""

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path

from andon.base.errors import BadInput
from andon.ledger.checkpoint import Signer

KEY_BYTES = 32
_PUT_BACK = "put back the key that this ledger was begun with, from a copy; a new one would not fit its logs"


def signer_of(folder: Path, name: str) -> Signer:
    """The signer of the log `name` in a ledger's folder; all logs of an installation share one key."""
    return Signer(f"andon.local/{name}", secret_in(folder / "signing.key"))


def secret_in(path: Path, logs: str = "*") -> bytes:
    """32 random bytes in a file, made before the first of the `logs` (a pattern of folders) beside it.

    Raises:
        BadInput: the folder cannot be used, or the file is damaged, or missing though logs are there.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            if any(next(path.parent.glob(f"{logs}/{kept}"), None) for kept in ("checkpoint", "wal/*", "evidence/*")):
                raise BadInput(f"{path} is missing: {_PUT_BACK}")
            _make(path)
        text = path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot use {path.parent}: {error.strerror}; name another folder with --data") from None
    try:
        found = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        found = b""
    if len(found) != KEY_BYTES:
        raise BadInput(f"{path} is damaged: {_PUT_BACK}")
    return found


def _make(path: Path) -> None:
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        path.hardlink_to(scratch)  # whoever is first; both then read the same
    scratch.unlink()
