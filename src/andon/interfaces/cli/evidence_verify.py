"""`andon evidence verify`: check a log, a bundle, a checkpoint, or that the log still goes on from one."""

import json
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from andon.base.errors import BadInput, Tampered
from andon.bootstrap.verification import (
    Torn,
    Verified,
    bundle_verifier,
    compare_ledger,
    verify_checkpoint,
    verify_ledger,
)
from andon.interfaces.cli import output, progress
from andon.ledger.checkpoint import Verifier, parse_vkey

METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
NOTE_BYTES_MAX: Final = 16 << 20
"""So much of a receipt is read; a device has no end."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of the command line."""

    what: str
    file: str | None
    against: str | None
    vkey: str | None
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
        done = verify_ledger(asked.data, tell, asked.log, _vkey(asked))
    found, torn, journal = done.checked, done.torn, done.journal
    lines = [f"OK: {found.entries:,} entries, {found.segments} closed segments, each byte is what was recorded"]
    if torn is not None:
        lines.append(_half_written("", torn))
    if journal is None and done.acts:
        lines.append(
            f"note: acts of custody ({done.acts:,} of its entries) stand in a journal too, whose log is not in this"
            " folder: if no other folder has it, restore ledger/journal from a copy"
        )
    if journal is not None:
        entries = "1 entry" if journal.entries == 1 else f"{journal.entries:,} entries"
        lines.append(f"OK: {entries} of the journal's log beside it")
        if journal.torn is not None:
            lines.append(_half_written("the journal's ", journal.torn))
    lines += _not_in_both(done)
    if asked.against is None:
        lines.append("rollback is not excluded: give a checkpoint you kept with --against")
    else:
        lines.append(_consistency(asked, quiet)["text"])
    known = None if journal is None else journal.entries
    document = {"entries": found.entries, "segments": found.segments, "root": found.root.hex(), "journal": known}
    half = None if torn is None else dict(zip(("file", "byte", "bytes"), torn, strict=True))
    acts = {"not_in_log": done.unentered, "not_in_journal": done.unknown}
    return {**document, "torn": half, **acts, "text": "\n".join(lines)}


def _half_written(whose: str, torn: Torn) -> str:
    file, byte, count = torn
    return (
        f"note: the last {count:,} bytes of {whose}{file}, from byte {byte:,} on, are no whole write, as after a crash;"
        " no checkpoint covers them, and the next command that writes moves them to quarantine/ and records it"
    )


def _not_in_both(done: Verified) -> Iterator[str]:
    """Acts of custody that stand in the journal or in the log alone."""
    if done.unentered:
        yield (
            f"note: the journal knows acts of custody of {', '.join(done.unentered)} that the log does not have: after"
            " a crash the next seal, release or export enters them; if this is said after it too, the log was rolled"
            " back: restore it from a copy"
        )
    if done.unknown:
        yield (
            f"note: the log has acts of custody of {', '.join(done.unknown)} that the journal's log beside it does not"
            " have: it was rolled back, or they were entered from another folder; restore ledger/journal from a copy"
        )


def _consistency(asked: Asked, _quiet: bool) -> dict[str, Any]:  # noqa: FBT001
    if asked.against is None:
        raise BadInput("consistency with what? name a receipt or checkpoint that you kept with --against")
    with _named(asked.against):
        old, size = compare_ledger(asked.data, _note(asked.against), asked.log, _vkey(asked))
    return {"size": old, "text": f"OK: the log of {size:,} goes on from the {old:,} that were signed"}


def _checkpoint(asked: Asked, quiet: bool) -> dict[str, Any]:  # noqa: FBT001
    with _named(asked.file):
        note = None if asked.file is None else _note(asked.file)
        point = verify_checkpoint(asked.data, note, asked.log, _vkey(asked))
    text = f"OK: {point.origin} signed {point.size:,} entries with the root {point.root.hex()}"
    if asked.against is not None:
        text += "\n" + _consistency(asked, quiet)["text"]
    return {"size": point.size, "root": point.root.hex(), "text": text}


def _bundle(asked: Asked, _quiet: bool) -> dict[str, Any]:  # noqa: FBT001
    if not asked.file:
        raise BadInput("which bundle? name its file: andon evidence verify bundle bundle.zip")
    given = {"--vkey": asked.vkey, "--against": asked.against}
    options = [word for name, value in given.items() if value is not None for word in (name, value)]
    command = [sys.executable, "-I", "-S", "-", f"./{asked.file}" if asked.file[0] == "-" else asked.file, *options]
    done = subprocess.run(  # noqa: S603  # our own program, from the package and not from the bundle
        command, input=bundle_verifier(), capture_output=True, check=False
    )
    text = done.stdout.decode().strip()
    if done.returncode == 1:
        raise Tampered(text.removeprefix("FAILED: "))
    if done.returncode:
        raise BadInput(done.stderr.decode().strip())
    return {"text": text}


def _vkey(asked: Asked) -> Verifier | None:
    if asked.vkey is None:
        return None
    try:
        return parse_vkey(asked.vkey)
    except Tampered as error:
        raise BadInput(f"--vkey {asked.vkey}: {error}; `andon evidence seal` prints the key of this ledger") from None


@contextmanager
def _named(path: str | None) -> Iterator[None]:
    """Say of which file a refusal is."""
    try:
        yield
    except Tampered as error:
        raise error if path is None or path in str(error) else Tampered(f"{path}: {error}") from None


def _note(path: str) -> bytes:
    """A checkpoint from its file, from a bundle, or from what a command printed as JSON."""
    if not path:
        raise BadInput("the receipt to compare with has an empty name: name a receipt or a checkpoint")
    if zipfile.is_zipfile(path):
        return _note_in_zip(path)
    try:
        with Path(path).open("rb") as file:
            raw = file.read(NOTE_BYTES_MAX)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInput(f"cannot read {path}: {reason}; name a receipt or a checkpoint") from None
    if not raw.startswith(b"{"):
        return raw
    try:
        note = json.loads(raw)["checkpoint"].encode()
    except (ValueError, KeyError, AttributeError, RecursionError):
        note = b""
    if not note:
        raise BadInput(f"{path} holds no checkpoint: name what `andon evidence seal --json` printed")
    return bytes(note)


def _note_in_zip(path: str) -> bytes:
    try:
        with zipfile.ZipFile(path) as bundle:
            is_packed_so = bundle.getinfo("checkpoint").compress_type in METHODS
            note = bundle.open("checkpoint").read(NOTE_BYTES_MAX) if is_packed_so else b""
    # missing, damaged, encrypted (RuntimeError) or of a later version of the format (NotImplementedError)
    except (OSError, LookupError, ValueError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError):
        note = b""
    if not note:
        raise BadInput(f"{path} holds no checkpoint that can be read: name a bundle, a receipt or a checkpoint")
    return note
