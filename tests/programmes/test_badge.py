"""A person owns a case: one asks for themself, an employer confirms its part of it, staff decides, by the real API."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from domain.messages import DeliveryRound
from domain.notices import Channel
from domain.parties import NO_PERSON, Part, Party, person_tenant
from domain.stages import Stage
from privacy.sign_in import address_hash, redeem
from programmes import PROGRAMMES
from record.reconciliation.reconcile import list_differences
from store.tables import cases, commands, deliveries, metadata, notices, sign_in_links
from tests.activities.test_deliveries import delivering
from tests.activities.test_mail import Relay, running
from tests.api.callers import Caller
from tests.e2e.people import identity_number
from tests.programmes.badge import migration
from tests.programmes.badge.programme import BADGE
from tests.programmes.badge.tables import badge_employments, employment
from tests.programmes.badge.words import EmploymentStage
from tests.programmes.park import Park, served
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import MONDAY, Case, open_world

WITH_BADGES = {**PROGRAMMES, BADGE.code: BADGE}
MINE, OTHERS = identity_number(0), identity_number(1)


@pytest_asyncio.fixture
async def park(badge_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(badge_database, temporal_client, start=MONDAY, programmes=WITH_BADGES) as world,
        served(world, badge_database) as park,
    ):
        yield park


def _me(park: Park, number: str = MINE) -> Caller:
    return park.caller("person-1", document_kind="resident_identity_card", document_number=number)


def _form(number: str = MINE, employer: str = "emp-a", **more: Any) -> dict[str, Any]:
    person = {"name_zh": "欧阳娜", "identity_number": number, "email": "nana@example.com"}
    return {"person": person, "employment": {"employer": employer, "position": "工程师"}, **more}


async def _asked(park: Park) -> Case:
    taken = await park.ask(_me(park), "POST", "/v1/badges", _form(), expects=202)
    assert (taken["programme"], taken["reference"][:3], taken["employment"]) == ("badge", "BG-", None)
    case = Case(park.world, taken["reference"])
    park.world.started.append(case.reference)
    await case.until_stage(Stage.UNDER_REVIEW)
    return case


async def _answered(park: Park, case: Case, verb: str = "confirmed") -> None:
    await park.ask("employer-a", "POST", f"/v1/badges/{case.reference}/employment/{verb}", {}, expects=202)
    await case.until(lambda file: (row := employment(file)) is not None and row.stage == verb)


async def test_a_person_applies_an_employer_confirms_and_staff_decides(park: Park) -> None:
    case = await _asked(park)
    here, me = f"/v1/badges/{case.reference}", _me(park)
    relay = Relay()
    async with running(relay) as port, delivering(park.world.context, relay_port=port) as out:
        await ActivityEnvironment().run(out.deliver, DeliveryRound(channel=Channel.MAIL, rounds=1))
    told = {str(mail["To"]): str(mail["Subject"]) for mail in relay.mails}
    assert len(told) == 2, told
    assert [subject for to, subject in told.items() if to != "nana@example.com"] == [f"请确认用工 {case.reference}"]

    decision = {"action": "approve", "round": 1}
    await park.ask("officer-1", "POST", f"{here}/decision", decision, expects=409)
    (part,) = (await park.ask("employer-a", "GET", "/v1/badges/employment"))["items"]
    assert part == await park.ask("employer-a", "GET", f"{here}/employment")
    assert part | {"due_at": None} == {
        "reference": case.reference, "name": "欧阳娜", "position": "工程师", "stage": "asked", "due_at": None,
    }  # fmt: skip
    await _answered(park, case)
    await park.ask("employer-a", "POST", f"{here}/employment/denied", {}, expects=409)
    assert (await park.ask("officer-1", "POST", f"{here}/decision", decision))["stage"] == "approved"
    await case.skip(park.world.context.limits.settling + timedelta(seconds=5))
    await case.until(lambda file: file.row.settled)
    await case.idle()
    seen = await park.ask(me, "GET", here)
    assert (seen["stage"], seen["employment"], seen["in_force"]) == ("approved", "confirmed", True)
    assert seen["registration_number"]
    assert (await park.ask(me, "GET", "/v1/badges"))["items"] == [seen]
    assert {"badge_asked", "badge_confirmed"} <= set(await case.acts())
    assert (await case.notices()).count("badge_asked") == 1
    story = await park.ask("auditor", "GET", f"/v1/audit/cases/{case.reference}/history")
    assert "The employer confirmed." in str(story)
    night = await nightly_round(park.world)
    assert (await list_differences(park.world.context))[0] == []
    assert (night.cases, night.differing, night.unchecked) == (1, 0, 0)


async def test_whoever_is_no_party_of_a_persons_case_meets_nothing_of_it(park: Park) -> None:
    case = await _asked(park)
    here, other = f"/v1/badges/{case.reference}", _me(park, OTHERS)
    # Another person, who is new, one who has a case of their own, and one without a document.
    await park.ask(other, "GET", here, expects=404)
    assert (await park.ask(other, "GET", "/v1/badges"))["items"] == []
    await park.ask(other, "POST", "/v1/badges", _form(), expects=422)
    theirs = await park.ask(other, "POST", "/v1/badges", _form(OTHERS, "emp-b"), expects=202)
    park.world.started.append(theirs["reference"])
    for path in (here, f"{here}/employment"):
        await park.ask(other, "GET", path, expects=404 if path == here else 403)
    await park.ask(other, "POST", f"{here}/withdrawal", {}, expects=404)
    await park.ask("person-1", "GET", here, expects=403)
    await park.ask("person-1", "POST", "/v1/badges", _form(), expects=403)
    # The employer that confirms another's, one that confirms this one's, and what neither may.
    assert [each["reference"] for each in (await park.ask(_me(park), "GET", "/v1/badges"))["items"]] == [case.reference]
    await park.ask("employer-b", "GET", f"{here}/employment", expects=404)
    await park.ask("employer-b", "POST", f"{here}/employment/confirmed", {}, expects=404)
    for persona in ("employer-a", "employer-b"):
        for path in (here, "/v1/badges", "/v1/badges/export.csv"):
            await park.ask(persona, "GET", path, expects=403)
        await park.ask(persona, "POST", "/v1/badges", _form(), expects=403)
        await park.ask(persona, "POST", f"{here}/withdrawal", {}, expects=403)
        for path, query in (("person", {"fields": "name_zh"}), ("receipts", {}), ("facts", {})):
            await park.ask(persona, "GET", f"{here}/{path}", expects=404, **query)
    assert await park.ask(_me(park), "POST", f"{here}/employment/confirmed", {}, expects=403)


async def test_postgresql_shows_each_party_its_own_part(park: Park) -> None:
    case = await _asked(park)
    context = park.world.context
    async with context.database.begin() as connection:
        person_id = (await connection.execute(select(cases.c.person_id))).scalar_one()
    seen: dict[str, list[str]] = {}
    for tenant in (person_tenant(person_id), person_tenant(uuid4()), NO_PERSON, "emp-a", "emp-b"):
        for table in (*metadata.sorted_tables, badge_employments):
            if "reference" in table.c and "employer_id" in table.c:
                async with context.database.begin(tenant) as connection:
                    if (
                        await connection.execute(select(table.c.reference).where(table.c.reference == case.reference))
                    ).first():
                        seen.setdefault(tenant, []).append(table.name)
    assert set(seen) == {person_tenant(person_id), "emp-a"}
    assert {"applications", "badge_employments", "cases", "commands", "ledger", "notices"} <= set(
        seen[person_tenant(person_id)]
    )
    assert sorted(seen["emp-a"]) == ["badge_employments", "case_parties", "notices"]

    row = {"command_id": uuid4(), "reference": case.reference, "employer_id": person_tenant(person_id), "at": MONDAY}
    row |= {"actor": {}, "state": "stored"}
    for tenant, kind in (("emp-a", "withdraw"), ("emp-b", "badge_confirm"), (person_tenant(uuid4()), "withdraw")):
        with pytest.raises(ProgrammingError, match="row-level security"):
            async with context.database.begin(tenant) as connection:
                await connection.execute(insert(commands).values(row | {"kind": kind}))
    # Nobody makes a case of a programme of persons an employer's, nor another person's.
    copied = text(
        "INSERT INTO cases (reference, employer_id, person_id, correlation_id, programme, stage, accepted_at,"
        " policy_version, clock, holder)"
        " VALUES ('BG-1', :owner, :person, '', 'badge', 'received', now(), '', 'running', 'park')"
    )
    for tenant in ("emp-a", person_tenant(uuid4())):
        async with context.database.begin(tenant) as connection:
            with pytest.raises(IntegrityError, match="an owner of the kind"):
                await connection.execute(copied, {"owner": tenant, "person": person_id})


async def test_the_session_of_a_link_opens_a_persons_case_and_asks_nothing_of_it(park: Park) -> None:
    case = await _asked(park)
    context = park.world.context
    async with context.database.begin() as connection:
        person_id = (await connection.execute(select(cases.c.person_id))).scalar_one()
    secret, at = "s" * 43, park.world.clock()
    async with context.database.begin(person_tenant(person_id)) as connection:
        link = {"link_id": uuid4(), "link_hash": context.keyring.lookup_hash("sign_in_link", secret)}
        link |= {"person_id": person_id, "reference": case.reference, "at": at, "expires_at": at + timedelta(minutes=5)}
        link["address_hash"] = address_hash(context, "nana@example.com")
        await connection.execute(insert(sign_in_links).values(link))
    opened = await redeem(context, secret, "")
    by_link = Caller(park.client, opened.token)
    (mine,) = (await park.ask(by_link, "GET", "/v1/me/registrations"))["items"]
    assert mine["reference"] == case.reference
    for method, path in (
        ("POST", "/v1/badges"),
        ("GET", "/v1/badges"),
        ("GET", f"/v1/badges/{case.reference}"),
        ("POST", f"/v1/badges/{case.reference}/withdrawal"),
    ):
        refused = await park.ask(by_link, method, path, _form() if path == "/v1/badges" else {}, expects=403)
        assert "asserts your document" in refused["detail"]


async def test_a_person_withdraws_asks_once_and_is_erased(park: Park) -> None:
    me = _me(park)
    form = _form(client_reference="a-1")
    first, again = [await park.ask(me, "POST", "/v1/badges", form, expects=202, key="one") for _ in range(2)]
    assert first == again
    refused = await park.ask(me, "POST", "/v1/badges", _form(), expects=409)
    assert first["reference"] in refused["detail"]
    case = Case(park.world, first["reference"])
    park.world.started.append(case.reference)
    await case.until_stage(Stage.UNDER_REVIEW)
    here = f"/v1/badges/{case.reference}"
    assert (await park.ask("officer-1", "GET", "/v1/badges", q="欧阳娜"))["items"][0]["reference"] == case.reference
    assert len((await park.ask(me, "GET", "/v1/badges/export.csv")).splitlines()) == 2
    await park.ask(me, "POST", f"{here}/withdrawal", {}, expects=202)
    await case.until_stage(Stage.WITHDRAWN)
    assert (await park.ask("employer-a", "GET", f"{here}/employment"))["stage"] == "unanswered"
    log = (await park.ask(me, "GET", "/v1/me/access-log"))["items"]
    assert "employer" in {each["role"] for each in log}
    held = await park.ask(me, "GET", "/v1/me/data")
    assert [each["reference"] for each in held["cases"]] == [case.reference]
    async with park.world.context.database.begin() as connection:
        await connection.execute(update(deliveries).values(status="sent"))
    await park.ask("supervisor", "POST", f"{here}/erasure", {"reason": "person_asked"}, expects=202)
    await park.ask("supervisor-2", "POST", f"{here}/erasure/confirmation", {"action": "confirm"})
    assert (await park.ask("officer-1", "GET", here))["person"]["erased"] is True
    await park.ask(me, "GET", here, expects=404)
    await park.ask("employer-a", "GET", f"{here}/employment", expects=404)
    assert (await park.ask("employer-a", "GET", "/v1/badges/employment"))["items"] == []
    assert (await park.ask(me, "GET", "/v1/badges"))["items"] == []


async def test_what_is_returned_waits_for_the_person_who_corrects_it_as_themself(park: Park) -> None:
    case = await _asked(park)
    await _answered(park, case, "denied")
    here, me = f"/v1/badges/{case.reference}", _me(park)
    returned = {
        "action": "return",
        "round": 1,
        "reasons": [{"code": "name_differs", "field": "employment.position"}],
    }
    await park.ask("officer-1", "POST", f"{here}/decision", returned)
    await case.until_stage(Stage.CORRECTION_REQUESTED)
    assert (await park.ask(me, "GET", here))["holder"] == "person"
    refused = await park.ask(me, "POST", f"{here}/correction", {"person": {"identity_number": OTHERS}}, expects=422)
    assert [each["field"] for each in refused["errors"]] == ["person.identity_number"]
    await park.ask(me, "POST", f"{here}/correction", {"employment": {"position": "技术员"}}, expects=202)
    await case.until_stage(Stage.UNDER_REVIEW)
    told = await park.world.rows(notices, reference=case.reference, kind="correction_requested")
    assert [each["recipient"] for each in told] == ["person"]


async def test_an_employer_that_does_not_answer_holds_nothing_up(park: Park) -> None:
    case = await _asked(park)
    await case.skip(timedelta(days=9))
    await case.until(lambda file: (row := employment(file)) is not None and row.stage == EmploymentStage.UNANSWERED)
    await park.ask("employer-a", "POST", f"/v1/badges/{case.reference}/employment/confirmed", {}, expects=409)
    await park.ask("supervisor", "POST", f"/v1/badges/{case.reference}/decision", {"action": "approve", "round": 1})


def test_the_parts_of_a_badge_are_those_that_its_migration_declares() -> None:
    declared = {(each.part, each.kind): (each.sees, frozenset(map(str, each.asks))) for each in BADGE.parts}
    assert declared == {
        (Part.OWNER, Party.PERSON): (migration.PERSON_SEES, migration.OWNER_ASKS),
        (Part.SUBJECT, Party.PERSON): (migration.PERSON_SEES, frozenset()),
        (Part.CONFIRMER, Party.EMPLOYER): (migration.CONFIRMER_SEES, migration.CONFIRMER_ASKS),
    }


async def test_a_case_hears_of_the_standing_of_its_employer_only_where_the_part_says_so(park: Park) -> None:
    await _asked(park)
    await (await park.world.employer_leaves()).result()
    assert await park.world.rows(commands, kind="standing") == []
