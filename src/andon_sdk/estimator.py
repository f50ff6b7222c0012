"""Watches a scikit-learn estimator: each row that it answers is a prediction."""

from typing import Any

from andon_sdk.recorder import Recorder


class Watched:
    """An estimator whose `predict` is recorded, with the probability of the answer where it has one.

    Everything else is the estimator's own. Rows may be a data frame, an array or lists; `ids`, the names of the rows'
    predictions, come back in `last_ids`, for their outcomes.
    """

    def __init__(self, estimator: Any, recorder: Recorder, model_id: str, **fields: Any) -> None:
        self._estimator, self._recorder, self._model_id, self._fields = estimator, recorder, model_id, fields
        self.last_ids: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._estimator, name)

    def predict(self, rows: Any, **more: Any) -> Any:
        """Answer rows, and record each."""
        answers = self._estimator.predict(rows, **more)
        chances = self._estimator.predict_proba(rows) if hasattr(self._estimator, "predict_proba") else None
        self.last_ids = [
            self._recorder.prediction(
                self._model_id,
                inputs=inputs,
                prediction=_plain(answer),
                score=None if chances is None else float(max(chances[place])),
                **self._fields,
            )
            for place, (inputs, answer) in enumerate(zip(self._named(rows), answers, strict=True))
        ]
        return answers

    def _named(self, rows: Any) -> list[dict[str, Any]]:
        if hasattr(rows, "to_dict"):  # a data frame
            found: list[dict[str, Any]] = rows.to_dict("records")
            return found
        names = getattr(self._estimator, "feature_names_in_", None)
        return [
            {str(names[i]) if names is not None else f"x{i}": _plain(value) for i, value in enumerate(row)}
            for row in rows
        ]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
