"""`andon incident file`: content to the server and back."""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

from andon.base.errors import BadInput, Tampered
from andon.bootstrap import client
from andon.interfaces.cli import output
from andon.interfaces.cli.incident_command import PATH
from andon.interfaces.cli.words import plain

CHUNK_BYTES: Final = 1 << 20


def add(incident: str, path: str, text: str, at: str | None, *, as_json: bool) -> None:
    """Send a file and say what it is known by."""
    headers = {"Andon_File_Name": _encoded(Path(path).name), "Andon_Note": _encoded(text)}
    headers |= {} if at is None else {"Andon_At": at}
    digest = sha256()
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            server = client.server()
            made = server.upload(f"{PATH}/{client.quoted(incident)}/files", _parts(file, size, digest), size, **headers)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}; name a file") from None
    if made["sha256"] != digest.hexdigest():
        raise Tampered(f"the server kept something else than {path}: erase file {made['number']}, and add it again")
    if as_json:
        output.emit_json(made)
        return
    output.emit(f"file {made['number']} of {incident}: {plain(made['name'])}, {size:,} bytes\n")
    output.emit(f"sha256 {made['sha256']}\n")


def get(incident: str, number: int, out: str, *, as_json: bool) -> None:
    """Write a file's content."""
    try:
        digest, size = client.server().fetch_file(f"{PATH}/{client.quoted(incident)}/files/{number}", Path(out))
    except OSError as error:
        raise BadInput(f"cannot write {out}: {error.strerror}; name another file with --out") from None
    if as_json:
        output.emit_json({"out": out, "bytes": size, "sha256": digest})
        return
    output.emit(f"{out}: {size:,} bytes, sha256 {digest}\n")


def _parts(file: IO[bytes], size: int, digest: Any) -> Iterator[bytes]:
    """As many bytes as the file had when it was opened.

    Raises:
        BadInput: it has fewer now, or more.
    """
    left = size
    while left and (part := file.read(min(CHUNK_BYTES, left))):
        left -= len(part)
        digest.update(part)
        yield part
    if left or file.read(1):
        raise BadInput("the file changes while it is read: add a copy that nobody writes to")


def _encoded(text: str) -> str:
    return quote(text.encode("utf-8", "replace"), safe="")
