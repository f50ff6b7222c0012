"""`andon evidence verify`: check a log, a bundle, a checkpoint, or that the log still goes on from one."""

import json
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from andon.base.errors import BadInput, Tampered
from andon.bootstrap.ledger import bundle_verifier, open_ledger, verify_ledger
from andon.interfaces.cli import output, progress


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of the command line."""

    what: str
    file: str | None
    against: str | None
    data: str | None
    log: str


def run(asked: Asked, *, as_json: bool, quiet: bool) -> None:
    """Check, and say what is whole; what is not is an error that names the place.

    Raises:
        Tampered: something is not as it was recorded.
    """
    kinds = {"log": _log, "bundle": _bundle, "checkpoint": _checkpoint, "consistency": _consistency}
    if asked.what not in kinds:
        raise BadInput(f"there is no {asked.what} to verify: write log, bundle, checkpoint or consistency")
    found = kinds[asked.what](asked, quiet or as_json)
    if as_json:
        output.emit_json({"verified": asked.what, "ok": True, **found})
    elif not quiet:
        output.emit(f"{found['text']}\n")


def _log(asked: Asked, quiet: bool) -> dict[str, Any]:  # noqa: FBT001
    with progress.shown(quiet=quiet, no_color=False) as report:
        tell = None if report is None else lambda seq: report("verifying", seq, 0)
        done = verify_ledger(asked.data, tell, asked.log)
    text = f"OK: {done.entries:,} entries, {done.segments} closed segments, each byte is what was recorded"
    document = {"entries": done.entries, "segments": done.segments, "root": done.root.hex()}
    if asked.against is None:
        return {**document, "text": f"{text}\nrollback is not excluded: give a checkpoint you kept with --against"}
    return {**document, "text": f"{text}\n{_consistency(asked, quiet)['text']}"}


def _consistency(asked: Asked, _quiet: bool) -> dict[str, Any]:  # noqa: FBT001
    if asked.against is None:
        raise BadInput("consistency with what? name a receipt or checkpoint that you kept with --against")
    note = _note(asked.against)
    with open_ledger(asked.data, writer=asked.log) as ledger:
        size = ledger.audit.compare(note)
        return {"size": size, "text": f"OK: the log of {ledger.log.size:,} goes on from the {size:,} that were signed"}


def _checkpoint(asked: Asked, _quiet: bool) -> dict[str, Any]:  # noqa: FBT001
    with open_ledger(asked.data, writer=asked.log) as ledger:
        note = _note(asked.file) if asked.file is not None else ledger.log.checkpoint()[1]
        point = ledger.signer.verifier.open(note)
    text = f"OK: {point.origin} signed {point.size:,} entries with the root {point.root.hex()}"
    return {"size": point.size, "root": point.root.hex(), "text": text}


def _bundle(asked: Asked, _quiet: bool) -> dict[str, Any]:  # noqa: FBT001
    if asked.file is None:
        raise BadInput("which bundle? name its file: andon evidence verify bundle bundle.zip")
    against = [] if asked.against is None else ["--against", asked.against]
    command = [sys.executable, "-I", "-S", "-", asked.file, *against]
    done = subprocess.run(  # noqa: S603  # our own program, from the package and not from the bundle
        command, input=bundle_verifier(), capture_output=True, check=False
    )
    text = done.stdout.decode().strip()
    if done.returncode == 1:
        raise Tampered(text.removeprefix("FAILED: "))
    if done.returncode:
        raise BadInput(done.stderr.decode().strip())
    return {"text": text}


def _note(path: str) -> bytes:
    """A checkpoint from its file, from a bundle, or from what a command printed as JSON."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as bundle:
                return bundle.read("checkpoint")
        raw = Path(path).read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}; name a receipt or a checkpoint") from None
    except (KeyError, zipfile.BadZipFile, zlib.error):
        raise BadInput(f"{path} holds no checkpoint: name a bundle, a receipt or a checkpoint") from None
    if not raw.startswith(b"{"):
        return raw
    try:
        return str(json.loads(raw)["checkpoint"]).encode()
    except (ValueError, KeyError):
        raise BadInput(f"{path} holds no checkpoint: name what `andon evidence seal --json` printed") from None
