"""Keys rotate while cases are under way: whichever process comes first, none of them sticks and nothing is lost."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import TimeSkipper

from cases.case.reads import open_person
from cases.keys.register import KeyHolder
from cases.keys.rewrapping import wrap_some
from domain.commands import CommandState
from domain.purposes import Purpose
from domain.service_keys import KeysRefusedError
from domain.stages import Stage
from programmes import CASE_TYPES
from programmes.talent_permit.permit_stages import PermitStage
from record.reconciliation.reconcile import reconcile_case
from store import tables
from store.keyring import Keyring, KeySet
from temporal.client import data_converter
from temporal.engine import TemporalEngine
from temporal.histories import TemporalHistories
from tests.cases.contexts import OFFICER, shared_keyring
from tests.workflows.world import Case, World, case_worker, open_world

KINDS = ("kek", "codec", "statement")
OTHER_PERSON: dict[str, Any] = {"identity_number": "33010619860128072X"}
THIRD_PERSON: dict[str, Any] = {"identity_number": "110101199003070038"}


@pytest_asyncio.fixture
async def park(clean_database: str, temporal_client: Client) -> AsyncIterator[World]:
    """A park whose workers a test starts."""
    async with open_world(clean_database, temporal_client, works=False) as world:
        yield world


def _beside(keyring: Keyring, *kinds: str) -> Keyring:
    """Return the keys with a new one of each kind beside them, which does not write yet."""
    changed: dict[str, Any] = {}
    for kind in kinds:
        keys: KeySet = getattr(keyring, kind)
        changed[kind] = replace(keys, keys={**keys.keys, "new": secrets.token_bytes(32)})
    return replace(keyring, **changed)


def _current(keyring: Keyring, *kinds: str) -> Keyring:
    """Return the keys with the new ones writing."""
    changed: dict[str, Any] = {kind: replace(getattr(keyring, kind), current="new") for kind in kinds}
    return replace(keyring, **changed)


def _alone(keyring: Keyring, kind: str) -> Keyring:
    """Return the keys with the one of a kind that writes, and none of before."""
    keys: KeySet = getattr(keyring, kind)
    alone: dict[str, Any] = {kind: replace(keys, keys={keys.current: keys.writing})}
    return replace(keyring, **alone)


def _with(park: World, keyring: Keyring) -> World:
    """Return the same park as a process with other keys sees it."""
    config = park.client.config()
    config["data_converter"] = data_converter(keyring)
    client = Client(**config)
    context = replace(park.context, keyring=keyring)
    return replace(
        park, context=context, client=client, skipper=TimeSkipper(client), engine=TemporalEngine(client, CASE_TYPES)
    )


@asynccontextmanager
async def _working(park: World) -> AsyncIterator[None]:
    async with httpx.AsyncClient(transport=park.authority.transport) as http, case_worker(park, http):
        yield


async def _open_incidents(park: World) -> list[tuple[str, str]]:
    return [(row["kind"], row["reason"]) for row in await park.rows(tables.incidents, state="open")]


async def _left(park: World) -> set[str]:
    return {row["kek_id"] for row in await park.rows(tables.data_keys) if row["wrapped"] is not None}


async def _refused(park: World) -> list[dict[str, Any]]:
    return await park.rows(tables.commands, state=CommandState.REFUSED.value)


@pytest.mark.parametrize("first", ["api", "worker"])
async def test_whichever_process_writes_with_the_new_keys_first_cases_go_on(park: World, first: str) -> None:
    known = _beside(shared_keyring(), *KINDS)
    before, after = _with(park, known), _with(park, _current(known, *KINDS))
    async with _working(before):
        case = await before.submit()
        other = await before.submit(**OTHER_PERSON)
        if first == "api":
            # The API writes with what is new, and a worker that only knows it reads that.
            case, other = Case(after, case.reference), Case(after, other.reference)
            third = await after.submit(**THIRD_PERSON)
        await case.approve()
    api = after if first == "api" else before
    async with _working(after):
        if first == "worker":
            # The worker writes with what is new, and an API that only knows it reads that.
            third = await api.submit(**THIRD_PERSON)
        assert (await Case(api, other.reference).decide("return", "identity_number_wrong")).progress == "applied"
        await Case(api, third.reference).approve()
        await Case(api, case.reference).issue()
        cases = [Case(after, each.reference) for each in (case, other, third)]
        for each in cases:
            await each.idle()

        assert "k1" in await _left(after)
        wrapped = 0
        while some := await _wrap(after):
            wrapped += some
        assert wrapped
        assert await _left(after) == {"new"}
        # The old key is taken away, and everything opens without it.
        bare = _with(after, _alone(after.context.keyring, "kek"))
        for each in cases:
            opened = await open_person(bare.context, OFFICER, each.reference, ("identity_number",), Purpose.CASE_REVIEW)
            assert opened
            histories = TemporalHistories(bare.client)
            assert (await reconcile_case(bare.context, histories, each.reference))[1] == []
    assert (await cases[0].permit()).stage == PermitStage.ISSUED
    assert await _open_incidents(park) == []
    assert await _refused(park) == []


async def _wrap(park: World) -> int:
    """Wrap some keys again, as a worker that was registered with its keys."""
    await KeyHolder(park.context, "worker").announce()
    return await wrap_some(park.context, most=2)


async def test_what_a_worker_has_no_key_for_yet_waits_for_it_and_is_no_incident(park: World) -> None:
    known = _beside(shared_keyring(), *KINDS)
    api, behind = _with(park, _current(known, *KINDS)), _with(park, shared_keyring())
    await KeyHolder(api.context, "api").announce()
    # A check at start refuses such a worker; should it run all the same, cases wait and do not stick.
    with pytest.raises(KeysRefusedError):
        await KeyHolder(behind.context, "worker").announce()
    case = await api.submit(start=False)
    async with _working(behind):
        assert await api.engine.start(case.reference)
        await _until_task_failed(case)
        assert await _open_incidents(park) == []
    async with _working(_with(park, known)):
        await case.until(lambda file: file.assessment() is not None, seconds=60)
        await case.approve()
    assert await _open_incidents(park) == []


async def test_a_step_that_has_no_key_for_it_yet_is_tried_again(park: World) -> None:
    known = _beside(shared_keyring(), "kek", "statement")
    wrapping, signing = [_with(park, _current(known, kind)) for kind in ("kek", "statement")]
    for api in (wrapping, signing):
        await KeyHolder(api.context, "api").announce()
    async with _working(_with(park, known)):
        cases = [await wrapping.submit(), await signing.submit(**OTHER_PERSON)]
        for case in cases:
            await case.idle()
    async with _working(_with(park, shared_keyring())):
        decided = [asyncio.create_task(case.decide("approve")) for case in cases]
        for case in cases:
            await case.until_activity()
            assert await case.stage() is Stage.UNDER_REVIEW
        assert (await _open_incidents(park), await _refused(park)) == ([], [])
    async with _working(_with(park, known)):
        assert {reply.progress for reply in await asyncio.gather(*decided)} <= {"applied", "pending"}
        for case in cases:
            await case.until(lambda file: file.stage is not Stage.UNDER_REVIEW, seconds=60)
    assert (await _open_incidents(park), await _refused(park)) == ([], [])


async def _until_task_failed(case: Case, seconds: float = 20.0) -> None:
    """Wait until a workflow task is tried again."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        described = (await case.handle.describe()).raw_description
        if described.HasField("pending_workflow_task") and described.pending_workflow_task.attempt > 1:
            return
        assert asyncio.get_running_loop().time() < end, "no workflow task failed"
        await asyncio.sleep(0.1)
