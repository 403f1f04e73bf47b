"""Running rules again, trying drafts on past cases, and publishing them with two signatures."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import rfc8785
from sqlalchemy import text, update
from structlog.testing import capture_logs

from cases.shared.pack_shelf import read_packs
from domain.actors import Actor, Role, system
from domain.errors import Refused
from domain.findings import Audience, FindingOutcome
from domain.languages import Language
from domain.rule_packs import PackConfirmation, PackProposal
from policy.pack import PackError, PackShelves, parse_pack
from policy.packs import load_rule_packs
from policy.rule import rule
from programmes.talent_permit.findings import FindingCode
from programmes.talent_permit.limits import RULES
from programmes.talent_permit.rules import PERMIT_RULES
from proof.statements import verify
from record.re_evaluation import evaluate_again
from register.packs import confirm_pack, list_packs, propose_pack
from register.trials import read_trial, try_pack
from store import tables
from tests.cases.contexts import NOON, SUPERVISOR, SUPERVISOR_2, key
from tests.cases.driver import Park, open_park
from tests.cases.of_another import make_of
from tests.register.drafts import LONGER_TERM, SHIPPED, STRICTER, draft

AUDITOR = Actor(issuer="test", subject="auditor", role=Role.AUDITOR)


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, NOON) as park:
        yield park


async def _code(coroutine: Any) -> str:
    with pytest.raises(Refused) as caught:
        await coroutine
    return caught.value.code


async def test_a_case_run_again_finds_the_same(park: Park) -> None:
    case = await park.issued()
    found = await evaluate_again(park.context, AUDITOR, case.reference, Language.EN)
    assert found.same
    assert {run.scope for run in found.assessments} == {"registration", "HK", "MO"}
    assert all(run.kept and run.rule_hash == run.rule_hash_now for run in found.assessments)
    acts = await park.rows(tables.ledger, tables.ledger.c.act == "evaluated_again")
    assert [row["detail"]["cases"] for row in acts] == [[case.reference]]
    assert {bytes(row["rule_hash"]).hex() for row in acts} == {found.assessments[0].rule_hash}


async def test_a_finding_that_was_altered_after_the_fact_is_named(park: Park) -> None:
    case = await park.review()
    async with park.context.database.begin() as connection:
        [row] = (await connection.execute(text("SELECT findings FROM assessments"))).scalars()
        row[0]["outcome"] = "fail"
        await connection.execute(update(tables.assessments).values(findings=row))
    found = await evaluate_again(park.context, AUDITOR, case.reference, Language.EN)
    assert not found.same
    [run] = found.assessments
    assert run.differences == [{"code": row[0]["code"], "before": "fail", "now": "pass"}]


async def test_a_pack_whose_text_was_changed_since_is_named(park: Park) -> None:
    case = await park.review()
    changed = parse_pack(SHIPPED + "# one more line\n")
    context = replace(park.context, packs=PackShelves([changed]))
    found = await evaluate_again(context, AUDITOR, case.reference, Language.EN)
    [run] = found.assessments
    assert not found.same
    assert run.differences == []
    assert run.rule_hash != run.rule_hash_now


async def test_erased_facts_cannot_be_run_again_and_a_trial_counts_them_apart(park: Park) -> None:
    case = await park.review()
    async with park.context.database.begin() as connection:
        persons = "SELECT key_id FROM persons"
        await connection.execute(text(f"UPDATE data_keys SET wrapped = NULL WHERE key_id IN ({persons})"))
    assert await _code(evaluate_again(park.context, AUDITOR, case.reference, Language.EN)) == "facts_erased"
    trial = await try_pack(park.context, AUDITOR, parse_pack(STRICTER), date(2026, 1, 1))
    assert (trial.report["cases"], trial.report["facts_erased"], trial.report["flipped"]) == (1, 1, 0)


async def test_a_trial_lists_who_would_flip_and_by_which_rule(park: Park) -> None:
    young = await park.review()
    await park.review(identity_number="440304197001010012")
    trial = await try_pack(park.context, system("policy_try"), parse_pack(STRICTER), date(2026, 1, 1))
    assert (trial.report["cases"], trial.report["flipped"], trial.report["outcome_changes"]) == (2, 1, 1)
    [flip] = trial.report["flips"]
    assert flip["reference"] == young.reference
    assert [rule["code"] for rule in flip["rules"]] == ["birth_date_implausible"]
    assert trial.report["by_rule"] == {"birth_date_implausible": 1}
    rest = {name: value for name, value in trial.document().items() if name != "report_hash"}
    assert hashlib.sha256(rfc8785.dumps(rest)).hexdigest() == trial.report_hash
    assert await read_trial(park.context, AUDITOR, "talent_permit", trial.report_hash) == trial
    none = await try_pack(park.context, system("policy_try"), parse_pack(STRICTER), date(2027, 1, 1))
    assert none.report["cases"] == 0


async def test_a_trial_leaves_cases_of_other_programmes_out(park: Park, owner_url: str) -> None:
    await make_of("another", await park.review(), owner_url)
    trial = await try_pack(park.context, system("policy_try"), parse_pack(STRICTER), date(2026, 1, 1))
    assert trial.report["cases"] == 0


async def test_a_trial_runs_the_rules_of_each_permit_too(park: Park) -> None:
    case = await park.issued()
    trial = await try_pack(park.context, system("policy_try"), parse_pack(LONGER_TERM), date(2026, 1, 1))
    found = {flip["scope"]: (flip["before"], flip["now"], flip["rules"]) for flip in trial.report["flips"]}
    flipped = [{"code": "permit_card_ends_early", "before": "pass", "now": "fail"}]
    assert found == dict.fromkeys(("HK", "MO", "registration"), ("clear", "needs_officer", flipped))
    assert {flip["reference"] for flip in trial.report["flips"]} == {case.reference}
    assert (trial.report["cases"], trial.report["flipped"], trial.report["outcome_changes"]) == (1, 1, 1)
    assert list(trial.report["by_scope"]) == ["HK", "MO", "registration"]
    for totals in trial.report["by_scope"].values():
        assert totals == {"assessments": 1, "flipped": 1, "outcome_changes": 1}
    assert trial.report["by_rule"] == {"permit_card_ends_early": 3}


async def test_a_rule_of_permits_alone_flips_permits_alone(park: Park) -> None:
    await park.issued()
    strict = rule(FindingCode.REGISTRATION_NOT_IN_FORCE, source="test", audience=Audience.STAFF)(
        lambda facts, pack, on: FindingOutcome.FAIL
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("programmes.talent_permit.rules.PERMIT_RULES", (strict, *PERMIT_RULES[1:]))
        trial = await try_pack(park.context, system("policy_try"), parse_pack(draft()), date(2026, 1, 1))
    assert {flip["scope"] for flip in trial.report["flips"]} == {"HK", "MO"}
    assert trial.report["by_rule"] == {"registration_not_in_force": 2}


async def test_what_is_found_from_an_answer_is_no_flip_of_a_draft(park: Park) -> None:
    case = await park.accepted()
    await case.answer("issued", stay_days=14)
    kept = [row for row in await park.rows(tables.assessments) if row["scope"] == "HK"]
    newest = max(kept, key=lambda row: row["seq"])  # rows come in no order
    assert "authority_term_differs" in {finding["code"] for finding in newest["findings"]}
    trial = await try_pack(park.context, system("policy_try"), parse_pack(draft()), date(2026, 1, 1))
    assert (trial.report["flipped"], trial.report["flips"]) == (0, [])


async def test_a_trial_leaves_a_row_for_each_page_of_cases_whose_facts_it_opened(
    park: Park, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("register.trials._PAGE", 2)
    cases = [await park.review(), await park.review(identity_number="440304197001010012")]
    cases += [await park.review(identity_number="440304198001010017")]
    tried = {"account": "warden", "stated_by": "supervisor-7"}
    await try_pack(park.context, system("policy_try"), parse_pack(STRICTER), date(2026, 1, 1), tried_by=tried)
    pages = await park.rows(tables.ledger, tables.ledger.c.act == "case_read")
    assert sorted(len(row["detail"]["cases"]) for row in pages) == [1, 2]
    assert {each for row in pages for each in row["detail"]["cases"]} == {case.reference for case in cases}
    assert {row["detail"]["what"] for row in pages} == {"rule_trial"}
    assert {bytes(row["rule_hash"]).hex() for row in pages} == {parse_pack(STRICTER).content_hash}
    [whole] = await park.rows(tables.ledger, tables.ledger.c.act == "rule_tried")
    for row in (*pages, whole):
        assert {name: row["detail"][name] for name in tried} == tried


async def test_a_pack_is_published_by_two_people_and_holds_from_its_day_on(park: Park) -> None:
    before = await park.review()
    trial = await try_pack(park.context, system("policy_try"), parse_pack(STRICTER), date(2026, 1, 1))
    proposal = PackProposal(content=STRICTER, report_hash=trial.report_hash)
    name, one = "talent_permit", key()
    proposed = await propose_pack(park.context, SUPERVISOR, name, proposal, one)
    assert (proposed.progress, proposed.body["state"]) == ("made", "proposed")
    assert await propose_pack(park.context, SUPERVISOR, name, proposal, one) == proposed
    yes = PackConfirmation(action="confirm")  # type: ignore[arg-type]  # the model reads the word
    version = proposed.body["version"]
    assert await _code(confirm_pack(park.context, SUPERVISOR, name, version, yes, key())) == "same_signer"
    signed = await confirm_pack(park.context, SUPERVISOR_2, name, version, yes, key())
    assert signed.body["state"] == "published"
    assert await _code(confirm_pack(park.context, SUPERVISOR_2, name, version, yes, key())) == "already_decided"

    # A process of its own has read nothing yet; the first intake of the day hears of the pack all the same.
    other = Park(replace(park.context, packs=PackShelves(load_rule_packs(RULES))), park.clock)
    same_day = await other.take_on(identity_number="440304197001010012")
    park.clock.at = NOON.replace(month=4, day=1)
    later = await other.take_on(identity_number="440304198001010017")
    rows = {row["reference"]: row["policy_version"] for row in await park.rows(tables.cases)}
    assert rows == {before.reference: "2025-11-05", same_day.reference: "2025-11-05", later.reference: "2026-04-01"}
    fresh = Park(replace(park.context, packs=PackShelves(load_rule_packs(RULES))), park.clock)
    await type(later)(fresh, later.reference).step()
    [assessed] = await park.rows(tables.assessments, tables.assessments.c.reference == later.reference)
    assert assessed["policy_hash"] == parse_pack(STRICTER).content_hash

    acts = [row for row in await park.rows(tables.ledger) if row["chain"] == "policy/talent_permit"]
    assert [row["act"] for row in acts] == ["rule_tried", "rule_proposed", "rule_published"]
    assert {row["detail"]["report_hash"] for row in acts} == {trial.report_hash}
    [kept] = await park.rows(tables.rule_packs)
    keys = park.context.keyring.statement_keys()
    said = [verify(kept[part]["statement"], keys) for part in ("proposed_by", "confirmed_by")]
    assert [s.subject for s in said] == [SUPERVISOR.subject, SUPERVISOR_2.subject]
    assert {s.body_hash for s in said} == {kept["content_hash"]}
    versions = await list_packs(park.context, AUDITOR, name)
    names = ("2025-11-05", "2026-04-01", "2026-11-30")
    assert [(v.version, v.state) for v in versions] == [(name, "published") for name in names]


async def test_a_rejected_pack_takes_no_effect_and_frees_its_day(park: Park) -> None:
    name = "talent_permit"
    trial = await try_pack(park.context, system("policy_try"), parse_pack(STRICTER), date(2026, 1, 1))
    proposal = PackProposal(content=STRICTER, report_hash=trial.report_hash)
    await propose_pack(park.context, SUPERVISOR, name, proposal, key())
    without = PackConfirmation.model_validate({"action": "reject"})
    assert await _code(confirm_pack(park.context, SUPERVISOR_2, name, "2026-04-01", without, key())) == "reason_missing"
    no = PackConfirmation.model_validate({"action": "reject", "reasons": ["facts_incomplete"]})
    rejected = await confirm_pack(park.context, SUPERVISOR_2, name, "2026-04-01", no, key())
    assert rejected.body["state"] == "rejected"
    async with park.context.database.begin() as connection:
        await read_packs(park.context, connection)
    assert not park.context.packs.of("talent_permit").has("2026-04-01")
    assert await _code(propose_pack(park.context, SUPERVISOR, name, proposal, key())) == "already_decided"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ("name: [", "content"),
        (draft("2026-03-02"), "content"),  # takes effect on the day of the proposal
        (SHIPPED.replace("name: talent_permit", "name: limits"), "content"),
        (STRICTER, "report_hash"),
    ],
)
async def test_a_proposal_that_cannot_stand_names_the_field(park: Park, content: str, field: str) -> None:
    proposal = PackProposal(content=content, report_hash="0" * 64)
    with pytest.raises(Refused) as caught:
        await propose_pack(park.context, SUPERVISOR, "talent_permit", proposal, key())
    assert [error.field for error in caught.value.errors] == [field]
    assert await park.rows(tables.rule_packs) == []


async def test_a_pack_whose_first_day_has_come_is_signed_no_more(park: Park) -> None:
    name = "talent_permit"
    trial = await try_pack(park.context, system("policy_try"), parse_pack(STRICTER), date(2026, 1, 1))
    proposal = PackProposal(content=STRICTER, report_hash=trial.report_hash)
    await propose_pack(park.context, SUPERVISOR, name, proposal, key())
    park.clock.at = NOON.replace(month=4, day=1)
    yes = PackConfirmation.model_validate({"action": "confirm"})
    assert await _code(confirm_pack(park.context, SUPERVISOR_2, name, "2026-04-01", yes, key())) == "wrong_stage"


async def _publish(park: Park, content: str, name: str = "talent_permit", version: str = "2026-03-01") -> None:
    """Keep a published pack as a newer version of the code, or another hand, would."""
    row = {
        "name": name,
        "version": version,
        "content": content,
        "content_hash": hashlib.sha256(content.encode()).hexdigest(),
        "effective_from": date.fromisoformat(version),
        "state": "published",
        "report_hash": "0" * 64,
        "proposed_by": {},
        "confirmed_by": {},
        "at": NOON,
    }
    async with park.context.database.begin() as connection:
        await connection.execute(tables.rule_packs.insert().values(row))


@pytest.mark.parametrize(
    "content",
    [draft("2026-03-01").replace("reads: [1]", "reads: [5]"), "name: [", "- no pack"],
    ids=["newer", "cut", "list"],
)
async def test_a_published_pack_that_cannot_be_read_is_told_and_passed_over(park: Park, content: str) -> None:
    await _publish(park, content)
    await _publish(park, draft("2026-02-01"), version="2026-02-01")
    with capture_logs() as logs:
        case = await park.take_on()
    assert [(line["event"], line["version"]) for line in logs if line["log_level"] == "error"] == [
        ("pack_not_read", "2026-03-01")
    ]
    assert (await case.row())["policy_version"] == "2026-02-01"
    await case.step()
    assert (await case.row())["stage"] == "under_review"


async def test_a_pack_of_another_name_comes_on_no_shelf_of_these_rules(park: Park, tmp_path: Path) -> None:
    other = draft("2026-03-01").replace("name: talent_permit", "name: other")
    await _publish(park, other, name="other")
    case = await park.take_on()
    assert (await case.row())["policy_version"] == "2025-11-05"
    request = PackProposal(content=other, report_hash="0" * 64)
    assert await _code(propose_pack(park.context, SUPERVISOR, "other", request, key())) == "not_found"
    (tmp_path / "talent_permit").mkdir()
    (tmp_path / "talent_permit" / "other.yaml").write_text(other, encoding="utf-8")
    with pytest.raises(PackError, match="named other"):
        load_rule_packs(RULES, tmp_path)
