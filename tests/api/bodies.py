"""A right body for every route that takes one, so that tests reach what lies behind the form."""

from typing import Any

from pydantic import BaseModel

from cases.programme import Programme
from programmes import PROGRAMMES
from tests.programmes.samples import SAMPLES

ANSWER = {
    "outcome_id": "out-1",
    "case": "HT-0000-0000-E/HK",
    "outcome": "accepted",
    "authority_number": "A-1",
    "occurred_at": "2026-03-02T12:00:00+08:00",
}
EMPLOYER = {
    "uscc": "91440300MA5HW7K3R4",
    "name_zh": "深圳河湾示例科技有限公司",
    "kind": "tech_enterprise",
    "premises": ["SZP-101"],
    "contact": {"email": "people@hwx.example", "language": "zh-Hant"},
    "valid_from": "2026-01-01",
}
# What any case is asked, by what stands behind its reference.
OF_ANY_CASE: dict[str, Any] = {
    "contest": {"note": "The finding is wrong."},
    "withdrawal": {},
    "departure-answer": {"action": "deny"},
    "objection": {"against": "refusal", "grounds": "We have premises in the Park."},
    "objection-withdrawal": {"objection": "00000000-0000-4000-8000-000000000000"},
    "objection-decision": {
        "objection": "00000000-0000-4000-8000-000000000000",
        "action": "reject",
        "reasons": [{"code": "grounds_unproved"}],
    },
    "renewal": {},
    "renewal-correction": {},
    "renewal-decision": {"action": "grant", "renewal": 1},
    "renewal-recall": {"reason": "Granted by mistake."},
    "renewal-withdrawal": {},
    "take-over": {"offer": "00000000-0000-4000-8000-000000000000"},
    "set-aside": {"reasons": [{"code": "decided_in_error"}]},
    "facts/{number}/contest": {"note": "The card was renewed."},
    "decision": {"action": "approve", "round": 1},
    "decision/preview": {"action": "approve", "round": 1},
    "confirmation": {"action": "confirm", "round": 1},
    "recall": {"reason": "Approved by mistake."},
    "hold": {
        "action": "place",
        "reason": "legal_question",
        "review_on": "2026-03-20",
    },
    "check-codes": {},
    "check-codes/{code_id}/withdrawal": {},
    "legal-holds": {"reason": "litigation", "paper": "2026-0042"},
    "legal-holds/{hold_id}/release": {"reason": "matter_closed"},
    "erasure": {"reason": "person_asked"},
    "erasure/confirmation": {"action": "confirm"},
}

OF_EVIDENCE: dict[str, Any] = {
    "evidence/{evidence_id}/seen": {"result": "not_proved", "seen_in": "The original.", "round": 1},
    "evidence/{evidence_id}/fallen": {"reasons": [{"code": "evidence_revoked"}]},
}


def bodies_of(programme: Programme) -> dict[str, Any]:
    """Return a right body for every route of a programme, and for some that it may not have."""
    sample, path = SAMPLES[programme.code], f"POST /v1/{programme.path}"
    of_case = {
        "correction": sample.correction,
        "facts": {**sample.fact, "round": 1},
        **OF_ANY_CASE,
        **sample.own,
    }
    if programme.evidence is not None:
        of_case |= OF_EVIDENCE
    check = {} if programme.check is None else {f"{path}/check": sample.form}
    return {
        path: sample.form,
        **check,
        **{f"{path}/{each.path}": example_of(each.body) for each in programme.questions},
        **{f"{path}/{{reference}}/{each}": body for each, body in of_case.items()},
    }


def example_of(body: type[BaseModel]) -> Any:
    """Return the example that a body publishes."""
    extra: Any = body.model_config["json_schema_extra"]
    (shown,) = extra["examples"]
    return shown


