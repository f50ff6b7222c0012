"""A peer: attestroot's hash-chained ledger, in process (no HTTP, no fsync); run by a Python that has attestroot.

Usage: python attestroot_peer.py EVENTS.jsonl FOLDER. Prints events a second.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ["HOME"] = sys.argv[2]  # noqa: TID251  # where it writes

from attestroot.ledger import append_event, verify_chain


def main() -> None:
    """Append each event by itself, as it takes them."""
    lines = Path(sys.argv[1]).read_bytes().splitlines()
    begun = time.perf_counter()
    for line in lines:
        append_event("benchmark", {"hook_event_name": "PostToolUse", "tool_name": "model", **json.loads(line)}, line)
    passed = time.perf_counter() - begun
    found = verify_chain("benchmark")
    if not found.ok or found.count != len(lines):
        sys.exit(f"attestroot kept {found.count} of {len(lines)}: {found.reason}")
    print(len(lines) / passed)


if __name__ == "__main__":
    main()
