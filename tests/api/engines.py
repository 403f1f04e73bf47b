"""The engine of API tests: the case's own step, run in place of the workflow that would run it."""

from cases.commands.advance import advance
from cases.shared.context import Context
from domain.messages import StandingInput
from register.rollout import get_change, spread_chunk
from temporal.engine import Told
from temporal.histories import Run, RunHistory


class InlineEngine:
    """Applies what is stored at once; `away` is a Temporal that does not answer, `failing` one whose updates fail."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.away = False
        self.failing = False
        self.started: list[str] = []
        self.resumed: list[str] = []

    async def start(self, reference: str, correlation_id: str = "", *, employer_id: str = "") -> bool:
        self.started.append(reference)
        return await self._advance(reference)

    async def decide(self, reference: str, command_id: str, correlation_id: str = "") -> Told:
        if self.failing:
            return Told.FAILED
        return Told.ANSWERED if await self._advance(reference) else Told.NOT_ANSWERED

    async def nudge(
        self, reference: str, command_id: str, correlation_id: str = "", *, is_resume: bool = False
    ) -> bool:
        self.resumed += [reference] if is_resume else []
        return await self._advance(reference)

    async def start_standing(self, employer_id: str, standing: StandingInput, *, is_unspread: bool = False) -> bool:
        if self.away:
            return False
        change = await get_change(self._context, standing.change_id)
        told, _ = await spread_chunk(self._context, change, standing.at, "")
        for reference, _command_id in told:
            await self._advance(reference)
        return True

    async def is_up(self) -> bool:
        return not self.away

    async def _advance(self, reference: str) -> bool:
        if self.away:
            return False
        await advance(self._context, reference, self._context.clock())
        return True


class NoHistories:
    """The histories of an engine that keeps none."""

    async def runs_of(self, workflow_id: str) -> list[Run]:
        return []

    async def fetch(self, run: Run) -> RunHistory | None:
        return None
