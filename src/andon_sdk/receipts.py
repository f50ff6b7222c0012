"""Receipts: where the log has what was sent, and a sample of it to check later."""

import contextlib
import json
import logging
import random
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from andon_sdk.spool import Lines

RECEIPTS = "receipts.ndjson"
SAMPLES = "samples.json"
BYTES_MAX = 4 << 20
SAMPLES_MAX = 200
LOGGER = logging.getLogger("andon_sdk")


class Receipts:
    """The receipts of one server, in a folder that processes share; the samples are those of the last one to write."""

    def __init__(self, folder: Path, dice: random.Random | None = None) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._dice = dice or random.Random()  # noqa: S311  # which are checked is no secret worth more
        self._seen = 0
        self.samples: list[dict[str, Any]] = []
        with contextlib.suppress(OSError, ValueError):
            self.samples = json.loads((folder / SAMPLES).read_text())

    def keep(self, lines: Lines, document: Mapping[str, Any]) -> None:
        """Keep the receipt of lines, and perhaps some as samples (a reservoir: all have the same chance)."""
        new = [line for line in lines.lines[int(document["repeated"]) :] if line]
        changed = False
        for place, line in enumerate(new):
            self._seen += 1
            sample = {
                "line": line.decode(),
                "log": document["log"],
                "near": document["first"] + place,
                "end": document["end"],
            }
            if len(self.samples) < SAMPLES_MAX:
                self.samples.append(sample)
            elif (slot := self._dice.randrange(self._seen)) < SAMPLES_MAX:
                self.samples[slot] = sample
            else:
                continue
            changed = True
        try:
            self._write({"numbers": [lines.first, lines.end], **document}, changed=changed)
        except OSError as error:  # what was sent is in the log all the same
            LOGGER.warning("no receipt could be kept in %s: %s; mend the folder or its disk", self.folder, error)

    def _write(self, receipt: Mapping[str, Any], *, changed: bool) -> None:
        path = self.folder / RECEIPTS
        with contextlib.suppress(FileNotFoundError):  # another process moved it
            if path.stat().st_size > BYTES_MAX:
                path.replace(self.folder / f"{RECEIPTS}.old")
        with path.open("a") as file:
            file.write(json.dumps(receipt) + "\n")
        if not changed:
            return
        scratch = self.folder / f"{SAMPLES}.{secrets.token_hex(4)}"
        with contextlib.ExitStack() as stack:
            stack.callback(scratch.unlink, missing_ok=True)
            scratch.write_text(json.dumps(self.samples))
            scratch.replace(self.folder / SAMPLES)
