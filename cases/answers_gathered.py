"""Callbacks about one case that come at the same moment, as those about Hong Kong and Macao do, in one transaction."""

import asyncio
from typing import Final

from cases.answers import Received, Said, receive_each
from cases.context import Context

# The authority's system sends its answers on both destinations side by side, some milliseconds apart.
GATHER_SECONDS: Final = 0.04
_Waiting = list[tuple[Said, "asyncio.Future[Received]"]]


class Gathering:
    """Takes answers in as `answers.receive` does; each one waits a moment for others about its case."""

    def __init__(self, context: Context, seconds: float = GATHER_SECONDS) -> None:
        self._context, self._seconds = context, seconds
        self._waiting: dict[str, _Waiting] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def receive(self, said: Said) -> Received:
        """Take in one answer.

        Raises:
            Refused: as `answers.receive`.
        """
        outcome: asyncio.Future[Received] = asyncio.get_running_loop().create_future()
        reference = said.answer.reference
        if reference in self._waiting:
            self._waiting[reference].append((said, outcome))
        else:
            self._waiting[reference] = [(said, outcome)]
            task = asyncio.create_task(self._take(reference))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await outcome

    async def _take(self, reference: str) -> None:
        await asyncio.sleep(self._seconds)
        waiting = self._waiting.pop(reference)
        results = await receive_each(self._context, [said for said, _ in waiting])
        for (_, outcome), result in zip(waiting, results, strict=True):
            if outcome.done():
                continue  # its caller is gone
            if isinstance(result, Exception):
                outcome.set_exception(result)
            else:
                outcome.set_result(result)
