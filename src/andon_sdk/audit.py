"""The sender's own audit: whether the log still has what it acknowledged, and only grew."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from andon_sdk.errors import Forged
from andon_sdk.proof import Checkpoint, check_growth, check_inclusion, open_checkpoint
from andon_sdk.receipts import Receipts
from andon_sdk.transport import Answer, Away, Transport

REMEMBERED = "checkpoints.json"
SLACK = 8
"""The log writes entries of its own between; a line stands at most so far behind its place."""


@dataclass
class Audited:
    """What an audit found.

    Attributes:
        checked: samples that are in the log, unchanged.
        failures: what is not as it was acknowledged, a sentence each.
        unchecked: why samples could not be checked.
        are_signatures_checked: whether the package `cryptography` was there to do it.
    """

    checked: int = 0
    failures: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    are_signatures_checked: bool = True

    @property
    def is_sound(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


class Auditor:
    """Remembers the key and the newest checkpoint of each log that it met, in a file."""

    def __init__(self, folder: Path, transport: Transport) -> None:
        self._path, self._transport = folder / REMEMBERED, transport

    def audit(self, receipts: Receipts) -> Audited:
        """Check that the log only grew, and each sample."""
        audited = Audited()
        try:
            self._check_growth(audited)
            for sample in list(receipts.samples):
                self._check(sample, audited)
        except Away as away:
            audited.unchecked.append(str(away))
        return audited

    def _check_growth(self, audited: Audited) -> None:
        answer = self._transport.ask("GET", "/api/v1/checkpoint")
        if answer.status != 200:  # noqa: PLR2004
            audited.unchecked.append(answer.detail)
            return
        try:
            self._compare(answer.document, audited)
        except Forged as forged:
            audited.failures.append(str(forged))

    def _compare(self, document: Mapping[str, Any], audited: Audited) -> None:
        known = self._known()
        origin = document["checkpoint"].split("\n")[0]
        kept = known.get(origin)
        vkey = kept["vkey"] if kept else document["vkey"]
        new = open_checkpoint(document["checkpoint"], vkey)
        audited.are_signatures_checked = new.is_signed
        if kept:
            old = Checkpoint(origin, kept["size"], bytes.fromhex(kept["root"]), is_signed=True)
            if 0 < old.size < new.size:
                answer: Answer = self._transport.ask("GET", f"/api/v1/checkpoint?since={old.size}")
                new = open_checkpoint(answer.document["checkpoint"], vkey)
                check_growth(old, new, answer.document["consistency"])
            else:
                check_growth(old, new, ())
        known[origin] = {"vkey": vkey, "size": new.size, "root": new.root.hex()}
        scratch = self._path.with_suffix(".new")
        scratch.write_text(json.dumps(known))
        scratch.replace(self._path)

    def _check(self, sample: Mapping[str, Any], audited: Audited) -> None:
        kept = self._known().get(sample["log"])
        if kept is None:
            audited.unchecked.append(f"another log answers now than {sample['log']}")
            return
        name = json.loads(sample["line"])["id"]
        for seq in range(sample["near"], min(sample["near"] + SLACK, sample["end"])):
            answer = self._transport.ask("GET", f"/api/v1/entries/{seq}/proof")
            if answer.status not in (200, 404):
                audited.unchecked.append(answer.detail)
                return
            if answer.status == 200 and json.loads(answer.document["header"]).get("id") == name:  # noqa: PLR2004
                try:
                    check_inclusion(answer.document, sample["line"].encode(), kept["vkey"])
                    audited.checked += 1
                except Forged as forged:
                    audited.failures.append(str(forged))
                return
        audited.failures.append(f"the log does not hold {name}, which it acknowledged near entry {sample['near']}")

    def _known(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return found
