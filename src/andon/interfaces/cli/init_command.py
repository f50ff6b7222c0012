"""`andon init`: propose a model.yaml for a log, with reasons, and say what the log can never answer."""

from pathlib import Path

from andon.base import address
from andon.base.errors import BadInput
from andon.bootstrap.guessing import guess_model
from andon.interfaces.cli import guess_words, output, words
from andon.inventory.guess import Guess

STDOUT = "-"
DEFAULT = "model.yaml"


def run(logs: tuple[str, ...], out: str | None, *, as_json: bool, force: bool) -> None:
    """Write the proposal to `out` (`-` prints it); with `as_json` print the document, and write only where asked."""
    target = out if out is not None or as_json else DEFAULT
    if as_json and target == STDOUT:
        raise BadInput("-o - and --json would both print to stdout: leave one out")
    if target not in (None, STDOUT):
        _require_free(target, logs, force=force)
    guess = guess_model(logs)
    text = guess_words.model_yaml(guess, ", ".join(address.shown(log) for log in logs))
    if target == STDOUT:
        output.emit(text)
    elif target is not None:
        output.write(text, target)
    if as_json:
        output.emit_json(guess_words.document(guess))
    elif target not in (None, STDOUT):
        _tell(guess, target)


def _require_free(path: str, logs: tuple[str, ...], *, force: bool) -> None:
    output.require_place(path, logs, "-o")
    if Path(path).exists() and not force:
        raise BadInput(f"{path} is there already: name another file with -o, or write over it with --force")


def _tell(guess: Guess, path: str) -> None:
    lines = [f"Wrote {words.plain(path)}. Guessed:"]
    for each in guess.proposals:
        value = each.value if isinstance(each.value, str) else ", ".join(each.value)
        lines.append(f"  {each.key}: {value}  ({each.sureness}: {each.reason})")
    if guess.questions:
        lines += ["Only you can answer (left out; they stand in the file as comments):"]
        lines += [f"  {each.key}: {each.reason}" for each in guess.questions]
    if guess.unanswerable:
        lines += ["What this log can never answer:", *(f"  {text}" for text in guess.unanswerable)]
    output.emit("\n".join(words.plain(line) for line in lines) + "\n")
