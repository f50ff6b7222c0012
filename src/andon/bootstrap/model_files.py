"""Reads what a `model.yaml` declares."""

import stat
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from andon.base.errors import BadInput
from andon.bootstrap.yaml_file import read_yaml
from andon.inventory.model import Model
from andon.inventory.model_file import parse_model

LARGEST: Final = 1 << 20
"""Of so many bytes a model file may be; thousands of columns and changes fit."""
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})


def read_model(path: str, *, strict: bool = False) -> Model:
    """The model that a `model.yaml` declares."""
    _require_small_file(path)
    _require_utf8(path)
    content = read_yaml(path, "model file", "name the model.yaml with --model")
    if not isinstance(content, dict):
        raise BadInput(f"{path} holds no keys: write `id_column: …` and the other keys of a model.yaml into it")
    for node in _nodes(path):
        _require_keys_once(path, node)
        _require_decimal(path, node)
    return parse_model(content, strict=strict)


def _require_small_file(path: str) -> None:
    """A device or a pipe has no end, or none that comes; what cannot be looked at is told by who reads it."""
    try:
        found = Path(path).stat()
    except OSError:
        return
    if stat.S_ISDIR(found.st_mode):
        raise BadInput(f"the model file {path} is a folder: name the model.yaml in it with --model")
    if not stat.S_ISREG(found.st_mode):
        raise BadInput(f"the model file {path} is no file but a device or a pipe: write its content to a file first")
    if found.st_size > LARGEST:
        raise BadInput(
            f"the model file {path} is larger than 1 MiB, which no model.yaml is: name the model.yaml with --model"
        )


def _require_utf8(path: str) -> None:
    try:
        Path(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BadInput(f"the model file {path} is not UTF-8 text from line {line} on: save it as UTF-8") from None
    except OSError:
        return  # told by who reads it


def _require_keys_once(path: str, node: yaml.Node) -> None:
    """YAML is read as if the last of several equal keys stood alone."""
    lines: dict[str, list[str]] = defaultdict(list)
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode):
            lines[key.value].append(str(key.start_mark.line + 1))
    for name, found in lines.items():
        if len(found) > 1:
            raise BadInput(f"{path} has the key {name} more than once, in lines {' and '.join(found)}: keep one")


def _require_decimal(path: str, node: yaml.Node) -> None:
    """YAML reads 1:30 as a number of base 60, which is 90."""
    if node.tag in _NUMBERS and ":" in node.value:
        line = node.start_mark.line + 1
        raise BadInput(
            f"{path}, line {line}: YAML reads {node.value} as a number of base 60; write a decimal number, or put it "
            "in quotes if it is text"
        )


def _nodes(path: str) -> Iterator[yaml.Node]:
    """Each node of a YAML file once, though several aliases may lead to it."""
    left = [yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)]
    seen: set[int] = set()
    while left:
        node = left.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            left.extend(each for pair in node.value for each in pair)
        elif isinstance(node, yaml.SequenceNode):
            left.extend(node.value)
