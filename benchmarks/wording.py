#!/usr/bin/env python3
"""How well reports in words are classified, on public descriptions of AI incidents.

    python benchmarks/wording.py FOLDER [--json]

FOLDER holds `incidents.parquet` with the columns `source_id`, `title`, `description`, `weak_incident_type`. The texts
are split by the SHA-256 of their id: whoever writes the rules looks at the even half and never at the odd one.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from andon.bootstrap.packs import load_classifier


def is_held_out(source_id: str) -> bool:
    """Whether a text belongs to the half that nobody looks at."""
    return int(sha256(source_id.encode()).hexdigest(), 16) % 2 == 1


def figures(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Accuracy, macro-F1 over the labels that occur, and the share left unclassified, of (label, answer) pairs."""
    labels = sorted({label for label, _ in pairs})
    hits, said, known = (
        Counter(a for a, b in pairs if a == b),
        Counter(b for _, b in pairs),
        Counter(a for a, _ in pairs),
    )
    f1 = {label: 2 * hits[label] / (said[label] + known[label]) for label in labels}
    return {
        "texts": len(pairs),
        "accuracy": round(sum(hits.values()) / len(pairs), 3),
        "macro_f1": round(sum(f1.values()) / len(labels), 3),
        "majority": round(max(known.values()) / len(pairs), 3),
        "unclassified": round(said["unclassified"] / len(pairs), 3),
        "f1": {label: round(value, 3) for label, value in f1.items()},
    }


def measure(folder: Path) -> Mapping[str, Any]:
    """The figures of both halves."""
    query = "select source_id, title, description, weak_incident_type from read_parquet(?) order by source_id"
    rows = duckdb.execute(query, [str(folder / "incidents.parquet")]).fetchall()
    classifier = load_classifier()
    halves: dict[str, list[tuple[str, str]]] = {"looked_at": [], "held_out": []}
    for source_id, title, description, label in rows:
        if label in (None, "None"):
            continue
        answer = classifier.read(f"{title}. {description or ''}"[:20_000]).incident_type
        halves["held_out" if is_held_out(source_id) else "looked_at"].append((label, answer))
    return {name: figures(pairs) for name, pairs in halves.items()}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.folder)
    if asked.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    for name, half in found.items():
        sys.stdout.write(
            f"{name:10} {half['texts']} texts: accuracy {half['accuracy']}, macro-F1 {half['macro_f1']}"
            f" (the commonest label alone: {half['majority']}; unclassified {half['unclassified']})\n"
        )


if __name__ == "__main__":
    main()
