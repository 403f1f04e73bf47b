"""Telling the authority, and asking it for what it has answered: read, call, write the result."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import structlog
from pydantic import ValidationError
from temporalio import activity

from activities.authority import (
    AuthorityClient,
    EntryEmployer,
    EntryPerson,
    EntryQuestion,
    ListEntry,
    Rejected,
    Report,
    ReportedFact,
)
from activities.errors import classified
from activities.origins import origin_of
from cases.health import rounds
from cases.incidents import refused_messages
from cases.shared.context import Context
from cases.shared.inboxes import Received
from domain.actors import system
from domain.answers import AuthorityAnswer
from domain.errors import Refused, Unavailable
from domain.incidents import IncidentKind
from domain.messages import CallInput, Course, PollInput
from programmes.talent_permit.authority import calls, polling
from programmes.talent_permit.authority import lost_acts as lost_answer_acts
from programmes.talent_permit.authority import outcomes as answers
from programmes.talent_permit.authority.calls import Order
from programmes.talent_permit.authority.known_entries import UNASKABLE, Found, choose
from programmes.talent_permit.authority.outcomes import Said
from temporal.engine import Engine
from temporal.telemetry import concerning, describe

_log = structlog.get_logger(__name__)
_PAGE: Final = 100
_POLL: Final = system("ask_authority")


class AuthorityCalls:
    """Calls to the exit-entry administration."""

    def __init__(self, context: Context, authority: AuthorityClient, engine: Engine) -> None:
        self._context, self._authority, self._engine = context, authority, engine

    @activity.defn(name="tell_authority")
    async def tell_authority(self, asked: CallInput) -> Course:
        """Make the calls that are due under a key, side by side, and write their results in one transaction.

        What got through is written although another did not; that one is due again under its own key. Where nothing
        got through, the same is tried again. With nothing to be sent, the answer says where the case stands.
        """
        with concerning(asked.reference, asked.caller), classified("tell_authority", asked):
            orders = await calls.find_orders(self._context, asked.reference, asked.key, asked.at)
            if not orders:
                return await calls.current_course(self._context, asked.reference)
            attempt = activity.info().attempt
            if attempt > 1:
                await calls.record_lost(self._context, orders, asked.at, origin_of(asked), attempt=attempt)
            sent = await asyncio.gather(*(self._send(order) for order in orders), return_exceptions=True)
            found = {order.key: result for order, result in zip(orders, sent, strict=True) if isinstance(result, Found)}
            results = {
                order.key: result.reason if isinstance(result, Rejected) else None
                for order, result in zip(orders, sent, strict=True)
                if result is None or isinstance(result, Rejected)
            }
            failed = [each for each in sent if isinstance(each, BaseException) and not isinstance(each, Rejected)]
            unanswered = [
                (order, each.reason) for order, each in zip(orders, sent, strict=True) if isinstance(each, Unavailable)
            ]
            if unanswered:
                await calls.record_unanswered(self._context, unanswered, asked.at, origin_of(asked), attempt=attempt)
            defect = next((each for each in failed if not isinstance(each, Unavailable)), None)
            course = None
            if results or found:
                course = await calls.record(
                    self._context, asked.reference, results, asked.at, origin_of(asked), attempt=attempt, found=found
                )
            if course is None or defect is not None:
                raise defect or failed[0]
            return course

    @activity.defn(name="ask_authority")
    async def ask_authority(self, asked: PollInput) -> int:
        """Show what the authority has not answered in time, and take in what it answered since the cursor."""
        with classified("ask_authority", asked):
            await polling.pass_watched(self._context, asked.at)
            for received in await lost_answer_acts.take_found(self._context):
                await self._engine.nudge(received.reference, str(received.command_id))
            taken = 0
            while True:
                cursor = await polling.cursor(self._context)
                page = await self._authority.answers(cursor, limit=_PAGE)
                # Most came by callback before; they are passed over together and not case by case.
                news = await polling.unknown_answers(self._context, await self._read(page.answers))
                for said in _by_case(news):
                    with concerning(said[0].answer.reference):
                        await self._take(said)
                    activity.heartbeat(taken)
                taken += len(page.answers)
                if page.next_cursor is not None and page.next_cursor != cursor:
                    await polling.move_cursor(self._context, page.next_cursor)
                if len(page.answers) < _PAGE:
                    await rounds.note_end(self._context, rounds.Round.AUTHORITY_POLL)
                    return taken

    async def _send(self, order: Order) -> Found | None:
        """Make a call; a list entry that the authority has already is returned, and is not sent again."""
        if order.what != "list_entry":
            report = Report(case=order.case, what=ReportedFact(order.what), on=order.on, reason=order.reason)
            await self._authority.report(order.key, report)
            return None
        if order.asks_first and (found := await self._find(order)) is not None:
            return found
        entry = ListEntry(
            case=order.case,
            destination=order.destination,
            registration_number=order.registration_number or "",
            registered_on=order.registered_on,
            employer=EntryEmployer(name_zh=order.employer_name, uscc=order.employer_uscc),
            person=EntryPerson(**order.person),
        )
        await self._authority.send_list_entry(order.key, entry)
        return None

    async def _find(self, order: Order) -> Found | None:
        """Ask which entries the authority has; where it cannot be asked, the call is made as ever."""
        question = EntryQuestion(
            case=order.case, destination=order.destination, identity_number=order.person["identity_number"]
        )
        try:
            known = await self._authority.find_list_entries(question)
        except Rejected as error:
            raise Rejected(error.status, error.fields, before=UNASKABLE) from None
        return await choose(self._context, order, known) if known else None

    async def _read(self, page: Sequence[Mapping[str, object]]) -> list[AuthorityAnswer]:
        """Return the answers of a page; one that is none goes before the operator."""
        read = []
        for raw in page:
            try:
                read.append(AuthorityAnswer.model_validate(dict(raw)))
            except ValidationError:
                await refused_messages.note_refused(self._context, _POLL, "invalid", kind=IncidentKind.AUTHORITY_ANSWER)
        return read

    async def _take(self, said: Sequence[Said]) -> None:
        """Take in answers about one case and let its workflow hear of them."""
        for result in await answers.receive_each(self._context, said):
            match result:
                case Received(command_id=None):
                    pass
                case Received():
                    await self._engine.nudge(result.reference, str(result.command_id))
                case Refused():
                    _log.info("answer_refused", code=result.code)
                case Unavailable():
                    raise result
                case _:
                    # One answer that cannot be taken in stops neither the others nor the cursor; an operator sees it.
                    _log.error("defect", step="take_answer", **describe(result))
                    await refused_messages.note_refused(
                        self._context, _POLL, "defect", kind=IncidentKind.AUTHORITY_ANSWER
                    )


def _by_case(given: Iterable[AuthorityAnswer]) -> list[list[Said]]:
    """Return answers by case, in their order."""
    by_case: dict[str, list[Said]] = {}
    for answer in given:
        by_case.setdefault(answer.reference, []).append(Said(_POLL, answer, source="poll"))
    return list(by_case.values())
