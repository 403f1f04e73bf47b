"""Lines of the operator: those about no case, and a case whose facts cannot be opened."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text

from bench.people import identity_number
from cases.case.reads import list_cases
from cases.commands.advance import advance
from cases.commands.resume import resume
from cases.incidents.refused_messages import note_refused
from cases.incidents.stopped import list_incidents, open_incident
from cases.incidents.views import IncidentView
from cases.shared.context import Context
from cases.tasks.inbox import list_tasks
from domain.actors import Actor, Role, system
from domain.errors import Defect, Refused
from domain.incidents import IncidentKind
from domain.stages import Stage
from programmes.talent_permit.requests import RegistrationRequest
from tests.cases.contexts import EMPLOYER_A, Clock, key, load_samples, open_context, registration_body
from tests.cases.taking_on import accept

OPERATOR = Actor(issuer="test", subject="operator", role=Role.OPERATOR, correlation_id="incidents")


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        await load_samples(context)
        yield context


async def test_closing_a_line_twice_under_one_key_gives_the_first_answer_again(context: Context) -> None:
    await note_refused(context, system("receive"), "case_unknown", kind=IncidentKind.AUTHORITY_ANSWER)
    ((line,), _) = await list_incidents(context, OPERATOR)
    first, request = None, key()
    for _ in range(2):
        reply, reference, command_id = await resume(context, OPERATOR, _id(line), request)
        first = first or reply
        assert (reply.body, reference, command_id) == (first.body, None, None)
    assert await list_incidents(context, OPERATOR) == ([], None)


async def test_a_line_is_closed_once(context: Context) -> None:
    await note_refused(context, system("receive"), "case_unknown", kind=IncidentKind.AUTHORITY_ANSWER)
    ((line,), _) = await list_incidents(context, OPERATOR)
    await resume(context, OPERATOR, _id(line), key())
    with pytest.raises(Refused, match="already_decided"):
        await resume(context, OPERATOR, _id(line), key())


async def test_a_case_whose_facts_cannot_be_opened_stands_in_the_list_and_hurts_no_other(context: Context) -> None:
    damaged, other = [await _submit(context, serial) for serial in range(2)]
    await _flip_last_byte(context, damaged)
    with pytest.raises(Defect, match="sealed_value_altered"):
        await advance(context, damaged, context.clock())
    opened_at = context.clock()
    await open_incident(context, damaged, "assess", "sealed_value_altered", opened_at)
    ((line,), _) = await list_incidents(context, OPERATOR)
    assert (line.reference, line.step, line.reason) == (damaged, "assess", "sealed_value_altered")
    shown, _ = await list_cases(context, EMPLOYER_A)
    assert {case.reference: case.person.identity_number is None for case in shown} == {
        damaged: True,
        other: False,
    }
    await _flip_last_byte(context, damaged)
    await resume(context, OPERATOR, _id(line), key())
    # The answer to the step that opened the incident was lost, so that it runs again after the resume.
    await open_incident(context, damaged, "assess", "sealed_value_altered", opened_at)
    assert (await advance(context, damaged, context.clock())).stage is Stage.UNDER_REVIEW
    assert await list_incidents(context, OPERATOR) == ([], None)


async def test_a_case_of_which_a_row_cannot_be_read_is_put_before_the_operator_and_goes_on_once_it_is_mended(
    context: Context,
) -> None:
    reference = await _submit(context, 0)
    due = "UPDATE cases SET due_at = :at WHERE reference = :reference"
    await _run(context, due, reference, at=datetime(9999, 12, 31, 23, tzinfo=UTC))
    await _run(
        context,
        "INSERT INTO deadlines (reference, employer_id, kind, state, at)"
        " SELECT reference, employer_id, 'correction', 'waiting', due_at FROM cases"
        " WHERE reference = :reference",
        reference,
    )
    with pytest.raises(ValueError, match="isoformat"):
        await advance(context, reference, context.clock())

    opened_at, place = context.clock(), "store/rows/base.py:1 _parsed"
    ids = [await open_incident(context, reference, "advance", "ValueError", opened_at, place=place) for _ in range(2)]
    ((line,), _) = await list_incidents(context, OPERATOR)
    assert ids == [line.id] * 2
    assert (line.reference, line.kind, line.place, line.times) == (reference, "stuck", place, 1)
    with pytest.raises(Refused, match="still_broken") as refused:
        await resume(context, OPERATOR, _id(line), key())
    assert refused.value.facts["reason"] == "ValueError"
    assert refused.value.facts["place"].startswith("store/rows/base.py:")
    assert await list_incidents(context, OPERATOR) == ([line], None)

    await _run(context, "UPDATE cases SET due_at = NULL WHERE reference = :reference", reference)
    mended = "UPDATE deadlines SET at = now(), state = 'cancelled' WHERE reference = :reference AND kind = 'correction'"
    await _run(context, mended, reference)
    await resume(context, OPERATOR, _id(line), key())
    assert (await advance(context, reference, context.clock())).stage is Stage.UNDER_REVIEW
    assert await list_incidents(context, OPERATOR) == ([], None)
    assert (await list_tasks(context, OPERATOR))[0] == []


async def _run(context: Context, statement: str, reference: str, **values: Any) -> None:
    async with context.database.begin() as connection:
        await connection.execute(text(statement), {"reference": reference, **values})


async def _submit(context: Context, serial: int) -> str:
    body = registration_body(identity_number=identity_number(serial))
    accepted = await accept(context, EMPLOYER_A, RegistrationRequest.model_validate(body), key())
    return accepted.reference


async def _flip_last_byte(context: Context, reference: str) -> None:
    async with context.database.begin() as connection:
        flip = text(
            "UPDATE applications SET body = set_byte(body, length(body) - 1, 255 - get_byte(body, length(body) - 1))"
            " WHERE reference = :reference"
        )
        await connection.execute(flip, {"reference": reference})


def _id(line: IncidentView) -> UUID:
    return UUID(line.id)
