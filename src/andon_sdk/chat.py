"""Watches a client of the OpenAI form: each chat completion is a prediction."""

from typing import Any

from andon_sdk.recorder import Recorder


class WatchedChat:
    """Creates chat completions through a client (`openai.OpenAI()` or alike) and records each.

    Recorded are the messages, the answer, why it ended, the model asked for and the model that answered. Streams are
    not recorded: `create` refuses `stream=True`.
    """

    def __init__(self, client: Any, recorder: Recorder, model_id: str, **fields: Any) -> None:
        self._client, self._recorder, self._model_id, self._fields = client, recorder, model_id, fields

    def create(self, **asked: Any) -> Any:
        """`client.chat.completions.create(**asked)`, recorded; its id is the prediction's."""
        if asked.get("stream"):
            raise ValueError("streams are not recorded: ask without stream=True")
        inputs = {"messages": asked.get("messages"), "model": asked.get("model")}
        with self._recorder.decision(self._model_id, inputs=inputs, **self._fields) as decision:
            answer = self._client.chat.completions.create(**asked)
            choice = answer.choices[0]
            decision.output = {"content": choice.message.content, "finish_reason": choice.finish_reason}
            decision.model_version = answer.model
            decision.status_code = 200
            decision.fields["id"] = answer.id or decision.id
        return answer
