"""Telling the world outside, and asking it for what it has answered: read, call, write the result."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporalio import activity

from activities.authority import AuthorityClient, Rejected
from activities.errors import classified
from activities.origins import origin_of
from cases.calls import making
from cases.calls.making import Order
from cases.commands import watched
from cases.health import rounds
from cases.programme import programmes_of
from cases.shared.context import Context
from domain.errors import Unavailable
from domain.messages import CallInput, Course, PollInput
from domain.outward import Known
from temporal.engine import Engine
from temporal.telemetry import concerning


@dataclass(frozen=True, slots=True)
class _Taken:
    """A call was made and taken."""


_TAKEN = _Taken()


class AuthorityCalls:
    """Calls to the authority, as the programme of a case declares them."""

    def __init__(self, context: Context, authority: AuthorityClient, engine: Engine) -> None:
        self._context, self._authority, self._engine = context, authority, engine

    @activity.defn(name="tell_authority")
    async def tell_authority(self, asked: CallInput) -> Course:
        """Make the calls that are due under a key, side by side, and write their results in one transaction.

        What got through is written although another did not; that one is due again under its own key. Where nothing
        got through, the same is tried again. With nothing to be sent, the answer says where the case stands.
        """
        with concerning(asked.reference, asked.caller), classified("tell_authority", asked):
            orders = await making.find_orders(self._context, asked.reference, asked.key, asked.at)
            if not orders:
                return await making.current_course(self._context, asked.reference)
            attempt, origin = activity.info().attempt, origin_of(asked)
            if attempt > 1:
                await making.record_lost(self._context, orders, asked.at, origin, attempt=attempt)
            sent = await asyncio.gather(*(self._send(order) for order in orders), return_exceptions=True)
            by_key = [(order.key, result) for order, result in zip(orders, sent, strict=True)]
            found = {key: each for key, each in by_key if not isinstance(each, BaseException | _Taken)}
            results = {
                key: each.reason if isinstance(each, Rejected) else None
                for key, each in by_key
                if isinstance(each, Rejected | _Taken)
            }
            failed = [each for each in sent if isinstance(each, BaseException) and not isinstance(each, Rejected)]
            unanswered = [
                (order, each.reason) for order, each in zip(orders, sent, strict=True) if isinstance(each, Unavailable)
            ]
            if unanswered:
                await making.record_unanswered(self._context, unanswered, asked.at, origin, attempt=attempt)
            defect = next((each for each in failed if not isinstance(each, Unavailable)), None)
            course = None
            if results or found:
                course = await making.record(
                    self._context, asked.reference, results, asked.at, origin, attempt=attempt, found=found
                )
            if course is None or defect is not None:
                raise defect or failed[0]
            return course

    @activity.defn(name="ask_authority")
    async def ask_authority(self, asked: PollInput) -> int:
        """Show what was not answered in time, and take in what was answered, as each programme declares its poll."""
        with classified("ask_authority", asked):
            await watched.pass_watched(self._context, asked.at)
            taken = 0
            for each in programmes_of(self._context):
                if each.poll is not None:
                    taken += await each.poll(_Poll(self._context, self._authority, self._engine))
            await rounds.note_end(self._context, rounds.Round.AUTHORITY_POLL)
            return taken

    async def _send(self, order: Order) -> Known | _Taken:
        """Make a call; where what it tells is known there already, that is returned, and the call is not made."""
        if order.question is not None and (known := await self._find(order)) is not None:
            return known
        await self._authority.send(order.key, order.message)
        return _TAKEN

    async def _find(self, order: Order) -> Known | None:
        """Ask what is known there; where that cannot be asked, the call is made as ever."""
        if order.question is None:
            return None
        try:
            answer = await self._authority.ask(order.question.message)
        except Rejected as error:
            raise Rejected(error.status, error.fields, before=order.question.refused_as) from None
        return None if answer is None else await order.question.read(self._context, answer)


@dataclass(frozen=True, slots=True)
class _Poll:
    """The way of a poll to the authority and back to the engine."""

    context: Context
    authority: AuthorityClient
    engine: Engine

    async def read(self, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        """Return what the authority answers there."""
        return await self.authority.read(path, params)

    async def nudge(self, reference: str, command_id: str) -> None:
        """Let the workflow of a case hear of a stored command."""
        await self.engine.nudge(reference, command_id)

    def beat(self, done: int) -> None:
        """Say that the poll goes on."""
        activity.heartbeat(done)
