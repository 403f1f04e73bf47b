"""Callbacks about one case that come at the same moment, as those about Hong Kong and Macao do, in one transaction."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final

from cases.shared.context import Context
from cases.shared.inboxes import Received
from programmes.talent_permit.authority.outcomes import Said, receive_each
from programmes.talent_permit.permit_stages import Destination

# The authority's system sends its answers on both destinations side by side, some milliseconds apart.
GATHER_SECONDS: Final = 0.04


@dataclass(slots=True)
class _Waiting:
    """Answers about one case, each with who waits for its outcome; `whole` once there is one on each destination."""

    answers: list[tuple[Said, "asyncio.Future[Received]"]] = field(default_factory=list)
    whole: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, said: Said, outcome: "asyncio.Future[Received]") -> None:
        self.answers.append((said, outcome))
        if len({each.answer.destination for each, _ in self.answers}) == len(Destination):
            self.whole.set()


class Gathering:
    """Takes answers in as `answers.receive` does; each one waits a moment for the other about its case."""

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
        if reference not in self._waiting:
            self._waiting[reference] = _Waiting()
            task = asyncio.create_task(self._take(reference))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        self._waiting[reference].add(said, outcome)
        return await outcome

    async def _take(self, reference: str) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await self._waiting[reference].whole.wait()
        waiting = self._waiting.pop(reference).answers
        results = await receive_each(self._context, [said for said, _ in waiting])
        for (_, outcome), result in zip(waiting, results, strict=True):
            if outcome.done():
                continue  # its caller is gone
            if isinstance(result, Exception):
                outcome.set_exception(result)
            else:
                outcome.set_result(result)
