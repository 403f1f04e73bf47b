"""The demo's check on made-up readings: whatever differs between API, sinks and books is named."""

import copy
from typing import Any

import pytest

from sandbox.demo.check import ReadBack, differences, notices, permits, stages

REFERENCE = "HT-AAAA-BBBB-C"
ISSUED = {
    "authority_number": "C-HK-1",
    "valid_from": "2026-11-23",
    "valid_until": "2029-11-22",
    "stay_days": 30,
    "entries": "multiple",
}


def reading() -> dict[str, Any]:
    """What is read back of one straight case for Hong Kong."""
    permit = {"destination": "HK", "stage": "issued", "sent_at": "2026-11-23T10:00:00+08:00", "reported_at": None}
    case = {
        "stage": "approved",
        "destinations": ["HK"],
        "registration_number": "HR-1",
        "permits": [permit | ISSUED],
    }
    person = {"identity_number": "1", "name_zh": "李示例"}
    entry = {"registration_number": "HR-1", "destination": "HK", "person": person}
    told = [
        {
            "kind": "permit_issued",
            "recipient": "person",
            "status": "delivered",
            "deliveries": [{"message_id": f"d-{number}", "channel": "mail", "status": "delivered"}],
        }
        for number in range(10)
    ]
    return {
        "rows": {REFERENCE: "HTRI-001"},
        "cases": {REFERENCE: case},
        "notices": {REFERENCE: told},
        "books": {
            "entries": [{"case": f"{REFERENCE}/HK", "state": "issued", "body": entry}],
            "reports": [],
            "answers": [{"case": f"{REFERENCE}/HK", "body": {"outcome": "issued", **ISSUED}}],
        },
        "mails": [{"message_id": f"d-{number}@hetao.example", "text": REFERENCE} for number in range(10)],
        "texts": [],
        "hooks": [],
        "incidents": [],
    }


def test_a_case_that_agrees_everywhere_has_no_differences() -> None:
    found = ReadBack(**reading())
    assert differences(found) == []
    assert (stages(found), permits(found), notices(found)) == (
        {"approved": 1},
        {"issued": {"HK": 1}},
        {"delivered": 10},
    )


def _change(found: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split("/")
    place: Any = found
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step.replace("REF", REFERENCE)]
    if isinstance(place, list):
        place[int(last)] = value
    else:
        place[last.replace("REF", REFERENCE)] = value


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("cases/REF/stage", "under_review", "should be approved"),
        ("cases/REF/permits/0/stage", "accepted", "should have"),
        ("cases/REF/permits/0/valid_until", "2030-01-01", "other dates"),
        ("cases/REF/registration_number", "HR-2", "another registration number"),
        ("cases/REF/permits/0/reported_at", "2026-11-23", "reported 0 times"),
        ("books/entries", [], "0 list entries"),
        ("books/entries/0/state", "refused", "refused in the authority's books"),
        ("books/answers", [], "other dates"),
        ("notices/REF/3/status", "failed", "is failed"),
        (
            "notices/REF/3/deliveries",
            [{"message_id": "d-9999", "channel": "mail", "status": "sent"}],
            "never arrived: d-9999",
        ),
        ("mails/1/message_id", "d-2@hetao.example", "arrived 2 times: d-2"),
        ("mails/1/message_id", "d-77@hetao.example", "knows nothing: d-77"),
        ("texts", [{"text": REFERENCE, "times": 1, "sms_id": "s"}], "0 SMS went out and 1 arrived"),
        ("hooks", [{"message_id": "h", "body": REFERENCE}], "knows nothing: h"),
        ("incidents", [{"kind": "stuck", "step": "assess", "reference": REFERENCE}], "incident stuck"),
    ],
)
def test_what_differs_is_named(path: str, value: Any, said: str) -> None:
    found = copy.deepcopy(reading())
    _change(found, path, value)
    assert any(said in sentence for sentence in differences(ReadBack(**found)))


def test_two_entries_for_one_person_and_destination_are_named() -> None:
    found = reading()
    found["books"]["entries"] *= 2
    said = " ".join(differences(ReadBack(**found)))
    assert "more than one list entry" in said
    assert "has 2 list entries" in said
