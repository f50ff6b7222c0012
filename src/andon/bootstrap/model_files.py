"""Reads what a `model.yaml` declares."""

from andon.base.errors import BadInput
from andon.bootstrap.yaml_file import read_yaml
from andon.inventory.model import Model
from andon.inventory.model_file import parse_model


def read_model(path: str, *, strict: bool = False) -> Model:
    """The model that a `model.yaml` declares."""
    content = read_yaml(path, "model file", "name the model.yaml with --model")
    if not isinstance(content, dict):
        raise BadInput(f"{path} holds no keys: write `id_column: …` and the other keys of a model.yaml into it")
    return parse_model(content, strict=strict)
