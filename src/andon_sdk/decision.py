"""A decision while it is being made."""

from collections.abc import Callable, MutableMapping
from typing import Any, TypeVar

from andon_sdk import wire

T = TypeVar("T")
ANSWERS = (str, int, float, bool, type(None))


class Decision:
    """Fields of a prediction that is not recorded yet; whatever is set on it becomes one."""

    id: str
    fields: MutableMapping[str, Any]

    def __init__(self, record_step: Callable[..., str], model_id: str, fields: MutableMapping[str, Any]) -> None:
        fields.setdefault("id", wire.new_id())
        for name, value in (
            ("_record_step", record_step),
            ("_model_id", model_id),
            ("fields", fields),
            ("id", fields["id"]),
        ):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:  # type: ignore[explicit-override]  # `override` needs 3.12
        self.fields[name] = value

    def step(self, name: str, **fields: Any) -> None:
        """Record a step on the way: input, output."""
        self._record_step(self._model_id, self.id, name, **fields)

    def answered(self, result: T) -> T:
        """Note the answer: as `prediction` where it is a plain value, else as `output`."""
        self.fields.setdefault("prediction" if isinstance(result, ANSWERS) else "output", result)
        return result

    def ended(self, kind: type[BaseException] | None, _error: object, _traceback: object) -> None:
        """Note how it ended; an error's text may hold personal data and is not recorded."""
        if kind is not None:
            self.fields["status_code"] = "error"
            self.fields["flags"] = [*self.fields.get("flags", ()), kind.__name__]

    _record_step: Callable[..., str]
    _model_id: str
