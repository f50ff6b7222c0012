"""Reads what a `model.yaml` declares."""

import stat
from pathlib import Path
from typing import Final

from andon.base.errors import BadInput
from andon.bootstrap.yaml_file import read_yaml
from andon.inventory.model import Model
from andon.inventory.model_file import parse_model

LARGEST: Final = 1 << 20
"""Of so many bytes a model file may be; thousands of columns and changes fit."""


def read_model(path: str, *, strict: bool = False) -> Model:
    """The model that a `model.yaml` declares."""
    _require_small_file(path)
    content = read_yaml(path, "model file", "name the model.yaml with --model")
    if not isinstance(content, dict):
        raise BadInput(f"{path} holds no keys: write `id_column: …` and the other keys of a model.yaml into it")
    return parse_model(content, strict=strict)


def _require_small_file(path: str) -> None:
    """A device or a pipe has no end, or none that comes; what cannot be looked at is told by who reads it."""
    try:
        found = Path(path).stat()
    except OSError:
        return
    if stat.S_ISDIR(found.st_mode):
        raise BadInput(f"the model file {path} is a folder: name the model.yaml in it with --model")
    shown_by_the_kernel = {root.stat().st_dev for root in map(Path, ("/proc", "/sys")) if root.is_mount()}
    if not stat.S_ISREG(found.st_mode) or found.st_dev in shown_by_the_kernel:
        raise BadInput(f"the model file {path} is no file but a device or a pipe: write its content to a file first")
    if found.st_size > LARGEST:
        raise BadInput(
            f"the model file {path} is larger than 1 MiB, which no model.yaml is: name the model.yaml with --model"
        )
