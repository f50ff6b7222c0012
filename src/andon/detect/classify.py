"""The type of an incident, from the shape of its findings; each rule gives its reason (the table of types)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signs:
    """What the findings of one cause have in common, as facts a rule can read.

    Attributes:
        nulls: values stopped arriving.
        impossible: a number far outside all that the reference has (another unit, a default, a broken sensor).
        stopped: a number that varied has come to a stop at one value.
        new_value: a category that the reference does not have.
        value_vanished: a known category is all but gone (the same thing under another name, or not delivered).
        inputs_moved: features whose values moved, in the slice or everywhere.
        decisions_moved: the model's decisions moved.
        errors_moved: by its labels the model got better or worse.
        sliced: only one part of the traffic is concerned.
        protected: that part is a protected group.
        version: the model version that is to blame, if one is.
        stale: a number is the entity's previous one more often than it was (no longer refreshed).
        labels_missing: the labels that should be there by now did not arrive.
        left_behind: a feature that goes with the one that moved, and stayed.
    """

    nulls: bool
    impossible: bool
    stopped: bool
    new_value: bool
    value_vanished: bool
    inputs_moved: tuple[str, ...]
    decisions_moved: bool
    errors_moved: bool
    sliced: bool
    protected: bool
    version: str | None = None
    labels_missing: bool = False
    stale: bool = False
    left_behind: str | None = None


def classify(signs: Signs) -> tuple[str, str]:
    """Slug of the type and the rule that gave it; the narrower cause wins."""
    moved = ", ".join(signs.inputs_moved[:3])
    rules = (
        (signs.nulls, "data_pipeline_corruption", f"values of {moved} stopped arriving"),
        (signs.impossible, "data_pipeline_corruption", f"{moved} is far outside all that the reference has"),
        (signs.stopped, "data_pipeline_corruption", f"{moved} varied, and has come to a stop at one value"),
        (
            signs.value_vanished,
            "data_pipeline_corruption",
            f"a known value of {moved} vanished: renamed or no longer delivered, not a new world",
        ),
        (signs.stale, "data_pipeline_corruption", f"{moved} is no longer refreshed: each entity keeps its old value"),
        (signs.labels_missing, "data_pipeline_corruption", "labels stopped arriving, so nobody knows how good it is"),
        (signs.new_value, "model_drift", f"a value of {moved} that the reference does not have has come up"),
        (
            bool(signs.inputs_moved) and signs.sliced,
            "data_pipeline_corruption",
            f"{moved} moved in one part of the traffic only: a feed broke there, the world did not change",
        ),
        (
            signs.left_behind is not None,
            "data_pipeline_corruption",
            f"{moved} moved, and {signs.left_behind}, which goes with it, did not: recorded otherwise, not a new world",
        ),
        (bool(signs.inputs_moved), "model_drift", f"{moved} moved in all traffic"),
        (
            signs.protected,
            "bias_and_fairness_violation",
            "decisions about a protected group moved while its inputs did not",
        ),
        (
            signs.errors_moved,
            "model_performance_degradation",
            "the labels say so, and the inputs do not explain it",
        ),
        (True, "model_performance_degradation", "decisions moved while the inputs did not"),
    )
    return next((slug, reason) for holds, slug, reason in rules if holds)
