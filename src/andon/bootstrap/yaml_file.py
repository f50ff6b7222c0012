"""Reads a YAML file that a user named: each way in which it can be wrong is one sentence. And one that we ship."""

from pathlib import Path
from typing import Any, Final

import yaml

from andon.base.errors import BadInput

_IN_C: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast, where PyYAML has it; a user's file is read by the one whose words on mistakes we know."""


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
        BadInput: it cannot be read, or is no YAML.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"there is no {what} {path}: {mend}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadInput(f"cannot read the {what} {path}: {reason}") from None
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadInput(f"{path}{line} is not valid YAML: {error.problem}; mend that line") from None
    except RecursionError:
        raise BadInput(f"{path} is nested too deep for a {what}: write its keys one below the other") from None
    except ValueError as error:
        raise BadInput(f"{path} holds a value that does not exist ({error}): mend it, or put it in quotes") from None
    except yaml.YAMLError:
        raise BadInput(f"{path} is not valid YAML: a character in it is forbidden; save it as plain text") from None
