"""Thousands of alike are one line: what makes a cause, resuming by cause, and what closes by itself."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import insert, select, text, update

from bench.people import identity_number
from cases.commands.resume import resume_cause, resume_next
from cases.incidents import rows as incident_rows
from cases.incidents.causes import list_causes, list_of_cause, open_by_kind, read_cause
from cases.incidents.stopped import open_incident
from cases.incidents.views import CauseView
from cases.shared.context import Context
from domain.actors import Actor, Role
from domain.commands import CommandKind
from domain.errors import Refused
from domain.incidents import Healed, IncidentKind
from domain.languages import Language
from programmes.talent_permit.registration import accept
from programmes.talent_permit.requests import RegistrationRequest
from record.reconciliation.evidence import Difference
from record.reconciliation.reconcile import end_workflow_lines, keep_differences, mark_gone, note_unchecked
from store.tables import commands, incidents
from tests.cases.contexts import EMPLOYER_A, Clock, key, load_samples, open_context, registration_body
from texts.incidents import INCIDENTS, incident_help

OPERATOR = Actor(issuer="test", subject="operator", role=Role.OPERATOR, correlation_id="causes")


class Told:
    """An engine that notes whom it told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def nudge(
        self, reference: str, command_id: str, correlation_id: str = "", *, is_resume: bool = False
    ) -> bool:
        assert is_resume
        self.told.append(reference)
        return True


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        await load_samples(context)
        yield context


async def _note(context: Context, **row: Any) -> UUID:
    values = {"incident_id": uuid4(), "state": "open", "at": context.clock(), "step": "seal", "reason": "x"} | row
    async with context.database.begin() as connection:
        await connection.execute(insert(incidents).values(values))
    return UUID(str(values["incident_id"]))


async def _causes(context: Context) -> list[CauseView]:
    return (await list_causes(context, OPERATOR, Language.EN))[0]


async def _submit(context: Context, count: int) -> list[str]:
    references = []
    for serial in range(count):
        body = registration_body(identity_number=identity_number(serial))
        accepted = await accept(context, EMPLOYER_A, RegistrationRequest.model_validate(body), key())
        references.append(accepted.reference)
    return references


async def _stick(
    context: Context, references: Sequence[str], place: str = "cases/decisions/settling.py:40 settle"
) -> None:
    for reference in references:
        await open_incident(context, reference, "advance", "KeyError", context.clock(), place=place)


async def test_what_only_one_case_has_is_no_part_of_a_cause(context: Context) -> None:
    same = (
        [{"kind": "stuck", "step": "advance", "reason": "KeyError", "place": f"a/b.py:{line} run"} for line in (3, 91)],
        [{"kind": "record_differs", "step": "answer_missing", "reason": f"outcome_id={name}"} for name in "abc"],
        [{"kind": "record_differs", "step": "not_compared", "reason": "error=KeyError"}] * 2,
        [{"kind": "history_missing", "step": f"registration/{n}", "reason": f"{n} days_left={n}"} for n in (1, 2)],
        [{"kind": "history_missing", "step": f"registration/{n}", "reason": f"{n} unreadable"} for n in (1, 2)],
        [{"kind": "history_missing", "step": "history_missing", "reason": "run_id=1 seq=2"}],
        [{"kind": "ledger_altered", "reason": f"hash_differs: row {n} of HT-{n}"} for n in (1, 2)],
        [{"kind": "defect", "step": "GET /v1/tasks", "reason": "KeyError", "place": "a/b.py:3 run"}],
        [{"kind": "defect", "step": "GET /v1/tasks", "reason": "KeyError", "place": "a/c.py:3 run"}],
    )
    for rows in same:
        for row in rows:
            await _note(context, **row)
    lines = await _causes(context)
    assert sorted(line.incidents for line in lines) == sorted(len(rows) for rows in same)
    assert len({line.id for line in lines}) == len(same)
    assert await open_by_kind(context) == {
        "stuck": 2, "record_differs": 5, "history_missing": 5, "ledger_altered": 2, "defect": 2,
    }  # fmt: skip


