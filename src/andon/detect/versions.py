"""Which versions of the model are new in a log, and when each came."""

import numpy as np

from andon.detect.history import History
from andon.detect.planning import VERSION, Watched
from andon.telemetry.plan import CategoryCoding


def new_versions(watched: Watched, history: History) -> dict[int, tuple[str, int]]:
    """Versions that the reference does not have and that came after the log began: name and first bucket by code."""
    coding = watched.codings.get(VERSION)
    if not isinstance(coding, CategoryCoding):
        return {}
    counts, known = history.counts(VERSION), history.reference_counts(VERSION).sum(axis=0)
    names = dict(enumerate(coding.values)) | history.names(VERSION)
    came = {}
    for code in np.flatnonzero((counts.sum(axis=0) > 0) & (known == 0)).tolist():
        first = int(np.argmax(counts[:, code] > 0))
        if code in names and first > 0:
            came[code] = names[code], first
    return came
