"""A right body for every route that takes one, so that tests reach what lies behind the form."""

from typing import Any

from tests.cases.contexts import registration_body

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
BODIES: dict[str, Any] = {
    "POST /v1/audit/checkpoint/cosignatures": {"size": 1, "cosignature": "— witness.test/w1 AAAAAAAA\n"},
    "POST /v1/me/sign-in-links": {"reference": "HT-0000-0000-E", "email": "feng@example.com"},
    "POST /v1/me/complaints": {"reference": "HT-0000-0000-E", "about": "other", "text": "Please look."},
    "POST /v1/me/disputes": {"reference": "HT-0000-0000-E", "text": "I still work there."},
    "POST /v1/me/contests": {"reference": "HT-0000-0000-E", "fact": 1, "text": "That was my old card."},
    "POST /v1/objections/{objection_id}/answer": {"outcome": "upheld", "text": "Mended."},
    "POST /v1/me/sessions": {"link": "a" * 32},
    "POST /v1/registrations": registration_body(),
    "POST /v1/registrations/check": registration_body(),
    "POST /v1/registrations/{reference}/correction": {"employment": {"position": "高级研究员"}},
    "POST /v1/registrations/{reference}/contest": {"note": "The finding is wrong."},
    "POST /v1/registrations/{reference}/withdrawal": {},
    "POST /v1/registrations/{reference}/departure": {"last_day": "2026-03-31", "reason": "resigned"},
    "POST /v1/registrations/{reference}/change": {"email": "new@example.com"},
    "POST /v1/registrations/{reference}/permits/{destination}/lost": {"lost_on": "2026-03-02"},
    "POST /v1/registrations/{reference}/facts": {
        "field": "person.permit_card_valid_until",
        "value": "2036-05-31",
        "seen_in": "The card itself.",
        "round": 1,
    },
    "POST /v1/registrations/{reference}/facts/{number}/contest": {"note": "The card was renewed."},
    "POST /v1/registrations/{reference}/decision": {"action": "approve", "round": 1},
    "POST /v1/registrations/{reference}/confirmation": {"action": "confirm", "round": 1},
    "POST /v1/registrations/{reference}/recall": {"reason": "Approved by mistake."},
    "POST /v1/registrations/{reference}/hold": {
        "action": "place",
        "reason": "legal_question",
        "review_on": "2026-03-20",
    },
    "POST /v1/registrations/{reference}/legal-holds": {"reason": "litigation", "paper": "2026-0042"},
    "POST /v1/registrations/{reference}/legal-holds/{hold_id}/release": {"reason": "matter_closed"},
    "POST /v1/registrations/{reference}/erasure": {"reason": "person_asked"},
    "POST /v1/registrations/{reference}/erasure/confirmation": {"action": "confirm"},
    "POST /v1/registrations/{reference}/revocation": {"reasons": [{"code": "decided_in_error"}]},
    "POST /v1/registrations/{reference}/permits/{destination}/eligibility": {
        "action": "send",
        "reasons": [{"code": "document_seen"}],
    },
    "POST /v1/registrations/{reference}/permits/{destination}/outcome": {"outcome_id": "out-1"},
    "POST /v1/registrations/{reference}/permits/{destination}/confirmation": {"action": "confirm"},
    "POST /v1/decisions": [{"reference": "HT-0000-0000-E", "round": 1}],
    "POST /v1/tasks/next": {},
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
}
