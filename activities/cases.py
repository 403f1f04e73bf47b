"""The steps of a case, one transaction each; each may run twice, and twice at once."""

import structlog
from temporalio import activity

from activities.errors import classified
from activities.origins import origin_of
from cases.commands import store as commands
from cases.commands.advance import advance
from cases.commands.signals import take_signalled
from cases.incidents import stopped
from cases.shared import lost_cases
from cases.shared.context import Context
from domain.actors import system
from domain.commands import CommandState
from domain.messages import CASE_GONE, CommandOutcome, CommandRef, Course, IncidentInput, SignalledDecision, StepInput
from temporal.telemetry import concerning

_log = structlog.get_logger(__name__)


class CaseSteps:
    """Steps on the register."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn(name="assess")
    async def assess(self, asked: StepInput) -> Course:
        """Take the case up, apply the rules in force on the day of acceptance, and open its review."""
        with concerning(asked.reference, asked.caller), classified("assess", asked):
            actor = system("assess", asked.correlation_id)
            return await advance(self._context, asked.reference, asked.at, actor, origin_of(asked))

    @activity.defn(name="advance")
    async def advance(self, asked: StepInput) -> Course:
        """Apply what is stored for the case in its order, and what time has brought."""
        with concerning(asked.reference, asked.caller), classified("advance", asked):
            actor = system("advance", asked.correlation_id)
            return await advance(self._context, asked.reference, asked.at, actor, origin_of(asked))

    @activity.defn(name="take_signalled")
    async def take_signalled(self, asked: SignalledDecision) -> Course:
        """Store a signalled decision as a command under the message's id, and apply it."""
        with concerning(asked.reference, asked.caller), classified("take_signalled", asked):
            actor = system("take_signalled", asked.correlation_id)
            await take_signalled(self._context, asked.reference, asked.decision, asked.at, origin_of(asked))
            return await advance(self._context, asked.reference, asked.at, actor, origin_of(asked))

    @activity.defn(name="find_outcome")
    async def find_outcome(self, command: CommandRef) -> CommandOutcome:
        """Return what became of a command."""
        with classified("find_outcome"):
            state, outcome = await commands.find_outcome(self._context, command.uuid())
            code = outcome.get("code") if state is CommandState.REFUSED else None
            return CommandOutcome(command_id=command.command_id, state=state, code=code)

    @activity.defn(name="open_incident")
    async def open_incident(self, asked: IncidentInput) -> str:
        """Put a case that cannot go on before the operator; of one that is not there, say so in a line, and return."""
        with concerning(asked.reference, asked.caller), classified("open_incident", asked, keeps_trying=True):
            if asked.reason == "case_unknown" and await lost_cases.note_gone(self._context, asked.reference):
                _log.warning("case_gone", reference=asked.reference, step=asked.step)
                return CASE_GONE
            return await stopped.open_incident(
                self._context, asked.reference, asked.step, asked.reason, asked.at, origin_of(asked), place=asked.place
            )
