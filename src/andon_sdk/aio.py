"""The recorder for asyncio: the same events; whatever may wait, waits beside the loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

from andon_sdk.audit import Audited
from andon_sdk.decision import Decision
from andon_sdk.recorder import Recorder


class AsyncRecorder:
    """Takes what `Recorder` takes; `recorder` is the one within, for decorators."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        self.recorder = Recorder(*args, **settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def prediction(self, model_id: str, **fields: Any) -> str:
        """Record what a model answered."""
        return await asyncio.to_thread(self.recorder.prediction, model_id, **fields)

    async def outcome(self, model_id: str, prediction_id: str, label: Any, **fields: Any) -> str:
        """Record what turned out to be true of a prediction."""
        return await asyncio.to_thread(self.recorder.outcome, model_id, prediction_id, label, **fields)

    async def review(self, model_id: str, prediction_id: str, reviewer: str, decision: Any, **fields: Any) -> str:
        """Record a person's look at a prediction."""
        return await asyncio.to_thread(self.recorder.review, model_id, prediction_id, reviewer, decision, **fields)

    async def step(self, model_id: str, prediction_id: str, name: str, **fields: Any) -> str:
        """Record a step on the way to a prediction."""
        return await asyncio.to_thread(self.recorder.step, model_id, prediction_id, name, **fields)

    @asynccontextmanager
    async def decision(self, model_id: str, **fields: Any) -> AsyncIterator[Decision]:
        """Record what happens inside an `async with`."""
        context = self.recorder.decision(model_id, **fields)

        async def leave(*how: Any) -> bool | None:
            return await asyncio.to_thread(context.__exit__, *how)

        async with AsyncExitStack() as stack:
            made = context.__enter__()
            stack.push_async_exit(leave)
            yield made

    async def flush(self, seconds: float = 30.0) -> bool:
        """Wait until the server has all events on its disk."""
        return await asyncio.to_thread(self.recorder.flush, seconds)

    async def audit(self) -> Audited:
        """Check a sample of what was sent against the log."""
        return await asyncio.to_thread(self.recorder.audit)

    async def close(self, seconds: float = 5.0) -> None:
        """Send what waits, for so long."""
        await asyncio.to_thread(self.recorder.close, seconds)
