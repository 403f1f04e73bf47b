"""Signed requests stay as they were signed: after a corrected identity number, and after an erasure."""

import hashlib
from typing import Any

from sqlalchemy import update

from domain.commands import CommandKind
from domain.decisions import ConfirmationAction, HoldAction, HoldRequest
from domain.erasure import ErasureConfirmation, ErasureReason, ErasureRequest
from privacy import erasures
from programmes.talent_permit.requests import CorrectionRequest
from proof.statements import body_hash, verify
from record.reconciliation.reconcile import reconcile_case
from store import tables
from temporal.histories import TemporalHistories
from tests.cases.contexts import EMPLOYER_A, OFFICER, SUPERVISOR, SUPERVISOR_2
from tests.workflows.world import Case, World, new_key

OTHER_NUMBER = "33010619860128072X"


async def _returned_and_corrected(world: World) -> tuple[Case, dict[Any, str]]:
    """Return a case for its identity number, let the employer give another one; the statements are those before."""
    case = await world.submit()
    held = HoldRequest(action=HoldAction.PLACE, reason="legal_question")
    await case.ask(OFFICER, CommandKind.HOLD, held)
    await case.ask(OFFICER, CommandKind.HOLD, HoldRequest(action=HoldAction.RELEASE, reason="legal_question"))
    assert (await case.decide("return", "identity_number_wrong")).progress == "applied"
    signed = await _statements(world, case)
    corrected = CorrectionRequest.model_validate({"person": {"identity_number": OTHER_NUMBER}})
    await case.ask(EMPLOYER_A, CommandKind.CORRECT, corrected)
    await case.until(lambda file: file.round == 2 and file.assessment() is not None)
    await case.idle()
    return case, signed


async def _statements(world: World, case: Case) -> dict[Any, str]:
    rows = await world.rows(tables.commands, reference=case.reference)
    return {row["command_id"]: row["statement"] for row in rows}


async def _differences(case: Case) -> list[Any]:
    _, found = await reconcile_case(case.world.context, TemporalHistories(case.world.client), case.reference)
    return found


async def test_a_corrected_identity_number_leaves_every_signed_request_as_it_was(world: World) -> None:
    case, signed = await _returned_and_corrected(world)
    assert await _differences(case) == []
    assert signed.items() <= (await _statements(world, case)).items()
    keys = world.context.keyring.statement_keys()
    told = {row["statement_hash"] for row in await world.rows(tables.ledger, chain=case.reference)} - {None}
    rows = await world.rows(tables.commands, reference=case.reference)
    kept = [row for row in rows if row["statement"] is not None]
    assert told <= {hashlib.sha256(row["statement"].encode()).digest() for row in kept}
    for row in kept:
        said = verify(row["statement"], keys)
        assert (said.command_id, said.kind) == (str(row["command_id"]), row["kind"])
        if row["body"] is not None:
            now = verify(row["resealed"], keys)
            differ = {"body_hash": now.body_hash, "key_id": now.key_id}
            assert (said.model_copy(update=differ), now.body_hash) == (now, body_hash(row["body"]))


async def test_an_erasure_after_it_leaves_nothing_that_differs(world: World) -> None:
    case, _ = await _returned_and_corrected(world)
    await case.ask(EMPLOYER_A, CommandKind.WITHDRAW, {})
    await case.ended()
    async with world.context.database.begin() as connection:
        await connection.execute(update(tables.deliveries).values(status="sent"))
    asked = ErasureRequest(reason=ErasureReason.PERSON_ASKED)
    await erasures.propose(world.context, SUPERVISOR, case.reference, asked, new_key())
    said = ErasureConfirmation(action=ConfirmationAction.CONFIRM)
    await erasures.confirm(world.context, SUPERVISOR_2, case.reference, said, new_key())
    assert await _differences(case) == []
