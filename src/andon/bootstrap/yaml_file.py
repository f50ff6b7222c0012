"""Reads a YAML file that a user named: each way in which it can be wrong is one sentence. And one that we ship."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from andon.base.errors import BadInput

_IN_C: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast, where PyYAML has it; a user's file is read by the one whose words on mistakes we know."""

_NUMBERS: Final = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_DIGITS_MAX: Final = 1_000
"""No number that means something is longer; Python refuses to read some that are."""


def read_shipped(text: str) -> Any:
    """The content of a YAML file of ours."""
    return yaml.load(text, Loader=_IN_C)  # noqa: S506  # safe, either of them


def read_yaml(path: str, what: str, mend: str) -> object:
    """The content of a YAML file.

    Args:
        path: the file.
        what: what it should be, such as `model file`.
        mend: what to do where there is none.

    Raises:
        BadInput: it cannot be read, is no YAML, or YAML would read it otherwise than it looks.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"there is no {what} {path}: {mend}") from None
    except UnicodeDecodeError as error:
        bad = error.object.count(b"\n", 0, error.start) + 1
        raise BadInput(f"the {what} {path} is not UTF-8 text from line {bad} on: save it as UTF-8") from None
    except OSError as error:
        raise BadInput(f"cannot read the {what} {path}: {error.strerror}") from None
    try:
        return _content(path, text)
    except yaml.MarkedYAMLError as error:
        raise _invalid(path, what, error) from None
    except RecursionError:
        raise BadInput(f"{path} is nested too deep for a {what}: write its keys one below the other") from None
    except ValueError as error:
        raise BadInput(f"{path} holds a value that does not exist ({error}): mend it, or put it in quotes") from None
    except yaml.YAMLError:
        raise BadInput(f"{path} is not valid YAML: a character in it is forbidden; save it as plain text") from None


def _invalid(path: str, what: str, error: yaml.MarkedYAMLError) -> BadInput:
    line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
    if "another document" in str(error.problem):
        return BadInput(f"{path}{line} begins another document: keep one {what} in a file")
    return BadInput(f"{path}{line} is not valid YAML: {error.problem}; mend that line")


def _content(path: str, text: str) -> object:
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        for node in _nodes(root):
            _require_keys_once(path, node)
            _require_decimal(path, node)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _nodes(root: yaml.Node) -> Iterator[yaml.Node]:
    """Each node of a document once, though several aliases may lead to it."""
    left, seen = [root], set[int]()
    while left:
        node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            left.extend(each for pair in node.value for each in pair)
        elif isinstance(node, yaml.SequenceNode):
            left.extend(node.value)


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
    """YAML reads 1:30 as a number of base 60, which is 90; and Python does not read the longest ones."""
    if node.tag in _NUMBERS and ":" in node.value:
        raise BadInput(
            f"{path}, line {node.start_mark.line + 1}: YAML reads {node.value} as a number of base 60; write a decimal "
            "number, or put it in quotes if it is text"
        )
    if node.tag in _NUMBERS and len(node.value) > _DIGITS_MAX:
        raise BadInput(
            f"{path}, line {node.start_mark.line + 1} holds a number of {len(node.value):,} digits: write a shorter "
            "one, or put it in quotes if it is text"
        )