BODIES: dict[str, Any] = {
    "POST /v1/audit/checkpoint/cosignatures": {"size": 1, "cosignature": "— witness.test/w1 AAAAAAAA\n"},
    "POST /v1/self-check": {"origin": "foreign"},
    "POST /v1/drafts": {"programme": "talent_permit", "content": {"person": {"name_zh": "曹雪"}}},
    "POST /v1/saved-views": {"name": "x", "list": "cases", "filter": {"needs": "employer"}},
    "PUT /v1/drafts/{draft_id}": {"content": {}},
    "POST /v1/me/sign-in-links": {"reference": "HT-0000-0000-E", "email": "feng@example.com"},
    "POST /v1/me/complaints": {"reference": "HT-0000-0000-E", "about": "other", "text": "Please look."},
    "POST /v1/me/disputes": {"reference": "HT-0000-0000-E", "text": "I still work there."},
    "POST /v1/me/changes": {"reference": "HT-0000-0000-E", "name_en": "Feng Chengze"},
    "POST /v1/me/lost-cards": {"reference": "HT-0000-0000-E", "destination": "HK", "lost_on": "2026-03-01"},
    "POST /v1/me/contests": {"reference": "HT-0000-0000-E", "fact": 1, "text": "That was my old card."},
    "POST /v1/objections/{objection_id}/answer": {"outcome": "upheld", "text": "Mended."},
    "POST /v1/person-joinings": {
        "kept": {"reference": "HT-0000-0000-E"},
        "joined": {"reference": "HT-1111-1111-7"},
        "reason": "other_document",
        "proof": "Both documents were shown together.",
    },
    "POST /v1/person-joinings/{joining_id}/confirmation": {"action": "confirm"},
    "POST /v1/person-joinings/{joining_id}/parting": {"reason": "not_one_person", "proof": "They came together."},
    "POST /v1/me/transfers": {"reference": "HT-0000-0000-E", "employer": "emp-b"},
    "POST /v1/me/transfers/{transfer_id}/withdrawal": {},
    "POST /v1/me/releases": {"reference": "HT-0000-0000-E", "offer": "00000000-0000-4000-8000-000000000000"},
    "POST /v1/me/releases/{release_id}/withdrawal": {},
    "POST /v1/me/work-permit-cancellations": {"reference": "WP-0000-0000-9"},
    "POST /v1/me/sessions": {"link": "a" * 32},
    "POST /v1/me/objections": {"reference": "HT-0000-0000-E", "against": "refusal", "grounds": "I work there."},
    "POST /v1/me/objection-withdrawals": {
        "reference": "HT-0000-0000-E",
        "objection": "00000000-0000-4000-8000-000000000000",
    },
    "POST /v1/lost-answers/{answer_id}/attachment": {"reference": "HT-0000-0000-E"},
    "POST /v1/lost-answers/{answer_id}/attachment/confirmation": {"action": "confirm"},
    "POST /v1/decisions": [{"reference": "HT-0000-0000-E", "round": 1}],
    "POST /v1/tasks/next": {},
    "POST /v1/tasks/assign": {"tasks": ["00000000-0000-4000-8000-000000000000"], "subject": "officer-2"},
    "POST /v1/tasks/{task_id}/release": {},
    "POST /v1/tasks/{task_id}/assign": {"subject": "officer-2"},
    "POST /v1/tasks/{task_id}/answer": {"action": "done"},
    "PUT /v1/employers/{employer_id}": EMPLOYER,
    "PUT /v1/employers/me/contact": EMPLOYER["contact"],
    "POST /v1/employers/{employer_id}/standing": {"standing": "suspended", "valid_from": "2026-03-02"},
    "POST /v1/policies/{pack}": {"content": "name: talent_permit", "report_hash": "0" * 64},
    "POST /v1/policies/{pack}/versions/{version}/confirmation": {"action": "confirm"},
    "POST /v1/employers/{employer_id}/standing/confirmation": {"action": "confirm"},
    "PUT /v1/premises": {"premises": [{"code": "SZP-900", "address": "示例路9号", "valid_from": "2026-01-01"}]},
    "PUT /v1/webhooks": {"url": "https://hr.example.com/hooks", "kinds": ["registration_approved"]},
    "POST /v1/webhooks/{webhook_id}/secret": {},
    **{path: body for each in PROGRAMMES.values() for path, body in bodies_of(each).items()},
}
