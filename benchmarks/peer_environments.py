#!/usr/bin/env python3
"""Builds the environments of the peers, each from its hash lock in benchmarks/peers; see README.md.

Example: python benchmarks/peer_environments.py peers
"""

import argparse
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = tuple(sorted(path.stem for path in (HERE / "peers").glob("*.txt")))
UV_LOCK = HERE.parent / "requirements" / "lock.txt"
"""uv, which installs them: pip takes no hash lock in which somebody asks for extras (`pandas[parquet]`)."""
SILENT = ("env", "DO_NOT_TRACK=1", "NML_DISABLE_USAGE_LOGGING=1")
"""Words before a command: peers report their use to their makers unless told not to."""
LOCK = "lock.txt"
"""A copy of the lock in the environment says what it was built from; it is written last."""


def interpreter(folder: Path, peer: str) -> Path:
    """The peer's Python; its environment is built if it is not there, is not complete, or its lock has changed."""
    home, lock = folder / peer, HERE / "peers" / f"{peer}.txt"
    python = home / "bin" / "python"
    if not _built(home, lock):
        sys.stderr.write(f"building the environment of {peer} in {home}\n")
        venv.create(home, clear=True, with_pip=False)
        _run(_uv(folder), "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", lock)
        (home / LOCK).write_bytes(lock.read_bytes())
    return python.absolute()


def _uv(folder: Path) -> Path:
    home = folder / "uv"
    if not _built(home, UV_LOCK):
        venv.create(home, clear=True, with_pip=True)
        pip = (home / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check")
        _run(*pip, "install", "--require-hashes", "-r", UV_LOCK)
        (home / LOCK).write_bytes(UV_LOCK.read_bytes())
    return home / "bin" / "uv"


def _built(home: Path, lock: Path) -> bool:
    copy = home / LOCK
    return copy.exists() and copy.read_bytes() == lock.read_bytes()


def _run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True)  # noqa: S603


def main() -> int:
    """Build them all and say where their interpreters are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    for peer in PEERS:
        sys.stdout.write(f"{interpreter(asked.folder, peer)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
