"""The engine on whichever connection a worker has now, for what goes on whether or not Temporal is there."""

from dataclasses import dataclass

from domain.messages import StandingInput
from temporal.engine import TemporalEngine


@dataclass(slots=True)
class LatestEngine:
    """Hands on to the engine of now; where there is none yet Temporal counts as away, and the sweeper sends later."""

    engine: TemporalEngine | None = None

    async def start(self, reference: str, correlation_id: str = "", *, employer_id: str = "") -> bool:
        """Start the workflow of a case. False when Temporal is away."""
        return self.engine is not None and await self.engine.start(reference, correlation_id, employer_id=employer_id)

    async def nudge(
        self, reference: str, command_id: str, correlation_id: str = "", *, is_resume: bool = False
    ) -> bool:
        """Tell a case of a stored command without waiting. False when Temporal is away."""
        return self.engine is not None and await self.engine.nudge(
            reference, command_id, correlation_id, is_resume=is_resume
        )

    async def start_standing(self, employer_id: str, standing: StandingInput, *, is_unspread: bool = False) -> bool:
        """Start spreading a change of standing. False when Temporal is away."""
        return self.engine is not None and await self.engine.start_standing(
            employer_id, standing, is_unspread=is_unspread
        )
