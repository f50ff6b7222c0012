"""What is refused when a log does not lead to what was signed."""

from andon.base.errors import Tampered
from andon.ledger.checkpoint import Checkpoint
from andon.ledger.log import Log
from andon.ledger.merkle import NodeAt, range_root


def require_grown(nodes: NodeAt, size: int, old: Checkpoint) -> None:
    """Refuse a log of `size` that does not begin with what a checkpoint signed.

    Raises:
        Tampered: it is shorter, or has another root at the checkpoint's size.
    """
    if old.size > size:
        raise Tampered(
            f"the log was rolled back: the checkpoint covers {old.size} entries, the log has {size};"
            f" entries {size} to {old.size - 1} are gone"
        )
    if range_root(nodes, 0, old.size) != old.root:
        raise Tampered(f"history was rewritten: entries 0 to {old.size - 1} are not those that the checkpoint signs")


def broken_tree(log: Log, what: str) -> Tampered:
    """What to say where the proof of something does not lead to the root that is signed."""
    log.require_sound_tree()
    return Tampered(
        f"the proof of {what} does not lead to the signed root: something that was stored is damaged, andon evidence"
        " verify log finds it; nothing was handed out"
    )
