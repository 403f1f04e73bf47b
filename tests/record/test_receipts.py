"""Decision receipts: what each reader gets, and that a check with the public keys alone finds every changed byte."""

import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from cases.shared.views import document
from domain.actors import Actor, Role
from domain.commands import CommandKind
from domain.errors import Refused
from proof.checkpoints import cosign, parse_note
from proof.files import verify
from proof.receipts import canonical, sign
from proof.verdicts import KnownKeys, read_keys
from record.receipts import issue_receipts
from record.seal import log
from record.seal.sealer import seal
from store import tables
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, WITNESS, WITNESS_KEY
from tests.cases.driver import OFFICER_2, Case, Park, china, open_park
from tests.cases.facts import LAST_DAY, record
from tests.record.seal.sealed import seal_all
from tests.record.telling import receipts_of

AUDITOR = Actor(issuer="test", subject="auditor", role=Role.AUDITOR)


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


def _keys(park: Park, least_witnesses: int = 0) -> KnownKeys:
    return read_keys(json.dumps(document(log.public_keys(park.context))), least_witnesses)


async def _refused(park: Park) -> Case:
    case = await park.review()
    await case.decide("return", "employment_unproved")
    await case.do(EMPLOYER_A, CommandKind.CORRECT, employment={"position": "高级研究员"})
    await case.step()
    await case.decide("refuse", "not_employed_there", note="仅供内部的话")
    await case.confirm()
    return case


async def test_a_receipt_proves_each_decision_to_the_employer_and_names_nobody(park: Park) -> None:
    case = await _refused(park)
    early = await receipts_of(park.context, EMPLOYER_A, case.reference)
    assert (early["items"], [each["outcome"] for each in early["pending"]]) == ([], ["return", "refuse"])
    assert _code(canonical(early), _keys(park)) == "not_sealed"
    await seal_all(park.context)
    answer = canonical(await receipts_of(park.context, EMPLOYER_A, case.reference))
    verdict = verify(answer, _keys(park))
    assert verdict.holds, verdict.failed
    returned, refused = (each["content"] for each in json.loads(answer)["items"])
    assert (returned["decision"]["outcome"], returned["decision"]["round"]) == ("return", 1)
    assert (refused["decision"]["outcome"], refused["decision"]["reason_codes"]) == ("refuse", ["not_employed_there"])
    assert refused["decision"]["role"] == refused["decision"]["proposed_by_role"] == "officer"
    assert refused["remedy"]["status"] == "unconfirmed"
    assert returned["remedy"] is None
    facts = {each["name"]: each for each in refused["facts"]}
    assert facts["identity_number"] == {
        "name": "identity_number",
        "value": "4403**********123X",
        "shown": "masked",
        "source": "application",
    }
    assert "employer_standing" not in facts
    assert {tuple(each["says"]) for each in refused["findings"]} == {("en", "zh-Hans", "zh-Hant")}
    for hidden in ("officer-1", OFFICER_2.subject, "44030419900307123X", "冯承泽", "仅供内部", "C12345678"):
        assert hidden not in answer.decode()
    issued = (await park.rows(tables.ledger, tables.ledger.c.act == "receipt_issued"))[-1]
    assert issued["detail"]["decisions"]
    assert issued["rule_version"] == refused["decision"]["rule_version"]
    assert bytes(issued["rule_hash"]).hex() == refused["decision"]["rule_hash"]


async def test_a_receipt_states_the_remedy_of_the_letter_whatever_the_limits_are_now(park: Park) -> None:
    case = await _refused(park)
    await seal_all(park.context)
    then = park.context.limits
    changed = replace(then, reconsideration_calendar_days=30, lawsuit_months=3, version="2030-01-01")
    now = replace(park.context, limits=changed)

    (remedy,) = [
        each["content"]["remedy"]
        for each in (await receipts_of(now, EMPLOYER_A, case.reference))["items"]
        if each["content"]["decision"]["outcome"] == "refuse"
    ]

    told = (remedy["reconsideration_calendar_days"], remedy["lawsuit_months"], remedy["limits_version"])
    assert told == (then.reconsideration_calendar_days, then.lawsuit_months, then.version)
    assert remedy["reconsideration_not_before"] == "2026-05-01"
    assert remedy["as_stated"]


