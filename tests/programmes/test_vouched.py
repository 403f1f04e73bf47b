"""Once only between appraisal and work permits: what one verified stands as proof in the other, and falls with it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import pytest_asyncio
from sqlalchemy import text
from temporalio.client import Client

from cases.case.evidence import proved
from domain.errors import need
from domain.stages import Stage
from programmes.appraisal.tables import recognition
from programmes.appraisal.words import RecognitionStage
from record.reconciliation.reconcile import list_differences
from store.tables import commands
from tests.api.callers import Caller
from tests.programmes.appraisal import people
from tests.programmes.park import Park, served
from tests.programmes.test_once_only import heard
from tests.programmes.work_permit.forms import FORM
from tests.programmes.work_permit.room import take_on
from tests.workflows.killed_worker import worker_to_kill
from tests.workflows.test_killed import working
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import MONDAY, Case, open_world

PASSPORT: Final = FORM["person"]["document"]
# Nothing is proved by the employer's own papers.
DECLARED: Final = {**FORM, "evidence": []}
FALLEN: Final = {"reasons": [{"code": "evidence_revoked"}]}
# Whoever tells the case something waits for this; a row that names the case does not.
_HOLD: Final = text("SELECT FROM cases WHERE reference = :reference FOR NO KEY UPDATE")
_WAITS: Final = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
)
TAKEN: Final = {"education": "doctor", "experience_years": 8, "talent_programme": True}
Answer = dict[str, Any]


@pytest_asyncio.fixture
async def park(clean_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(clean_database, temporal_client, start=MONDAY) as world,
        served(world, clean_database) as park,
    ):
        yield park


@pytest_asyncio.fixture
async def idle_park(clean_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    """A park in which nobody works but where the test says so."""
    async with (
        open_world(clean_database, temporal_client, start=MONDAY, works=False) as world,
        served(world, clean_database) as park,
    ):
        yield park


def me(park: Park) -> Caller:
    claims = {f"document_{name}": PASSPORT[name] for name in ("kind", "place", "number")}
    return park.caller("person-1", **claims)


async def applied(park: Park, evidence: Any = people.POINTS) -> tuple[Case, str]:
    given = people.form(evidence=evidence)
    given["person"] |= {"document": PASSPORT, "birth_date": FORM["person"]["birth_date"]}
    case = await people.applied_by(park, me(park), given)
    return case, f"/v1/appraisals/{case.reference}"


async def recognised(park: Park) -> tuple[Case, str]:
    case, there = await applied(park)
    await people.recognise(park, case)
    return case, there


async def offers(park: Park, by: str | Caller, here: str) -> list[Answer]:
    found: list[Answer] = (await park.ask(by, "GET", f"{here}/offers"))["items"]
    return found


async def own_offers(park: Park, case: Case) -> dict[str, Answer]:
    items = (await park.ask(me(park), "GET", "/v1/me/offers", reference=case.reference))["items"]
    return {each["item"]: each for each in items}


async def released_and_taken(park: Park, case: Case, here: str, by: str = "employer-b") -> None:
    """Let the person release all that is on offer, and the employer take it over."""
    for offer in (await own_offers(park, case)).values():
        asked = {"reference": case.reference, "offer": offer["offer"]}
        await park.ask(me(park), "POST", "/v1/me/releases", asked, expects=202)
    for offer in await offers(park, by, here):
        assert (offer["consent"], offer["source_reference"]) == ("person", None)
        await park.ask(by, "POST", f"{here}/take-over", {"offer": offer["offer"]}, expects=202)
    await case.until(lambda file: proved(file) == TAKEN)


async def verified(park: Park, here: str, by: str = "officer-1") -> tuple[int, str]:
    shown = (await park.ask(by, "GET", here))["points"]["verified"]
    return shown["total"], shown["category"]


async def nothing_differs(park: Park) -> None:
    night = await nightly_round(park.world)
    assert ((await list_differences(park.world.context))[0], night.differing, night.unchecked) == ([], 0, 0)


async def test_what_appraisal_verified_proves_a_work_permit_until_it_falls_there(park: Park) -> None:
    old, there = await recognised(park)
    new, here = await take_on(park, DECLARED, by="employer-b")
    # The employer who confirmed the employment is told no more than any other.
    assert await offers(park, "employer-b", here) == []
    mine = await own_offers(park, new)
    certificate = need(recognition(await old.file()), "recognition").certificate
    assert {item: (each["value"], each["source_item"], each["number"]) for item, each in mine.items()} == {
        "education": ("doctor", "education", None),
        "experience_years": (8, "experience_years", None),
        "talent_programme": (None, "appraisal_recognition", certificate),
    }  # fmt: skip
    assert await verified(park, here) == (0, "C")
    await released_and_taken(park, new, here)
    await heard(old)
    # By the table of 2018: 20 of the degree, 11 of eight years; whoever is of a talent programme is of category A.
    assert await verified(park, here) == (31, "C")
    shown = await park.ask("employer-b", "GET", here)
    assert {each["source_programme"] for each in shown["evidence"]} == {"appraisal"}
    assert old.reference not in str(shown)
    # Who saw it there does not decide here.
    approve = {"action": "approve", "round": 1, "reasons": [{"code": "document_seen"}]}
    refused = await park.ask("officer-2", "POST", f"{here}/decision", approve, expects=409)
    assert refused["code"] == "evidence_seen_by_decider"
    await nothing_differs(park)

    suspended = {"reasons": [{"code": "false_statement_suspected"}]}
    await park.ask("officer-1", "POST", f"{there}/suspension", suspended)
    await heard(new)
    file = await new.file()
    assert (file.stage, proved(file)) == (Stage.UNDER_REVIEW, {"education": "doctor", "experience_years": 8})
    assert [(await case.notices()).count("evidence_source_fell") for case in (new, old)] == [2, 0]
    assert await own_offers(park, new) == {}
    # Valid again, it is on offer again; and it takes the person's word again.
    await park.ask("officer-1", "POST", f"{there}/restoration", {})
    assert set(await own_offers(park, new)) == {"talent_programme"}
    assert await offers(park, "employer-b", here) == []
    await nothing_differs(park)


async def test_what_falls_after_the_decision_is_told_by_workers_that_are_killed(
    idle_park: Park, clean_database: str
) -> None:
    park = idle_park
    async with working(park.world):
        old, there = await recognised(park)
        new, here = await take_on(park, DECLARED, by="employer-b")
        await released_and_taken(park, new, here)
        await heard(old)
        approve = {"action": "approve", "round": 1, "reasons": [{"code": "document_seen"}]}
        shown = await park.ask("officer-1", "POST", f"{here}/decision", approve)
        if shown["stage"] == "awaiting_confirmation":
            await park.ask("supervisor", "POST", f"{here}/confirmation", {"action": "confirm", "round": shown["round"]})
        await new.skip(park.world.context.limits.settling + timedelta(seconds=5))
        await new.until(lambda file: file.row.settled)
    # The degree falls where it was seen, and with it the recognition; as what stands on it is being told, the worker is
    # killed amid its transaction.
    async with worker_to_kill(park.world, clean_database) as process, park.world.context.database.begin() as holds:
        await holds.execute(_HOLD, {"reference": new.reference})
        await park.ask("officer-1", "POST", f"{there}/evidence/1/fallen", FALLEN)
        for each in await park.world.rows(commands, reference=new.reference, state="stored"):
            await park.world.engine.nudge(new.reference, str(each["command_id"]))
        async with asyncio.timeout(30):
            while not (await holds.execute(_WAITS)).scalar_one():  # noqa: ASYNC110 - no event tells of a lock
                await asyncio.sleep(0.05)
        process.kill()
        await process.wait()
    file = await old.file()
    assert need(recognition(file), "recognition").stage == RecognitionStage.SUSPENDED
    told = await park.world.rows(commands, reference=new.reference, state="stored")
    assert ({each["kind"] for each in told}, len(told), proved(await new.file())) == ({"source_fell"}, 2, TAKEN)
    async with working(park.world):
        for each in (*told, *told):
            await park.world.engine.nudge(new.reference, str(each["command_id"]))
        for each in told:
            await new.applied(str(each["command_id"]))
        await new.idle()
        await nothing_differs(park)
    file = await new.file()
    assert (file.stage, proved(file)) == (Stage.APPROVED, {"experience_years": 8})
    assert [(await new.acts()).count(act) for act in ("decided", "evidence_fallen")] == [1, 2]
    assert (await new.notices()).count("evidence_source_fell") == 4
    (task,) = [each for each in file.tasks if each.kind == "evidence_fallen"]
    assert len(task.detail["evidence"]) == 2


async def test_what_a_work_permit_verified_proves_an_appraisal_which_is_suspended_with_it(park: Park) -> None:
    degree = FORM["evidence"][0]
    old, there = await take_on(park, {**FORM, "evidence": [degree]}, by="employer-b")
    seen = {"result": "proved", "value": "doctor", "seen_in": "the original", "round": 1}
    await park.ask("officer-2", "POST", f"{there}/evidence/1/seen", seen)
    new, here = await applied(park, evidence=people.POINTS[1:])
    (offer,) = await offers(park, me(park), here)
    assert (offer["item"], offer["value"], offer["source_reference"]) == ("education", "doctor", old.reference)
    # The employer who confirms the employment has no part in it.
    await park.ask("employer-a", "GET", f"{here}/offers", expects=403)
    await park.ask(me(park), "POST", f"{here}/take-over", {"offer": offer["offer"]}, expects=202)
    await new.until(lambda file: proved(file) == {"education": "doctor"})
    await heard(old)
    pieces = (await new.file()).application.model_dump(mode="json")["evidence"]
    for number, said in enumerate(pieces, start=1):
        value = {} if said["value"] is None else {"value": said["value"]}
        proves = {"result": "proved", "seen_in": "the original", "round": 1, **value}
        await park.ask("officer-2", "POST", f"{here}/evidence/{number}/seen", proves)
    await people.answered(park, new)
    done = await park.ask("officer-1", "POST", f"{here}/decision", {"action": "approve", "round": 1})
    assert done["stage"] == "approved", done
    await new.skip(park.world.context.limits.settling + timedelta(seconds=5))
    await new.until(lambda file: (row := recognition(file)) is not None and row.stage == RecognitionStage.VALID)
    await new.idle()

    await park.ask("officer-1", "POST", f"{there}/evidence/1/fallen", FALLEN)
    await heard(new)
    file = await new.file()
    row = recognition(file)
    assert row is not None
    assert (file.stage, row.stage, row.suspended_for) == (
        Stage.APPROVED, RecognitionStage.SUSPENDED, ["appraisal_evidence_fallen"],
    )  # fmt: skip
    assert "evidence_fallen" in await new.open_tasks()
    await nothing_differs(park)
