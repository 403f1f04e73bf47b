"""A walk through every route that ends well: employers, staff, supervisors, the authority and operators at work."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select, update

from domain.actors import system
from policy.pack import parse_pack
from programmes import PROGRAMMES
from proof.checkpoints import cosign, parse_note
from register.trials import try_pack
from store.tables import deliveries, notices
from tests.api.any_case import walk_any_case
from tests.api.bodies import example_of
from tests.api.code_walk import walk_check_codes
from tests.api.conftest import AUTHORITY_SECRET, RECEIPTS_SECRET, Stage
from tests.api.persons import sign_in
from tests.api.walk import Walk, identity_number
from tests.cases.contexts import WITNESS, WITNESS_KEY, registration_body
from tests.programmes.appraisal.walk import walk_appraisals
from tests.programmes.work_permit.walk import walk_work_permits
from tests.record.seal.sealed import seal_all
from tests.register.drafts import STRICTER as DRAFT

CSV = (
    "client_reference,name_zh,identity_number,position,work_site,employment_kind,contract_start,language,destinations,"
    "state_worker\nR-1,徐若澜,620102199304213908,主管,SZP-001,contract,2025-01-01,zh-Hans,HK,no\n"
)

# What a programme has of its own, beside what any case takes: by code, its walk.
OWN: Final[Mapping[str, Callable[[Walk], Awaitable[None]]]] = {
    "appraisal": walk_appraisals,
    "work_permit": walk_work_permits,
}
# Whose cases are walked here in what any case takes too, since all else rests on them.
IN_WHOLE: Final = frozenset({"talent_permit"})


async def walk_all(stage: Stage, *, asks_first: bool = False) -> Walk:
    """Walk through every route; if so asked, with a look before each act on a case whether it may be done."""
    walk = Walk(stage)
    walk.asks_first = asks_first
    await walk_tasks(walk)
    await walk_registrations(walk)
    await walk_permits(walk)
    await walk_renewal(walk)
    await walk_facts(walk)
    await walk_objections(walk)
    await walk_erasure(walk)
    await walk_joining(walk)
    await walk_rosters_and_webhooks(walk)
    await walk_notices(walk)
    await walk_register(walk)
    await walk_rules(walk)
    await walk_operators(walk)
    await walk_seal(walk)
    await walk_audit_of_cases(walk)
    await walk_ledger(walk)
    await walk_person(walk)
    await walk_public(walk)
    await walk_questions(walk)
    for code, programme in PROGRAMMES.items():
        if code not in IN_WHOLE:
            await walk_any_case(walk, programme)
        if code in OWN:
            await OWN[code](walk)
    return walk


async def walk_questions(walk: Walk) -> None:
    """What is asked of the rules of each programme and is of no case, by the examples that they publish."""
    for programme in PROGRAMMES.values():
        for asked in programme.questions:
            await walk.call("employer-a", "POST", f"/v1/{programme.path}/{asked.path}", example_of(asked.body))


async def walk_tasks(walk: Walk) -> None:
    """Claims, releases, assignments, and answers to a task of another kind."""
    reference = walk.ids["reference"] = await walk.register()
    task = await walk.call("officer-1", "POST", "/v1/tasks/next", {})
    walk.ids["task_id"] = task["id"]
    place = {"task_id": task["id"]}
    await walk.call("officer-1", "POST", "/v1/tasks/{task_id}/release", {}, places=place)
    await walk.call("officer-1", "POST", "/v1/tasks/{task_id}/claim", places=place)
    await walk.call("officer-2", "GET", "/v1/tasks/{task_id}", places=place)
    await walk.call("officer-2", "GET", "/v1/tasks")  # nothing is assigned to whoever was never seen
    await walk.call("supervisor", "POST", "/v1/tasks/{task_id}/assign", {"subject": "officer-2"}, places=place)
    await walk.call("officer-2", "POST", "/v1/tasks/{task_id}/release", {}, places=place)
    several = {"tasks": [task["id"]], "subject": "officer-2"}
    outcomes = await walk.call("supervisor", "POST", "/v1/tasks/assign", several)
    assert [each["status"] for each in outcomes["items"]] == [200], outcomes
    await walk.call("officer-1", "GET", "/v1/deliveries/failed")
    await walk.call("supervisor", "GET", "/v1/load", params={"bucket": "week"})
    counted = await walk.call("officer-1", "GET", "/v1/tasks/counts")
    assert counted["by_holder"] == [{"holder": "officer-2", "open": 1, "overdue": 0, "urgent": 0, "normal": 1}]
    await walk.call("officer-2", "POST", "/v1/tasks/{task_id}/release", {}, places=place)
    await walk.act("employer-a", reference, "change", {"email": "new@example.com", "contract_end": "2029-12-31"})
    places, headers = {"reference": reference}, {"Purpose": "case_review"}
    await walk.call("officer-1", "GET", "/v1/registrations/{reference}/change", places=places, headers=headers)
    tasks = await walk.call("officer-1", "GET", "/v1/tasks", params={"kind": "change"})
    answer = {"action": "take"}
    place = {"task_id": tasks["items"][0]["id"]}
    await walk.call("officer-1", "POST", "/v1/tasks/{task_id}/answer", answer, places=place)


async def walk_registrations(walk: Walk) -> None:
    """Check, correct, contest, withdraw, decide, confirm, recall, hold, depart, revoke, read."""
    await walk.call("employer-a", "POST", "/v1/registrations/check", registration_body())
    returned = await walk.register()
    await walk.act("employer-a", returned, "correction", {"employment": {"position": "工程师"}, "round": 1})
    await walk.call(
        "officer-1",
        "GET",
        "/v1/registrations/{reference}/differences",
        places={"reference": returned},
        headers={"Purpose": "case_review"},
    )
    await walk.call("officer-1", "GET", "/v1/registrations/{reference}/acts", places={"reference": returned})
    await walk.call(
        "officer-1",
        "POST",
        "/v1/registrations/{reference}/decision/preview",
        {"action": "return", "round": 2, "reasons": [{"code": "document_unreadable"}]},
        places={"reference": returned},
        headers={"Purpose": "case_review"},
    )
    await walk.decide(returned, "return", "document_unreadable")
    await walk.act("employer-a", returned, "correction", {"employment": {"position": "高级研究员"}})
    await walk.decide(returned, "return", "document_unreadable", persona="supervisor")
    await walk.act("employer-a", returned, "contest", {"note": "It can be read."})
    await walk.act("employer-a", returned, "withdrawal", {"reason": "Filed twice."})
    refused = await walk.register()
    await walk.decide(refused, "refuse", "not_employed_there")
    told = (await walk.call("officer-2", "GET", "/v1/notices", params={"unread": True}))["items"]
    await walk.call("officer-2", "POST", "/v1/notices/{notice_id}/read", places={"notice_id": told[0]["id"]})
    await walk.confirm(refused)
    recalled = await walk.register()
    held = {"action": "place", "reason": "legal_question", "review_on": "2026-03-20"}
    await walk.act("officer-1", recalled, "hold", held)
    await walk.act("officer-1", recalled, "hold", {**held, "action": "release"})
    await walk.decide(recalled, "approve")
    await walk.act("officer-1", recalled, "recall", {"reason": "Approved by mistake."})
    body = [{"reference": recalled, "round": (await walk.case("officer-1", recalled))["round"]}]
    outcome = await walk.call("officer-1", "POST", "/v1/decisions", body)
    assert outcome["items"][0]["status"] == 200, outcome
    revoked = await walk.approve()
    await walk.act("officer-1", revoked, "revocation", {"reasons": [{"code": "decided_in_error"}]})
    await walk.confirm(revoked)
    departed = walk.ids["departed"] = await walk.approve()
    await walk.act("employer-a", departed, "departure", {"last_day": "2026-12-31", "reason": "resigned"})
    await walk.call("auditor", "GET", "/v1/registrations", params={"limit": 2})
    for persona, purpose in (("officer-1", "case_review"), ("auditor", "audit")):
        places, headers = {"reference": departed}, {"Purpose": purpose}
        await walk.call(persona, "GET", "/v1/registrations/{reference}/requests", places=places, headers=headers)
    await walk.call("auditor", "GET", "/v1/registrations/{reference}/notices", places={"reference": departed})
    await walk.call(
        "officer-1",
        "GET",
        "/v1/registrations/{reference}/person",
        places={"reference": departed},
        params={"fields": "name_zh,identity_number"},
        headers={"Purpose": "case_review"},
    )
    await _walk_transfer(walk)


async def walk_permits(walk: Walk) -> None:
    """A permit that is issued, lost and contradicted, and one whose eligibility is not clear."""
    reference = await walk.approve()
    dates = {"valid_from": "2026-03-02", "valid_until": "2029-03-01", "stay_days": 30, "entries": "multiple"}
    await walk.answer(reference, "accepted")
    await walk.answer(reference, "issued", **dates)
    await walk_check_codes(walk, "registrations", reference, "employer-a")
    await walk.act("employer-a", reference, "permits/{destination}/lost", {"lost_on": "2026-03-02"}, destination="HK")
    await walk.answer(reference, "refused", outcome_id="held-1", reason_code="x", reason_text="No.")
    await walk.act("officer-1", reference, "permits/{destination}/outcome", {"outcome_id": "held-1"}, destination="HK")
    await walk.act(
        "officer-2", reference, "permits/{destination}/confirmation", {"action": "confirm"}, destination="HK"
    )
    unclear = await walk.register(permit_card_number=None, permit_card_valid_until=None)
    await walk.decide(unclear, "approve")
    await walk.pass_time(unclear, timedelta(minutes=11))
    sent = {"action": "send", "reasons": [{"code": "document_seen"}]}
    withheld = {"action": "withhold", "reasons": [{"code": "permit_card_ends_early"}]}
    await walk.act("officer-1", unclear, "permits/{destination}/eligibility", withheld, destination="HK")
    await walk.act("officer-2", unclear, "permits/{destination}/confirmation", {"action": "confirm"}, destination="HK")
    back = {"reason": "Withheld by mistake."}
    await walk.act("officer-2", unclear, "permits/{destination}/recall", back, destination="HK")
    await walk.act("officer-1", unclear, "permits/{destination}/eligibility", sent, destination="HK")
    walk.ids["issued"] = await walk.approve()
    for outcome, more in (("accepted", {}), ("issued", dates)):
        await walk.answer(walk.ids["issued"], outcome, authority_number="C-HK-2", **more)


async def walk_renewal(walk: Walk) -> None:
    """A permit that runs out soon: what a renewal would confirm; one withdrawn, one sent back, recalled, granted."""
    reference = await walk.approve()
    dates = {"valid_from": "2026-03-02", "valid_until": "2026-05-29", "stay_days": 30, "entries": "multiple"}
    for outcome, more in (("accepted", {}), ("issued", dates)):
        await walk.answer(reference, outcome, authority_number="C-HK-3", **more)
    for persona in ("employer-a", "officer-1"):
        ahead = await walk.call(
            persona, "GET", "/v1/registrations/{reference}/renewal", places={"reference": reference}
        )
        assert ahead["can_be_asked"], ahead
    await walk.act("employer-a", reference, "renewal", {})
    await walk.act("employer-a", reference, "renewal-withdrawal", {})
    await walk.act("employer-a", reference, "renewal", {"changes": {"contract_end": "2033-06-30"}})
    returned = {"action": "return", "renewal": 2, "reasons": [{"code": "employment_dates_wrong"}]}
    await walk.act("officer-1", reference, "renewal-decision", returned)
    await walk.act("employer-a", reference, "renewal-correction", {"changes": {"contract_end": "2034-06-30"}})
    grant = {"action": "grant", "renewal": 2}
    await walk.act("officer-1", reference, "renewal-decision", grant)
    await walk.act("officer-1", reference, "renewal-recall", {"reason": "Granted by mistake."})
    answer = await walk.act("officer-1", reference, "renewal-decision", grant)
    assert answer["renewal"]["stage"] == "granted", answer


async def walk_facts(walk: Walk) -> None:
    """Facts that an officer saw: recorded, read, contested by the employer and by the person, and answered."""
    reference = await walk.register(permit_card_valid_until="2026-12-31")
    seen = {"field": "person.permit_card_valid_until", "value": "2036-05-31", "seen_in": "The card.", "round": 1}
    answer = await walk.act("officer-1", reference, "facts", seen)
    assert (answer["assessment"], answer["approval_needs_second_signature"]) == ("clear", True)
    post = {"field": "employment.position", "value": "工程师", "seen_in": "The contract.", "round": 1}
    await walk.act("officer-1", reference, "facts", post)
    for persona, headers in (("officer-2", {"Purpose": "case_review"}), ("employer-a", {})):
        path, places = "/v1/registrations/{reference}/facts", {"reference": reference}
        items = (await walk.call(persona, "GET", path, places=places, headers=headers))["items"]
        assert [each["value"] for each in items] == ["2036-05-31", "工程师"]
    await walk.act("employer-a", reference, "facts/{number}/contest", {"note": "It is the old one."}, number="2")
    me = await sign_in(walk.stage, reference, email="feng@example.com")
    own = {"reference": reference, "fact": 1, "text": "That was my old card."}
    answered = await me.post("/v1/me/contests", own)
    assert answered.status_code == 202, answered.text
    walk.seen["POST /v1/me/contests"].add(202)
    await walk.stage.settle()
    tasks = await walk.call("officer-2", "GET", "/v1/tasks", params={"kind": "fact_contested"})
    place = {"task_id": tasks["items"][0]["id"]}
    aside = {"action": "set_aside", "facts": [2]}
    await walk.call("officer-2", "POST", "/v1/tasks/{task_id}/answer", aside, places=place)
    found = await walk.call(
        "auditor", "GET", "/v1/audit/cases/{reference}/re-evaluation", places={"reference": reference}
    )
    assert found["same"]
    await walk.decide(reference, "approve")
    await walk.confirm(reference)


async def walk_objections(walk: Walk) -> None:
    """A refusal that is objected to by both sides: taken back, rejected, and set aside all the same."""
    reference = await walk.register()
    await walk.decide(reference, "refuse", "not_employed_there")
    await walk.confirm(reference)
    grounds = {"against": "refusal", "grounds": "The contract was renewed."}
    await walk.act("employer-a", reference, "objection", grounds)
    (theirs,) = (await walk.case("employer-a", reference))["objections"]
    me = await sign_in(walk.stage, reference, email="feng@example.com")
    answer = await me.post("/v1/me/objections", {"reference": reference, **grounds})
    assert answer.status_code == 202, answer.text
    walk.seen["POST /v1/me/objections"].add(202)
    await walk.stage.settle()
    mine = next(each for each in (await walk.case("officer-1", reference))["objections"] if each["by"] == "person")
    gone = {"reference": reference, "objection": mine["id"]}
    answer = await me.post("/v1/me/objection-withdrawals", gone)
    assert answer.status_code == 202, answer.text
    walk.seen["POST /v1/me/objection-withdrawals"].add(202)
    await walk.stage.settle()
    reject = {"objection": theirs["id"], "action": "reject", "reasons": [{"code": "grounds_unproved"}]}
    await walk.act("supervisor", reference, "objection-decision", reject)
    await walk.act("supervisor", reference, "set-aside", {"reasons": [{"code": "new_proof"}]})
    await walk.confirm(reference, persona="supervisor-2")
    await walk.act("employer-a", reference, "withdrawal", {})
    again = await walk.register()
    await walk.decide(again, "refuse", "not_employed_there")
    await walk.confirm(again)
    await walk.act("employer-a", again, "objection", grounds)
    (theirs,) = (await walk.case("employer-a", again))["objections"]
    await walk.act("employer-a", again, "objection-withdrawal", {"objection": theirs["id"]})


async def walk_erasure(walk: Walk) -> None:
    """A legal hold that comes and goes, and a person who is erased with two signatures."""
    reference = await walk.register()
    await walk.act("employer-a", reference, "withdrawal", {})
    hold = await walk.act("supervisor", reference, "legal-holds", {"reason": "litigation", "paper": "2026-0042"})
    released = "legal-holds/{hold_id}/release"
    await walk.act("supervisor", reference, released, {"reason": "matter_closed"}, hold_id=hold["id"])
    place = {"reference": reference}
    await walk.call("auditor", "GET", "/v1/registrations/{reference}/legal-holds", places=place)
    async with walk.stage.context.database.begin() as connection:
        told = select(notices.c.notice_id).where(notices.c.reference == reference)
        await connection.execute(update(deliveries).where(deliveries.c.notice_id.in_(told)).values(status="sent"))
    await walk.act("supervisor", reference, "erasure", {"reason": "person_asked"})
    await walk.act("supervisor-2", reference, "erasure/confirmation", {"action": "confirm"})
    done = await walk.call("auditor", "GET", "/v1/registrations/{reference}/erasure", places=place)
    assert [each["state"] for each in done["items"]] == ["done"]
    walk.references.remove(reference)


async def walk_joining(walk: Walk) -> None:
    """Two persons who are joined by two signatures, and parted again; and a proposal that is withdrawn."""
    old = await walk.register()
    await walk.act("employer-a", old, "withdrawal", {})
    new = await walk.register()
    asked = {
        "kept": {"reference": new},
        "joined": {"reference": old},
        "reason": "number_changed",
        "proof": "The police certified the change of the number.",
    }
    path = "/v1/person-joinings"
    one = f"{path}/{{joining_id}}"
    first = await walk.call("officer-1", "POST", path, asked)
    await walk.call("officer-1", "POST", f"{one}/withdrawal", places={"joining_id": first["id"]})
    joined = await walk.call("officer-1", "POST", path, asked)
    walk.ids["joining_id"] = joined["id"]
    place = {"joining_id": joined["id"]}
    await walk.call("officer-2", "POST", f"{one}/confirmation", {"action": "confirm"}, places=place)
    parting = await walk.call(
        "officer-2", "POST", f"{one}/parting", {"reason": "not_one_person", "proof": "Both came."}, places=place
    )
    signed = {"joining_id": parting["id"]}
    await walk.call("supervisor", "POST", f"{one}/confirmation", {"action": "confirm"}, places=signed)
    assert (await walk.call("auditor", "GET", one, places=place))["state"] == "undone"
    listed = await walk.call("auditor", "GET", path, params={"reference": new})
    assert sorted(each["state"] for each in listed["items"]) == ["done", "undone", "withdrawn"]


async def walk_rosters_and_webhooks(walk: Walk) -> None:
    """A roster and a subscription."""
    roster = await walk.call("employer-a", "POST", "/v1/rosters", content=CSV, headers={"Content-Type": "text/csv"})
    walk.ids["roster_id"] = roster["id"]
    place = {"roster_id": roster["id"]}
    await walk.call("employer-a", "GET", "/v1/rosters/{roster_id}", places=place)
    await walk.call("employer-a", "GET", "/v1/rosters/{roster_id}/rows", places=place)
    for path in ("/v1/rosters/{roster_id}/annotated", "/v1/rosters/template"):
        answer = await walk.stage.as_("employer-a").send("GET", path.format(**place))
        assert answer.status_code == 200, answer.text
        walk.seen[f"GET {path}"].add(200)
    hook = {"url": "https://hr.example.com/hooks", "kinds": ["registration_approved"]}
    webhook = await walk.call("employer-a", "PUT", "/v1/webhooks", hook)
    walk.ids["webhook_id"] = webhook["id"]
    place = {"webhook_id": webhook["id"]}
    await walk.call("employer-a", "PUT", "/v1/webhooks", hook)
    await walk.call("employer-a", "GET", "/v1/webhooks")
    await walk.call("employer-a", "POST", "/v1/webhooks/{webhook_id}/test", places=place)
    await walk.call("employer-a", "POST", "/v1/webhooks/{webhook_id}/secret", {}, places=place)
    await walk.call("employer-a", "GET", "/v1/webhooks/{webhook_id}/deliveries", places=place)


async def walk_notices(walk: Walk) -> None:
    """What an employer was told, where it is told, and its cases as a file."""
    await walk.call("employer-a", "GET", "/v1/notices")
    contact = await walk.call("employer-a", "GET", "/v1/employers/me/contact")
    await walk.call("employer-a", "PUT", "/v1/employers/me/contact", {**contact, "phone": "+8675582730001"})
    answer = await walk.stage.as_("employer-a").send("GET", "/v1/registrations/export.csv")
    assert answer.status_code == 200
    walk.seen["GET /v1/registrations/export.csv"].add(200)


async def walk_register(walk: Walk) -> None:
    """Employers, standing and premises."""
    place = {"employer_id": "emp-b"}
    employer = await walk.call("supervisor", "GET", "/v1/employers/{employer_id}", places=place)
    wanted = {name: employer[name] for name in ("uscc", "name_zh", "kind", "premises", "contact")}
    await walk.call(
        "supervisor", "PUT", "/v1/employers/{employer_id}", {**wanted, "valid_from": "2026-02-01"}, places=place
    )
    await walk.call("supervisor", "GET", "/v1/employers")
    gone = {"standing": "left_park", "valid_from": "2026-03-02"}
    await walk.call("supervisor", "POST", "/v1/employers/{employer_id}/standing", gone, places=place)
    signed = "/v1/employers/{employer_id}/standing/confirmation"
    await walk.call("supervisor-2", "POST", signed, {"action": "confirm"}, places=place)
    premises = {"code": "SZP-900", "address": "深圳市福田区示例路9号", "valid_from": "2026-01-01"}
    await walk.call("supervisor", "PUT", "/v1/premises", {"premises": [premises]})
    await walk.call("supervisor", "GET", "/v1/premises", params={"on": "2026-03-02"})
    await walk.call("officer-1", "GET", "/v1/reasons")
    for pack in ("talent_permit", "limits"):
        await walk.call("officer-1", "GET", "/v1/policies/{pack}", places={"pack": pack})


async def walk_rules(walk: Walk) -> None:
    """A draft is tried on past cases, proposed and signed; a case is run again."""
    pack = {"pack": "talent_permit"}
    trial = await try_pack(walk.stage.context, system("policy_try"), parse_pack(DRAFT), date(2026, 1, 1))
    place = {**pack, "report_hash": trial.report_hash}
    shown = await walk.call("auditor", "GET", "/v1/policies/{pack}/trials/{report_hash}", places=place)
    assert shown["cases"] > 0
    proposal = {"content": DRAFT, "report_hash": trial.report_hash}
    proposed = await walk.call("supervisor", "POST", "/v1/policies/{pack}", proposal, places=pack)
    place = {**pack, "version": proposed["version"]}
    signed = "/v1/policies/{pack}/versions/{version}/confirmation"
    await walk.call("supervisor-2", "POST", signed, {"action": "confirm"}, places=place)
    await walk.call("auditor", "GET", "/v1/policies/{pack}/versions", places=pack)
    again = "/v1/audit/cases/{reference}/re-evaluation"
    found = await walk.call("auditor", "GET", again, places={"reference": walk.references[0]})
    assert found["same"]


async def walk_operators(walk: Walk) -> None:
    """An answer on a case that nobody knows becomes a line for the operator; a receipt finds its delivery."""
    unknown = {
        "outcome_id": "u-1",
        "case": "HT-0000-0000-E/HK",
        "outcome": "accepted",
        "authority_number": "C-HK-9",
        "occurred_at": walk.stage.clock().isoformat(),
    }
    assert (await walk.signed("/v1/authority/outcomes", unknown, AUTHORITY_SECRET)).status_code == 404
    await walk_lost_answers(walk, unknown)
    incidents = await walk.call("operator", "GET", "/v1/incidents")
    walk.ids["incident_id"] = incidents["items"][0]["id"]
    place = {"incident_id": walk.ids["incident_id"]}
    await walk.call("operator", "GET", "/v1/incidents/{incident_id}", places=place)
    await walk.call("operator", "POST", "/v1/incidents/{incident_id}/resume", places=place)
    await walk.signed("/v1/authority/outcomes", unknown, AUTHORITY_SECRET)
    causes = await walk.call("operator", "GET", "/v1/incident-causes")
    place = {"cause_id": causes["items"][0]["id"]}
    walk.ids["cause_id"] = place["cause_id"]
    await walk.call("operator", "GET", "/v1/incident-causes/{cause_id}", places=place)
    await walk.call("operator", "GET", "/v1/incident-causes/{cause_id}/incidents", places=place)
    await walk.call("operator", "POST", "/v1/incident-causes/{cause_id}/resume", places=place)
    await walk.call("operator", "GET", "/v1/health/channels")
    async with walk.stage.context.database.begin() as connection:
        query = select(deliveries.c.delivery_id).where(deliveries.c.channel == "mail").limit(1)
        delivery_id = (await connection.execute(query)).scalar_one()
    receipt = {"id": str(delivery_id), "status": "delivered", "at": walk.stage.clock().isoformat()}
    assert (await walk.signed("/v1/receipts", receipt, RECEIPTS_SECRET)).status_code == 200


async def walk_lost_answers(walk: Walk, answer: dict[str, str]) -> None:
    """The answer on the case that nobody knows is attached, by two, to one that is there."""
    (kept,) = (await walk.call("auditor", "GET", "/v1/lost-answers"))["items"]
    assert (kept["case"], kept["authority_number"], kept["state"]) == (answer["case"], "C-HK-9", "kept")
    place = {"answer_id": kept["id"]}
    here = "/v1/lost-answers/{answer_id}/attachment"
    wanted = {"reference": await walk.approve()}
    await walk.call("officer-1", "POST", here, wanted, places=place)
    signed = await walk.call("officer-2", "POST", f"{here}/confirmation", {"action": "confirm"}, places=place)
    assert (signed["state"], signed["attached_to"]) == ("attached", wanted["reference"])


async def walk_seal(walk: Walk) -> None:
    """Checkpoints, proofs and a witness."""
    await seal_all(walk.stage.context)
    checkpoint = await walk.open("/v1/audit/checkpoint")
    await walk.open("/v1/audit/keys")
    await walk.open("/v1/audit/consistency", params={"from": 1})
    chain = {"chain": walk.references[0], "seq": 1}
    await walk.call("auditor", "GET", "/v1/audit/proofs", params=chain)
    place = {"reference": walk.references[0]}
    await walk.call("auditor", "GET", "/v1/registrations/{reference}/receipts", places=place)
    line = cosign(parse_note(checkpoint["note"]).text, WITNESS_KEY.name, WITNESS, walk.stage.clock())
    body = {"size": checkpoint["size"], "cosignature": str(line)}
    await walk.open("/v1/audit/checkpoint/cosignatures", "POST", json=body)


async def walk_audit_of_cases(walk: Walk) -> None:
    """The story of a case, the comparison of its records, and what nightly rounds found."""
    place = {"reference": walk.ids["reference"]}
    story = await walk.call("auditor", "GET", "/v1/audit/cases/{reference}/history", places=place, params={"limit": 2})
    assert len(story["items"]) == 2
    await walk.call("auditor", "GET", "/v1/audit/cases/{reference}/reconciliation", places=place)
    await walk.call("auditor", "GET", "/v1/audit/differences")


async def walk_ledger(walk: Walk) -> None:
    """Search, counts, export, samples and possible conflicts."""
    began, ends = "2026-03-01T00:00:00+08:00", "2026-05-01T00:00:00+08:00"
    time = {"from": began, "to": ends}
    await walk.call("auditor", "GET", "/v1/audit/events", params={"act": "decided", "limit": 5})
    await walk.call("auditor", "GET", "/v1/audit/counts", params={"by": "act", **time})
    await walk.call("auditor", "GET", "/v1/audit/samples", params={"seed": "walk", **time})
    await walk.call("auditor", "GET", "/v1/audit/conflicts", params=time)
    answer = await walk.stage.as_("auditor").send("GET", "/v1/audit/export", headers={"Purpose": "audit"}, params=time)
    assert answer.status_code == 200, answer.text
    walk.seen["GET /v1/audit/export"].add(200)


async def walk_person(walk: Walk) -> None:
    """A person signs in by a link, reads what is theirs, and signs out."""
    me = await sign_in(walk.stage, walk.ids["reference"], email="feng@example.com")
    walk.seen["POST /v1/me/sign-in-links"].add(202)
    walk.seen["POST /v1/me/sessions"].add(201)
    mine = (await me.get("/v1/me/registrations")).json()["items"][0]
    body = {"reference": mine["reference"], "about": "handling", "text": "Please explain."}
    answer = await me.post("/v1/me/complaints", body)
    assert answer.status_code == 202, answer.text
    walk.seen["POST /v1/me/complaints"].add(202)
    waiting = (await walk.call("officer-1", "GET", "/v1/objections"))["items"]
    place = {"objection_id": waiting[-1]["id"]}
    told = {"outcome": "partly_upheld", "text": "Here is why."}
    await walk.call("supervisor", "POST", "/v1/objections/{objection_id}/answer", told, places=place)
    left = await sign_in(walk.stage, walk.ids["departed"], phone="+8613812345678")
    answer = await left.post("/v1/me/disputes", {"reference": walk.ids["departed"], "text": "I am still there."})
    assert answer.status_code == 202, answer.text
    walk.seen["POST /v1/me/disputes"].add(202)
    holder = await sign_in(walk.stage, walk.ids["issued"], email="feng@example.com")
    lost = {"reference": walk.ids["issued"], "destination": "HK", "lost_on": "2026-03-02"}
    answer = await holder.post("/v1/me/lost-cards", lost)
    assert answer.status_code == 202, answer.text
    walk.seen["POST /v1/me/lost-cards"].add(202)
    answer = await holder.post("/v1/me/changes", {"reference": walk.ids["issued"], "name_en": "Feng Chengze"})
    assert answer.status_code == 202, answer.text
    walk.seen["POST /v1/me/changes"].add(202)
    for path in (
        "/v1/me/registrations",
        "/v1/me/transfers",
        "/v1/me/releases",
        "/v1/me/data",
        "/v1/me/access-log",
        "/v1/me/access-log/days",
        "/v1/me/objections",
    ):
        answer = await me.get(path)
        assert answer.status_code == 200, (path, answer.text)
        walk.seen[f"GET {path}"].add(200)
    (own, *_) = (await me.get("/v1/me/registrations")).json()["items"]
    may = await me.get(f"/v1/me/registrations/{own['reference']}/acts")
    assert may.status_code == 200, may.text
    walk.seen["GET /v1/me/registrations/{reference}/acts"].add(200)
    assert (await me.get("/v1/me/offers", reference=own["reference"])).status_code == 200
    walk.seen["GET /v1/me/offers"].add(200)
    answer = await me.send("POST", "/v1/me/sign-out")
    assert answer.status_code == 204, answer.text
    walk.seen["POST /v1/me/sign-out"].add(204)


async def _walk_transfer(walk: Walk) -> None:
    """A person takes an agreement back, agrees again, and goes to another employer."""
    number = identity_number(990)
    reference = await walk.register(identity_number=number)
    await walk.decide(reference, "approve")
    await walk.pass_time(reference, timedelta(minutes=11))
    me = await sign_in(walk.stage, reference, email="feng@example.com")
    for _ in range(2):
        answer = await me.post("/v1/me/transfers", {"reference": reference, "employer": "emp-b"})
        assert answer.status_code == 202, answer.text
        path = f"/v1/me/transfers/{answer.json()['id']}/withdrawal"
        if "POST /v1/me/transfers" not in walk.seen:
            assert (await me.post(path, {})).status_code == 200
            walk.seen["POST /v1/me/transfers/{transfer_id}/withdrawal"].add(200)
        walk.seen["POST /v1/me/transfers"].add(202)
    body = registration_body(identity_number=number)
    body["employment"]["work_site"] = "SZP-101"
    await walk.call("employer-b", "POST", "/v1/registrations", body)
    await walk.pass_time(reference, timedelta(0))
    await walk.act("employer-a", reference, "departure-answer", {"action": "deny"})


async def walk_public(walk: Walk) -> None:
    """What anyone may call."""
    for path in ("/health/live", "/health/ready", "/openapi.json", "/docs", "/docs/problems", "/me"):
        answer = await walk.stage.nobody.send("GET", path)
        assert answer.status_code == 200, answer.text
        walk.seen[f"GET {path}"].add(200)
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        answer = await walk.stage.nobody.send("GET", f"/docs/assets/{name}")
        assert answer.status_code == 200
        walk.seen["GET /docs/assets/{name}"].add(200)
    assert (await walk.stage.nobody.send("OPTIONS", "/codec/decode")).status_code == 204
    walk.seen["OPTIONS /codec/decode"].add(204)
    decoded = await walk.stage.as_("operator").send("POST", "/codec/decode", json={"payloads": []})
    assert decoded.json() == {"payloads": []}
    walk.seen["POST /codec/decode"].add(200)
    await _walk_drafts(walk)
    checked = await walk.stage.nobody.send("POST", "/v1/self-check", json={"origin": "foreign"})
    assert checked.status_code == 200, checked.text
    walk.seen["POST /v1/self-check"].add(200)


async def _walk_drafts(walk: Walk) -> None:
    """Begin a draft, change it, read it and throw it away."""
    begun = {"programme": "talent_permit", "content": {"person": {"name_zh": "曹雪"}}}
    draft = await walk.call("employer-a", "POST", "/v1/drafts", begun)
    at, headers = {"draft_id": draft["id"]}, {"If-Match": '"1"'}
    await walk.call("employer-a", "PUT", "/v1/drafts/{draft_id}", {"content": {}}, places=at, headers=headers)
    await walk.call("employer-a", "GET", "/v1/drafts")
    await walk.call("employer-a", "GET", "/v1/drafts/{draft_id}", places=at)
    await walk.call("employer-a", "DELETE", "/v1/drafts/{draft_id}", places=at)
    saved = {"name": "今天到期", "list": "inbox", "filter": {"kind": "review", "holder": "me"}}
    view = await walk.call("officer-1", "POST", "/v1/saved-views", saved)
    await walk.call("officer-1", "GET", "/v1/saved-views")
    await walk.call("officer-1", "DELETE", "/v1/saved-views/{view_id}", places={"view_id": view["id"]})