async def test_an_auditor_s_receipt_holds_the_row_and_what_staff_saw(park: Park) -> None:
    case = await _refused(park)
    await seal_all(park.context)
    found = (await receipts_of(park.context, AUDITOR, case.reference))["items"][-1]["content"]
    assert found["ledger"]["content"]["actor_subject"] == OFFICER_2.subject
    assert "employer_standing" in {each["name"] for each in found["facts"]}
    other = {each["name"] for each in found["facts"] if each["shown"] == "withheld"}
    assert other == {"permit_card_valid_until"}
    with pytest.raises(Refused, match="case_unknown"):
        await issue_receipts(park.context, EMPLOYER_B, case.reference)


async def test_a_receipt_says_which_fact_an_officer_saw(park: Park) -> None:
    case = await park.review(permit_card_valid_until="2027-03-31")
    await record(case, LAST_DAY, "2036-05-31")
    await case.decide("approve")
    await case.confirm()
    await case.after(minutes=10)
    await seal_all(park.context)
    found = (await receipts_of(park.context, EMPLOYER_A, case.reference))["items"][-1]["content"]
    shown = {each["name"]: (each["value"], each["source"]) for each in found["facts"]}
    assert shown["permit_card_valid_until"] == ("2036-05-31", "recorded by an officer")
    assert shown["permit_card_number"][1] == "application"


async def test_an_approval_is_out_once_it_has_settled_and_a_recalled_one_never(park: Park) -> None:
    case = await park.review()
    await case.decide("approve")
    await seal_all(park.context)
    assert (await receipts_of(park.context, EMPLOYER_A, case.reference))["items"] == []
    inside = (await receipts_of(park.context, AUDITOR, case.reference))["items"]
    assert [each["content"]["decision"]["outcome"] for each in inside] == ["approve"]
    settled = await park.approved(identity_number="33010619860128072X")
    await seal_all(park.context)
    (receipt,) = (await receipts_of(park.context, EMPLOYER_A, settled.reference))["items"]
    assert receipt["content"]["case"]["registration_number"]


async def test_a_check_names_the_first_thing_that_does_not_hold(park: Park) -> None:
    case = await _refused(park)
    await seal_all(park.context)
    other = KnownKeys(park.context.log_origin, (), (), 0)
    file = canonical((await receipts_of(park.context, AUDITOR, case.reference))["items"][-1])
    assert verify(file, _keys(park)).holds
    assert _code(file, other) == "signature"
    assert _code(file, _keys(park, least_witnesses=1)) == "cosignature"
    draw = random.Random(4)
    for _ in range(400):
        place, bit = draw.randrange(len(file)), draw.randrange(8)
        altered = bytearray(file)
        altered[place] ^= 1 << bit
        assert not verify(bytes(altered), _keys(park)).holds, (place, bit)
    assert _code(file[:-2], _keys(park)) == "form"
    # What one with the key of the log could still not do: say what the checkpoint does not bear out.
    for change, code in (
        (("ledger", "hash", "00" * 32), "row_hash"),
        (("seal", "index", 0), "inclusion"),
        (("seal", "proof", []), "inclusion"),
        (("seal", "checkpoint", "no note"), "checkpoint"),
        (("decision", "rule_version", "2030-01-01"), "row"),
    ):
        assert _code(_forged(park, file, *change), _keys(park)) == code, change


async def test_a_witness_s_word_comes_with_the_receipt(park: Park) -> None:
    case = await _refused(park)
    await seal_all(park.context)
    sealed = await log.find_checkpoint(park.context)
    line = cosign(parse_note(sealed.note).text, WITNESS_KEY.name, WITNESS, park.clock())
    await log.add_cosignature(park.context, sealed.size, str(line))
    await seal(park.context)
    file = canonical(await receipts_of(park.context, EMPLOYER_A, case.reference))
    verdict = verify(file, _keys(park, least_witnesses=1))
    assert verdict.holds
    assert any(WITNESS_KEY.name in step.says for step in verdict.steps if step.code == "cosignature")


def _forged(park: Park, file: bytes, part: str, name: str, value: Any) -> bytes:
    content = json.loads(file)["content"]
    content[part][name] = value
    return canonical(sign(content, park.context.log_origin, park.context.keyring.sealing_key()))


def _code(file: bytes, keys: KnownKeys) -> str:
    failed = verify(file, keys).failed
    assert failed is not None
    return failed.code