async def test_a_cause_is_one_line_with_how_many_since_when_the_first_and_the_list_of_all(context: Context) -> None:
    references = await _submit(context, 7)
    since = context.clock()
    await _stick(context, references)
    async with context.database.begin() as connection:
        one = update(incidents).where(incidents.c.reference == references[3])
        await connection.execute(one.values(times=3, last_at=since.replace(hour=23)))
    (line,) = await _causes(context)
    assert (line.kind, line.step, line.reason, line.place) == (
        "stuck", "advance", "KeyError", "cases/decisions/settling.py settle",
    )  # fmt: skip
    assert (line.incidents, line.cases, line.times, line.resuming) == (7, 7, 9, 0)
    assert (line.since, line.last_at) == (since, since.replace(hour=23))
    assert len(line.first_references) == 5
    assert set(line.first_references) < set(references)
    assert line.help.by == "POST /v1/incident-causes/{id}/resume"
    listed, after = await list_of_cause(context, OPERATOR, UUID(line.id), limit=4)
    rest, end = await list_of_cause(context, OPERATOR, UUID(line.id), after=after, limit=4)
    assert ({each.reference for each in listed + rest}, end) == (set(references), None)
    assert {each.cause for each in listed} == {line.id}
    await _note(context, kind="defect")
    first, after = await list_causes(context, OPERATOR, Language.EN, limit=1)
    second, end = await list_causes(context, OPERATOR, Language.EN, after=after, limit=1)
    assert ({first[0].kind, second[0].kind}, end) == ({"stuck", "defect"}, None)


async def test_one_call_lets_all_cases_of_a_cause_go_on_and_names_the_one_that_is_still_broken(
    context: Context,
) -> None:
    references = await _submit(context, 3)
    await _stick(context, references)
    broken = references[1]
    flip = text(
        "UPDATE applications SET body = set_byte(body, length(body) - 1, 255 - get_byte(body, length(body) - 1))"
        " WHERE reference = :reference"
    )
    async with context.database.begin() as connection:
        await connection.execute(flip, {"reference": broken})
    (line,) = await _causes(context)
    request, engine = key(), Told()
    first = await resume_cause(context, OPERATOR, UUID(line.id), request, Language.EN)
    assert (first.progress, first.body["resuming"], first.body["closed"]) == ("stored", 3, 0)
    again = await resume_cause(context, OPERATOR, UUID(line.id), request, Language.EN)
    assert again.body == first.body
    assert [each.incidents for each in await _causes(context)] == [3]

    assert await resume_next(context, engine, most=2) == 2
    assert [await resume_next(context, engine) for _ in range(2)] == [1, 0]
    assert sorted(engine.told) == sorted({*references} - {broken})
    (line,) = await _causes(context)
    assert (line.incidents, line.resuming, line.still_wrong) == (1, 0, 1)
    ((left,), _) = await list_of_cause(context, OPERATOR, UUID(line.id))
    assert left.reference == broken
    assert (left.still_wrong or "").startswith("sealed_value_altered cases/case/parts.py:")
    async with context.database.begin() as connection:
        stored = await connection.execute(
            select(commands.c.reference, commands.c.actor).where(commands.c.kind == CommandKind.RESUME.value)
        )
        asked = {row.reference: row.actor["subject"] for row in stored}
        await connection.execute(flip, {"reference": broken})
    assert asked == {reference: "operator" for reference in references if reference != broken}

    await resume_cause(context, OPERATOR, UUID(line.id), key(), Language.EN)
    assert await resume_next(context, engine) == 1
    assert engine.told[-1] == broken
    assert await _causes(context) == []
    with pytest.raises(Refused, match="not_found"):
        await resume_cause(context, OPERATOR, UUID(line.id), key(), Language.EN)


