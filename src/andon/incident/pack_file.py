"""A pack from the content of its file: what is wrong with it is said by place."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from andon.base.errors import BadInput

Pack = TypeVar("Pack", bound=BaseModel)


def parse_pack(kind: type[Pack], content: Mapping[str, object], name: str) -> Pack:
    """A pack of a kind; `name` is what its file is called.

    Raises:
        BadInput: it is not valid.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the top"
        raise BadInput(f"{name} is not valid at {place}: {first['msg'].removeprefix('Value error, ')}") from None
