"""Erasing and retention over real histories: none of them names anybody, and rounds go on where a worker died."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from sqlalchemy import update
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.retention import RetentionSteps
from domain.actors import Actor, Role
from domain.case_requests import WithdrawalRequest
from domain.commands import CommandKind
from domain.decisions import ConfirmationAction
from domain.erasure import ErasureConfirmation, ErasureReason, ErasureRequest
from domain.errors import Unavailable
from domain.messages import (
    REGISTRATION_QUEUE,
    RETENTION_WORKFLOW,
    RetentionCount,
    RetentionRound,
)
from privacy import erasures, retention
from programmes import CASE_TYPES
from record.reconciliation.reconcile import reconcile_case
from store import tables
from temporal.histories import TemporalHistories
from tests.privacy.sweep import places_of
from tests.record.telling import story_of
from tests.workflows.test_archive import archive_round
from tests.workflows.world import EMPLOYER_A, SUPERVISOR, Case, World, new_key

AUDITOR = Actor(issuer="test", subject="auditor", role=Role.AUDITOR)
SUPERVISOR_2 = Actor(issuer="test", subject="supervisor-2", role=Role.SUPERVISOR)
WORDS = [word.encode() for word in ("冯承泽", "44030419900307123X", "feng@example.com", "13812345678", "C12345678")]


async def _withdrawn(world: World, **person: Any) -> Case:
    case = await world.submit(**person)
    await case.ask(EMPLOYER_A, CommandKind.WITHDRAW, WithdrawalRequest(reason="冯承泽不来了"))
    await case.handle.result()
    async with world.context.database.begin() as connection:
        await connection.execute(update(tables.deliveries).values(status="sent"))
    return case


async def test_histories_and_their_archive_name_nobody_and_agree_after_an_erasure(world: World) -> None:
    case = await _withdrawn(world)
    await archive_round(world)
    histories = TemporalHistories(world.client)
    before, _ = await story_of(world.context, histories, AUDITOR, case.reference)
    assert await places_of(world.context, WORDS)
    request = ErasureRequest(reason=ErasureReason.PERSON_ASKED)
    await erasures.propose(world.context, SUPERVISOR, case.reference, request, new_key())
    said = ErasureConfirmation(action=ConfirmationAction.CONFIRM)
    await erasures.confirm(world.context, SUPERVISOR_2, case.reference, said, new_key())
    assert await places_of(world.context, WORDS) == set()
    (run,) = await histories.runs_of(CASE_TYPES.id_of(case.reference))
    live = await histories.fetch(run)
    assert live is not None
    assert case.reference.encode() in live.content
    assert not any(word in live.content for word in WORDS)
    evidence, found = await reconcile_case(world.context, histories, case.reference)
    assert (evidence.state_hashes, evidence.contents, found) == (None, None, [])
    after, _ = await story_of(world.context, histories, AUDITOR, case.reference)
    new = [each for each in after["items"] if each not in before["items"]]
    assert [each["what"] for each in new] == ["erasure_proposed", "key_destroyed"]
    assert len(after["items"]) == len(before["items"]) + 2


async def test_a_round_goes_on_where_it_broke_off_and_an_idle_one_does_nothing(world: World) -> None:
    first = await _withdrawn(world)
    second = await _withdrawn(world, identity_number="440304197001010012", permit_card_number="C87654321")
    steps, done, real = RetentionSteps(world.context), 0, retention.erase_due

    async def dies_after_one(*given: object) -> bool:
        nonlocal done
        if done:
            raise Unavailable("database")
        done += 1
        return await real(*given)  # type: ignore[arg-type]

    environment, beats = ActivityEnvironment(), list[tuple[object, ...]]()
    environment.on_heartbeat = lambda *details: beats.append(details)
    night = RetentionRound(at=world.clock() + timedelta(days=3 * 366))
    with patch.object(retention, "erase_due", dies_after_one), pytest.raises(ApplicationError, match="database"):
        await environment.run(steps.erase_due, night)
    assert len(beats) == 1
    environment.info = environment.info.__class__(**{**vars(environment.info), "heartbeat_details": beats[-1]})
    counted = await environment.run(steps.erase_due, night)
    assert (counted.erased, counted.kept) == (2, 0)
    rows = await world.rows(tables.ledger, act="key_destroyed")
    assert {row["reference"] for row in rows} == {first.reference, second.reference}
    idle: RetentionCount = await world.client.execute_workflow(
        RETENTION_WORKFLOW, id=f"retention-{uuid4()}", task_queue=REGISTRATION_QUEUE, result_type=RetentionCount
    )
    assert (idle.erased, idle.kept, idle.rosters, idle.not_replayed) == (0, 0, 0, 0)
    assert await world.rows(tables.cursors, name="round/retention", value="ended")