async def test_lines_that_no_case_waits_for_are_closed_at_once(context: Context) -> None:
    for name in "ab":
        await _note(context, kind="record_differs", step="answer_missing", reason=f"outcome_id={name}")
    other = await _note(context, kind="defect")
    line = next(each for each in await _causes(context) if each.kind == "record_differs")
    reply = await resume_cause(context, OPERATOR, UUID(line.id), key(), Language.EN)
    assert (reply.progress, reply.body["closed"], reply.body["resuming"]) == ("applied", 2, 0)
    closed, _ = await list_of_cause(context, OPERATOR, UUID(line.id), "resumed")
    assert [each.state for each in closed] == ["resumed"] * 2
    (left,) = await _causes(context)
    ((open_one,), _) = await list_of_cause(context, OPERATOR, UUID(left.id))
    assert open_one.id == str(other)
    with pytest.raises(Refused, match="not_found"):
        await read_cause(context, OPERATOR, UUID(line.id), Language.EN)


async def test_a_difference_that_is_gone_closes_its_line_and_comes_back_as_a_new_one(context: Context) -> None:
    (reference,) = await _submit(context, 1)
    found = [Difference("answer_missing", {"outcome_id": "a"})]
    at = context.clock()
    assert await keep_differences(context, reference, found, at, is_complete=True) == 1
    assert await keep_differences(context, reference, [], at, is_complete=False) == 0
    assert len(await _causes(context)) == 1
    await keep_differences(context, reference, [], at, is_complete=True)
    assert await _causes(context) == []
    (closed,) = await _rows(context)
    assert (closed["state"], closed["closed_reason"]) == ("ended", Healed.DIFFERENCE_GONE)
    assert await keep_differences(context, reference, found, at, is_complete=True) == 1
    assert await keep_differences(context, reference, found, at, is_complete=True) == 0
    (again,) = await _rows(context)
    assert (again["state"], again["times"], again["closed_reason"]) == ("open", 2, None)
    await mark_gone(context, reference, at.replace(hour=23))
    assert (await _rows(context))[0]["state"] == "ended"


async def test_a_case_that_is_compared_again_closes_its_line_until_it_cannot_be_again(context: Context) -> None:
    reference, other = await _submit(context, 2)
    for each in (reference, other):
        await note_unchecked(context, each, "KeyError")
    for each in (reference, other):
        await keep_differences(context, each, [], context.clock(), is_complete=True)
    await note_unchecked(context, other, "KeyError")
    states = {row["reference"]: row["closed_reason"] or row["state"] for row in await _rows(context)}
    assert states == {reference: Healed.COMPARED, other: "open"}


async def test_workflows_that_nobody_found_ended_since_the_night_before_are_back(context: Context) -> None:
    at, kind = context.clock(), IncidentKind.WORKFLOW_ENDED.value
    quiet = await _note(context, kind=kind, step="revive", reason="terminated", at=at - timedelta(days=1))
    await _note(context, kind=kind, step="revive", reason="canceled", at=at - timedelta(days=2), last_at=at)
    await _note(context, kind="notice", at=at - timedelta(days=2))
    await end_workflow_lines(context)
    closed = [(row["incident_id"], row["closed_reason"]) for row in await _rows(context) if row["state"] != "open"]
    assert closed == [(quiet, Healed.WORKFLOW_BACK)]


async def test_what_an_operator_closed_is_not_said_to_have_healed(context: Context) -> None:
    await _note(context, kind="notice", state="resumed")
    async with context.database.begin() as connection:
        which = incidents.c.kind == "notice"
        assert await incident_rows.end(connection, context.clock(), Healed.REACHED, "test", which) == 0


def test_every_kind_says_what_it_is_what_to_do_and_by_what() -> None:
    assert set(INCIDENTS) == {*IncidentKind, "other"}
    assert all(set(parts) == {"says", "to_do", "by"} for parts in INCIDENTS.values())
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")
    for kind in IncidentKind:
        told = incident_help(kind, Language.EN)
        assert f'<a id="{told["anchor"]}"></a>`{kind}` | {told["says"]} | {told["to_do"]} | `{told["by"]}` |' in page


async def _rows(context: Context) -> list[dict[str, Any]]:
    async with context.database.begin() as connection:
        query = select(incidents).order_by(incidents.c.kind, incidents.c.reference)
        return [dict(row) for row in (await connection.execute(query)).mappings()]
