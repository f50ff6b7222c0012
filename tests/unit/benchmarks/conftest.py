"""Puts the benchmarks where their tests find them: they are scripts, not part of the package."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3] / "benchmarks"))
