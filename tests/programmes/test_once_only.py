"""Once only: what was verified in one case is taken over into the next with consent, and falls there too."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest_asyncio
from sqlalchemy import select, text
from temporalio.client import Client

from cases.case.evidence import evidence_of, proved
from cases.commands.advance import advance
from domain.stages import Stage
from programmes import PROGRAMMES
from record.reconciliation.reconcile import list_differences
from store.tables import commands, evidence, takeovers
from tests.api.callers import Caller
from tests.e2e.people import identity_number
from tests.programmes.badge.programme import BADGE
from tests.programmes.park import Park, served
from tests.programmes.test_evidence import AGE, FALLEN, NUMBER
from tests.programmes.toy.programme import TOY
from tests.programmes.toy.tables import makings
from tests.workflows.test_reconciliation import nightly_round
from tests.workflows.world import MONDAY, Case, open_world

# Given with the next case and seen by nobody.
UNSEEN = AGE | {"issuer": "南山医院"}
ALL = {**PROGRAMMES, TOY.code: TOY, BADGE.code: BADGE}
Answer = dict[str, Any]


@pytest_asyncio.fixture
async def park(toys_and_badges_database: str, temporal_client: Client) -> AsyncIterator[Park]:
    async with (
        open_world(toys_and_badges_database, temporal_client, start=MONDAY, programmes=ALL) as world,
        served(world, toys_and_badges_database) as park,
    ):
        yield park


def me(park: Park, number: str = NUMBER) -> Caller:
    return park.caller("person-1", document_kind="resident_identity_card", document_number=number)


async def toy(park: Park, employer: str, *pieces: Answer, number: str = NUMBER) -> tuple[Case, str]:
    """Let an employer ask for a toy for a person, and return the case with its address."""
    person = {"name_zh": "欧阳娜", "identity_number": number, "email": "nana@example.com"}
    form = {"person": person, "wish": {"toy": "木马"}, "evidence": list(pieces)}
    return await _taken_on(park, park.caller(employer), "toys", form)


async def badge(park: Park, *pieces: Answer) -> tuple[Case, str]:
    """Let the person ask for a badge, which nobody has to confirm."""
    person = {"name_zh": "欧阳娜", "identity_number": NUMBER, "email": "nana@example.com"}
    employment = {"employer": "emp-unknown", "position": "工程师"}
    form = {"person": person, "employment": employment, "evidence": list(pieces)}
    return await _taken_on(park, me(park), "badges", form)


async def _taken_on(park: Park, by: Caller, path: str, form: Answer) -> tuple[Case, str]:
    taken = await park.ask(by, "POST", f"/v1/{path}", form, expects=202)
    case = Case(park.world, taken["reference"])
    park.world.started.append(case.reference)
    await case.until_stage(Stage.UNDER_REVIEW)
    return case, f"/v1/{path}/{case.reference}"


async def see(park: Park, here: str, by: str = "officer-1", *, value: int = 6) -> None:
    said = {"result": "proved", "seen_in": "原件", "round": 1, "value": value}
    await park.ask(by, "POST", f"{here}/evidence/1/seen", said)


async def approve(park: Park, case: Case, here: str, by: str = "officer-2") -> None:
    """Approve a case, and let the approval settle."""
    await park.ask(by, "POST", f"{here}/decision", {"action": "approve", "round": 1})
    await case.skip(park.world.context.limits.settling + timedelta(seconds=5))
    await case.until(lambda file: file.row.settled and not file.calls)


async def made(park: Park, employer: str) -> tuple[Case, str]:
    """Let a toy be made whose age was proved, so that its case has ended."""
    case, here = await toy(park, employer, AGE)
    await see(park, here)
    await approve(park, case, here)
    await park.ask("officer-2", "POST", f"{here}/workshops/wood/finished", {}, expects=202)
    await case.until_stage(Stage.ENDED)
    await case.idle()
    return case, here


async def heard(case: Case) -> None:
    """Let a case hear of what another one left it, as the sweeper does; twice, which changes nothing."""
    for command in await case.world.rows(commands, reference=case.reference, state="stored"):
        await case.world.engine.nudge(case.reference, str(command["command_id"]))
        for _ in range(2):
            await advance(case.world.context, case.reference, case.world.clock())


async def offers(park: Park, by: str | Caller, here: str) -> list[Answer]:
    found: list[Answer] = (await park.ask(by, "GET", f"{here}/offers"))["items"]
    return found


async def own_offers(park: Park, case: Case) -> list[Answer]:
    found: list[Answer] = (await park.ask(me(park), "GET", "/v1/me/offers", reference=case.reference))["items"]
    return found


async def release(park: Park, case: Case) -> Answer:
    (offer,) = await own_offers(park, case)
    asked = {"reference": case.reference, "offer": offer["offer"]}
    answer: Answer = await park.ask(me(park), "POST", "/v1/me/releases", asked, expects=202)
    return answer


async def take(park: Park, by: str | Caller, case: Case, here: str, *, expects: int = 202) -> Answer:
    (offer,) = await offers(park, by, here)
    answer: Answer = await park.ask(by, "POST", f"{here}/take-over", {"offer": offer["offer"]}, expects=expects)
    await case.until(lambda file: any(row.source_reference for row in evidence_of(file)))
    return answer


async def nothing_differs(park: Park) -> None:
    night = await nightly_round(park.world)
    assert ((await list_differences(park.world.context))[0], night.differing, night.unchecked) == ([], 0, 0)


def codes(shown: Answer) -> dict[str, str]:
    return {each["code"]: each["outcome"] for each in shown["findings"]}


async def test_an_employer_sees_nothing_of_a_case_elsewhere_before_the_person_releases_it(park: Park) -> None:
    old, _ = await made(park, "employer-a")
    new, here = await toy(park, "employer-b", UNSEEN)
    _, elsewhere = await toy(park, "employer-b", number=identity_number(1))
    assert await offers(park, "employer-b", here) == await offers(park, "employer-b", elsewhere) == []
    (mine,) = await own_offers(park, new)
    assert (mine["item"], mine["value"], mine["issuer"], mine["source_reference"], mine["seen_by"]) == (
        "age", 6, "福田医院", old.reference, ["officer"],
    )  # fmt: skip
    # An offer that the employer was not made is as unknown as one that there is not.
    for offer in (mine["offer"], str(uuid4())):
        refused = await park.ask("employer-b", "POST", f"{here}/take-over", {"offer": offer}, expects=404)
        assert "Read the list of offers again" in refused["detail"]
    for by in ("employer-a", "officer-1"):
        await park.ask(by, "GET", f"{here}/offers", expects=404 if by == "employer-a" else 403)
    given = await release(park, new)
    assert (given["state"], given["source_reference"], given["source_programme"]) == ("released", old.reference, "toy")
    (offered,) = await offers(park, "employer-b", here)
    assert (offered["consent"], offered["source_reference"], offered["source_programme"]) == ("person", None, "toy")
    assert offered["offer"] == mine["offer"]

    await take(park, "employer-b", new, here)
    file = await new.file()
    assert proved(file) == {"age": 6}
    seen = await park.ask("employer-b", "GET", here)
    assert [(each["result"], each["source_programme"]) for each in seen["evidence"]] == [
        (None, None),
        ("proved", "toy"),
    ]
    for persona, source in (("employer-b", None), ("officer-2", old.reference)):
        purpose: Answer = {} if source is None else {"headers": {"Purpose": "case_review"}}
        (_, piece) = (await park.ask(persona, "GET", f"{here}/evidence", **purpose))["items"]
        assert (piece["source_reference"], piece["issuer"], piece["proved"]) == (source, "福田医院", 6)
        assert old.reference not in str(seen)
    assert codes(await park.ask("officer-2", "GET", here))["toy_age_unproved"] == "pass"
    # Whoever saw it there proved it here too.
    refused = await park.ask("officer-1", "POST", f"{here}/decision", {"action": "approve", "round": 1}, expects=409)
    assert refused["code"] == "evidence_seen_by_decider"
    await heard(old)
    assert (await old.acts()).count("evidence_vouched") == 1
    assert await offers(park, "employer-b", here) == await own_offers(park, new) == []
    held = await park.ask(me(park), "GET", "/v1/me/data")
    assert [each["state"] for each in held["releases"]] == ["taken"]
    story = await park.ask("auditor", "GET", f"/v1/audit/cases/{new.reference}/history")
    assert "verified in another case was taken over" in str(story)
    await nothing_differs(park)


async def test_what_an_employer_gave_itself_it_takes_over_without_the_person(park: Park) -> None:
    old, _ = await made(park, "employer-a")
    new, here = await toy(park, "employer-a", UNSEEN)
    (offered,) = await offers(park, "employer-a", here)
    assert (offered["consent"], offered["source_reference"]) == ("employer", old.reference)
    asked = {"offer": offered["offer"]}
    for _ in range(2):
        await park.ask("employer-a", "POST", f"{here}/take-over", asked, expects=202, key="one")
    await new.until(lambda file: proved(file) == {"age": 6})
    await park.ask("employer-a", "POST", f"{here}/take-over", asked, expects=404)
    (row,) = await park.world.rows(takeovers)
    assert (row["state"], row["consent"], row["to_evidence"]) == ("taken", "employer", 2)
    # An officer does not have to believe it.
    refused = {"reasons": [{"code": "evidence_source_refused", "note": "too long ago"}], "note": None}
    shown = await park.ask("officer-2", "POST", f"{here}/evidence/2/fallen", refused)
    assert (shown["evidence"][1]["result"], codes(shown)["toy_age_unproved"]) == ("fallen", "fail")
    # What was refused here is not offered again.
    assert await offers(park, "employer-a", here) == []


async def test_what_was_taken_over_stays_with_the_person_whom_it_was_about(park: Park) -> None:
    await made(park, "employer-a")
    new, here = await toy(park, "employer-a", UNSEEN)
    await take(park, "employer-a", new, here)
    for number in (identity_number(1), NUMBER):
        back = {"action": "return", "round": (await new.file()).round, "reasons": [{"code": "identity_number_wrong"}]}
        await park.ask("officer-2", "POST", f"{here}/decision", back)
        other = {"person": {"identity_number": number}}
        await park.ask("employer-a", "POST", f"{here}/correction", other, expects=202)
        await new.until(lambda file: file.stage is Stage.UNDER_REVIEW)
        assert proved(await new.file()) == {}
    assert {row["state"] for row in await park.world.rows(takeovers)} == {"withdrawn"}
    # Theirs again, it may be taken over again.
    await take(park, "employer-a", new, here)
    await new.until(lambda file: proved(file) == {"age": 6})
    await nothing_differs(park)


async def test_a_release_is_taken_back_until_it_is_made_use_of(park: Park) -> None:
    await made(park, "employer-a")
    new, here = await toy(park, "employer-b", UNSEEN)
    given = await release(park, new)
    again = {"reference": new.reference, "offer": (await own_offers(park, new))[0]["offer"]}
    assert (await park.ask(me(park), "POST", "/v1/me/releases", again, expects=409))["code"] == "already_decided"
    (offered,) = await offers(park, "employer-b", here)
    back = f"/v1/me/releases/{given['id']}/withdrawal"
    await park.ask(me(park, identity_number(1)), "POST", back, {}, expects=404)
    assert (await park.ask(me(park), "POST", back, {}))["state"] == "withdrawn"
    await park.ask(me(park), "POST", back, {}, expects=409)
    assert await offers(park, "employer-b", here) == []
    await park.ask("employer-b", "POST", f"{here}/take-over", {"offer": offered["offer"]}, expects=404)
    # Anew, and used: it cannot be taken back any more.
    given = await release(park, new)
    await take(park, "employer-b", new, here)
    await park.ask(me(park), "POST", f"/v1/me/releases/{given['id']}/withdrawal", {}, expects=409)
    states = {row["state"] for row in await park.world.rows(takeovers)}
    assert states == {"withdrawn", "taken"}
    listed = (await park.ask(me(park), "GET", "/v1/me/releases"))["items"]
    assert {each["state"] for each in listed} == states
    assert (await park.ask(me(park, identity_number(1)), "GET", "/v1/me/releases"))["items"] == []
    for tenant in ("emp-a", "emp-b"):
        async with park.world.context.database.begin(tenant) as connection:
            assert (await connection.execute(select(takeovers))).all() == []


async def test_what_falls_where_it_came_from_falls_before_the_decision_and_is_assessed_again(park: Park) -> None:
    old, there = await made(park, "employer-a")
    new, here = await toy(park, "employer-b", UNSEEN)
    await release(park, new)
    await take(park, "employer-b", new, here)
    refuse = {"action": "refuse", "round": 1, "reasons": [{"code": "false_statement"}]}
    await park.ask("officer-2", "POST", f"{here}/decision", refuse)
    await heard(old)
    await park.ask("officer-1", "POST", f"{there}/evidence/1/fallen", FALLEN)
    # Nothing of it is in the other case before that one's own step.
    assert proved(await new.file()) == {"age": 6}
    await heard(new)
    file = await new.file()
    assert (file.stage, file.round, file.row.pending_act, proved(file)) == (Stage.UNDER_REVIEW, 2, None, {})
    shown = await park.ask("employer-b", "GET", here)
    assert shown["evidence"][1]["fallen_for"] == ["evidence_source_fell"]
    assert codes(await park.ask("officer-2", "GET", here))["toy_age_unproved"] == "fail"
    assert (await new.acts()).count("evidence_fallen") == 1
    assert (await new.notices()).count("evidence_source_fell") == 2
    assert (await old.notices()).count("evidence_source_fell") == 0
    assert await offers(park, "employer-b", here) == []
    await nothing_differs(park)


async def test_what_falls_after_the_decision_stops_what_stands_on_it_and_keeps_the_decision(park: Park) -> None:
    old, there = await made(park, "employer-a")
    new, here = await toy(park, "employer-b", UNSEEN)
    await release(park, new)
    await take(park, "employer-b", new, here)
    await approve(park, new, here)
    # It falls in the moment in which nobody has told the case that vouches; that one looks again by itself.
    async with park.world.context.database.begin() as connection:
        await connection.execute(text("UPDATE takeovers SET state = 'released' WHERE state = 'taken'"))
    await park.ask("officer-1", "POST", f"{there}/evidence/1/fallen", FALLEN)
    assert await park.world.rows(commands, reference=new.reference, state="stored") == []
    async with park.world.context.database.begin() as connection:
        await connection.execute(text("UPDATE takeovers SET state = 'taken' WHERE state = 'released'"))
        await connection.execute(text("UPDATE commands SET state = 'stored' WHERE kind = 'vouch'"))
    await heard(old)
    await heard(new)
    file = await new.file()
    assert (file.stage, makings(file)["wood"].stage, await new.open_tasks()) == (
        Stage.APPROVED, "stopped", {"evidence_fallen"},
    )  # fmt: skip
    assert [(await new.acts()).count(act) for act in ("decided", "evidence_fallen", "toy_stopped")] == [1, 1, 1]
    assert (await new.notices()).count("evidence_source_fell") == 2


async def test_a_person_takes_over_into_a_case_of_their_own_and_it_stands_as_long_as_the_other(park: Park) -> None:
    case, there = await toy(park, "employer-a", AGE)
    await see(park, there)
    await approve(park, case, there)
    mine, here = await badge(park)
    found = {each["item"]: each for each in await offers(park, me(park), here)}
    assert {item: each["source_reference"] for item, each in found.items()} == {
        "badge_age": case.reference, "badge_toy": case.reference,
    }  # fmt: skip
    for offer in found.values():
        await park.ask(me(park), "POST", f"{here}/take-over", {"offer": offer["offer"]}, expects=202)
    await mine.until(lambda file: proved(file) == {"badge_age": 6, "badge_toy": True})
    # A release is for the cases of employers.
    own = {"reference": mine.reference, "offer": found["badge_age"]["offer"]}
    assert "your own" in (await park.ask(me(park), "POST", "/v1/me/releases", own, expects=409))["detail"]
    await park.ask("employer-a", "GET", f"{here}/offers", expects=403)
    # The age falls, with it the making of the toy that was vouched for, and both here.
    await heard(case)
    await park.ask("officer-1", "POST", f"{there}/evidence/1/fallen", FALLEN)
    await heard(mine)
    file = await mine.file()
    assert proved(file) == {}
    assert {row.result for row in evidence_of(file)} == {"fallen"}
    assert (await mine.acts()).count("evidence_fallen") == 2
    async with park.world.context.database.begin() as connection:
        rows = (await connection.execute(select(evidence.c.given).where(evidence.c.reference == mine.reference))).all()
    assert not any("福田".encode() in bytes(row.given) for row in rows)


async def test_a_value_that_the_item_does_not_have_is_not_offered(park: Park) -> None:
    _, there = await toy(park, "employer-a", AGE | {"value": 4})
    await see(park, there, value=4)
    _, here = await badge(park)
    assert await offers(park, me(park), here) == []
