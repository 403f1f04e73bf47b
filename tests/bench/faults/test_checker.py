"""The checker can fail: each doctored book, register or workflow gives the finding that names it."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from bench.faults.checker import check
from bench.faults.evidence import Evidence
from bench.faults.notices import HOOK_KINDS
from domain.actors import system
from domain.acts import Act
from store.ledger import Entry, follow
from workflows.notification import CHANNELS, notification_workflow_id

REFERENCE = "HT-AAAA-BBBB-C"
PLACE = f"{REFERENCE}/HK"
KINDS = ("registration_received", "registration_approved", "permit_submitted", "permit_accepted", "permit_issued")
Books = dict[str, Any]


def books() -> Books:
    """Return what all sides say of one straight case for Hong Kong, told by mail alone."""
    issued = {"authority_number": "C-HK-1", "valid_until": "2029-11-22"}
    entry = {"person": {"identity_number": "1"}, "destination": "HK"}
    notices = [
        {
            "notice_id": f"n-{number}",
            "reference": REFERENCE,
            "destination": "HK" if kind.startswith("permit_") else None,
            "kind": kind,
            "recipient": recipient,
            "occasion": "1",
            "status": "sent",
        }
        for number, (kind, recipient) in enumerate(product(KINDS, ("employer", "person")))
    ]
    deliveries = [
        {
            "delivery_id": f"d-{number}",
            "message_id": f"d-{number}",
            "notice_id": f"n-{number}",
            "channel": "mail",
            "webhook_id": None,
            "status": "sent",
            "provider_id": None,
            "leased": False,
        }
        for number in range(10)
    ]
    return {
        "asked": [
            {
                "client_reference": "faults-1",
                "reference": REFERENCE,
                "code": "",
                "is_cut": False,
                "kind": "straight",
                "ends": "approved",
                "amended": False,
                "permits": {"HK": "issued"},
            }
        ],
        "register": {
            "registrations": [
                {
                    "reference": REFERENCE,
                    "client_reference": "faults-1",
                    "employer_id": "emp-a",
                    "person_id": "p-1",
                    "stage": "approved",
                    "round": 1,
                    "facts_version": 1,
                    "registration_number": "HR-1",
                }
            ],
            "permits": [
                {"reference": REFERENCE, "destination": "HK", "stage": "issued", "answered_for": False, **issued}
            ],
            "terms": [{"reference": REFERENCE, "destination": "HK", "number": 1, "stage": "issued", **issued}],
            "renewals": [],
            "keys": [{"key": "faults-1", "reference": REFERENCE, "status": 202}],
            "notices": notices,
            "deliveries": deliveries,
            "ledger": _chain(),
            **{name: [] for name in ("commands", "calls", "tasks", "deadlines", "incidents", "answers", "orphans")},
        },
        "workflows": [{"id": f"registration/{REFERENCE}", "open": True, "status": "RUNNING"}],
        "wanted": ["faults-1"],
        "problems": [],
        "channels": [notification_workflow_id(channel) for channel in CHANNELS],
        "authority": {
            "entries": [{"case": PLACE, "key": f"permit/{PLACE}", "state": "issued", "body": entry}],
            "answers": [{"case": PLACE, "body": {"outcome": "issued", **issued}}],
        },
        "mails": [f"d-{number}" for number in range(10)],
        "texts": [],
        "hooks": [],
    }


def _chain() -> list[dict[str, Any]]:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    entries = [
        Entry(act, system("test"), at, REFERENCE, "emp-a", {"stage": stage})
        for act, stage in ((Act.SUBMITTED, "received"), (Act.DECIDED, "approved"))
    ]
    return follow(REFERENCE, entries)


def kinds(found: Books) -> set[str]:
    """Return the kinds of finding that the checker names."""
    return {finding.kind for finding in check(Evidence(**found))}


def test_an_entry_of_before_a_restore_stands_for_the_call_of_the_case_that_follows_it() -> None:
    found = books()
    of_before = {"case": "HT-LOST-0000-B/HK"}
    for name in ("entries", "answers"):
        found["authority"][name] = [each | of_before for each in found["authority"][name]]
    assert kinds(found) == {"entry_lost", "entry_without_permit", "terms_differ"}
    found["register"]["permits"][0]["entry_case"] = of_before["case"]
    assert kinds(found) == set()


def test_a_case_that_is_whole_gives_no_finding() -> None:
    assert check(Evidence(**books())) == []


@pytest.mark.parametrize(("state", "named"), [("recorded", set()), ("applied", {"notice_missing"})])
def test_an_acceptance_that_came_after_the_issue_tells_nobody(state: str, named: set[str]) -> None:
    found = books()
    _add(found, "answers", reference=REFERENCE, destination="HK", outcome="accepted", state=state)
    found["register"]["notices"] = [n for n in found["register"]["notices"] if n["kind"] != "permit_accepted"]
    assert kinds(found) & {"notice_missing"} == named


@pytest.mark.parametrize(
    ("kind", "permits", "more"),
    [
        ("held", 1, []),
        ("amended", 1, [("correction_received", "employer")]),
        ("returned", 1, [("correction_requested", "employer"), ("correction_received", "employer")]),
        ("refused", 0, [("registration_refused", "employer"), ("registration_refused", "person")]),
        (
            "departed",
            1,
            [
                *product(("departure_recorded", "registration_ended", "permit_revoked"), ("employer", "person")),
                ("permit_reported", "person"),
            ],
        ),
    ],
)
def test_what_a_case_must_tell_is_known_for_each_fate(kind: str, permits: int, more: list[tuple[str, str]]) -> None:
    found = books()
    found["asked"][0]["kind"] = kind
    if not permits:
        found["asked"][0]["permits"] = {}
        kept = [row for row in found["register"]["notices"] if row["kind"] == "registration_received"]
        found["register"]["notices"] = kept
    told = {"notice_missing", "notice_uncalled"}
    assert kinds(found) & told == ({"notice_missing"} if more else set())
    for number, (notice, recipient) in enumerate(more):
        _add(
            found,
            "notices",
            **found["register"]["notices"][0]
            | {"notice_id": f"m-{number}", "kind": notice, "recipient": recipient}
            | {"destination": "HK" if notice.startswith("permit_") else None},
        )
    assert kinds(found) & told == set()
    found["register"]["notices"].pop()
    assert kinds(found) & told == {"notice_missing"}


def _case(found: Books) -> dict[str, Any]:
    row: dict[str, Any] = found["register"]["registrations"][0]
    return row


def _add(found: Books, table: str, **row: Any) -> None:
    found["register"][table].append(row)


def _copy_entry(found: Books, key: str) -> None:
    entry = copy.deepcopy(found["authority"]["entries"][0]) | {"key": key}
    found["authority"]["entries"].append(entry)


def _have_hooked(found: Books, kinds: tuple[str, ...]) -> None:
    """Make the case one of the employer with a webhook, which was told of these kinds by it."""
    _case(found).update(employer_id="emp-b")
    for notice in [n for n in found["register"]["notices"] if n["recipient"] == "employer" and n["kind"] in kinds]:
        delivery = next(d for d in found["register"]["deliveries"] if d["notice_id"] == notice["notice_id"])
        name = f"h-{notice['notice_id']}"
        _add(found, "deliveries", **delivery | {"delivery_id": name, "message_id": name, "channel": "webhook"})
        found["hooks"].append(name)


def _queue_by_sms(found: Books) -> None:
    """Have a notice go by SMS alone, which the gateway says that it took, and whose book has another."""
    found["register"]["deliveries"][1].update(channel="sms", provider_id="sms_1")
    found["texts"].append({"sms_id": "sms_2"})


@pytest.mark.parametrize(("told", "named"), [(HOOK_KINDS, set()), (HOOK_KINDS[1:], {"hook_missing"})])
def test_the_employer_with_a_webhook_is_told_by_it(told: tuple[str, ...], named: set[str]) -> None:
    found = books()
    _have_hooked(found, told)
    assert kinds(found) == named


def test_one_channel_that_arrived_is_enough() -> None:
    found = books()
    _add(found, "deliveries", **found["register"]["deliveries"][1] | {"delivery_id": "d-sms", "channel": "sms"})
    found["register"]["deliveries"][-1].update(provider_id="sms_1", status="delivered")
    found["texts"].append({"sms_id": "sms_1"})
    assert kinds(found) == set()


def test_one_whose_connection_was_cut_may_have_no_case() -> None:
    found = books()
    found["asked"].append({"client_reference": "faults-2", "reference": None, "code": "", "is_cut": True})
    found["wanted"].append("faults-2")
    assert kinds(found) == set()


DOCTORED: dict[str, Callable[[Books], Any]] = {
    "case_lost": lambda f: _case(f).update(reference="HT-OTHER"),
    "case_doubled": lambda f: _add(f, "registrations", **_case(f) | {"reference": "HT-2", "person_id": "p-2"}),
    "person_doubled": lambda f: _add(f, "registrations", **_case(f) | {"reference": "HT-2"}),
    "request_refused": lambda f: f["asked"][0].update(code="work_site_unknown"),
    "never_answered": lambda f: f["asked"][0].update(reference=None),
    "never_asked": lambda f: f["wanted"].append("faults-2"),
    "case_after_refusal": lambda f: f["asked"][0].update(reference=None, code="invalid"),
    "key_without_case": lambda f: f["register"]["keys"].clear(),
    "case_unasked": lambda f: f["asked"].clear(),
    "wrong_end": lambda f: _case(f).update(stage="under_review"),
    "amended_wrongly": lambda f: f["asked"][0].update(amended=True),
    "wrong_permits": lambda f: f["register"]["permits"][0].update(stage="submitted"),
    "wrong_number": lambda f: _case(f).update(registration_number=None),
    "number_doubled": lambda f: _add(f, "registrations", **_case(f) | {"reference": "HT-2"}),
    "permit_doubled": lambda f: _copy_entry(f, "permit/2"),
    "entry_doubled": lambda f: _copy_entry(f, "permit/2"),
    "terms_differ": lambda f: f["register"]["terms"].clear(),
    "changed_wrongly": lambda f: f["asked"][0].update(kind="changed"),
    "renewed_wrongly": lambda f: _add(f, "renewals", reference=REFERENCE, number=1, stage="granted"),
    "entry_lost": lambda f: f["authority"]["entries"].clear(),
    "entry_without_permit": lambda f: f["register"]["permits"].clear(),
    "permit_differs": lambda f: f["authority"]["answers"][0]["body"].update(valid_until="2030-01-01"),
    "notice_not_out": lambda f: f["register"]["notices"][0].update(status="failed"),
    "notice_not_arrived": _queue_by_sms,
    "hook_missing": lambda f: _have_hooked(f, ()),
    "delivery_failed": lambda f: f["register"]["deliveries"][0].update(status="failed"),
    "notice_doubled": lambda f: f["register"]["notices"][2].update(kind=KINDS[0]),
    "notice_missing": lambda f: f["register"]["notices"].pop(),
    "notice_uncalled": lambda f: f["asked"][0].update(kind="withdrawn", permits={}),
    "delivery_lost": lambda f: f["mails"].pop(),
    "delivery_left": lambda f: f["register"]["deliveries"][0].update(leased=True),
    "delivery_unknown": lambda f: f["mails"].append("d-of-nobody"),
    "command_unapplied": lambda f: _add(f, "commands", reference=REFERENCE, kind="decide", state="stored"),
    "call_left": lambda f: _add(f, "calls", key="permit/x", state="due"),
    "answer_left": lambda f: _add(f, "answers", reference=REFERENCE, destination="HK", outcome="kept", state="early"),
    "task_left": lambda f: _add(f, "tasks", reference=REFERENCE, kind="stuck"),
    "deadline_left": lambda f: _add(f, "deadlines", reference="HT-OTHER", kind="review_over"),
    "incident_left": lambda f: _add(f, "incidents", reference=REFERENCE, kind="stuck", step="advance", reason="x"),
    "orphan_rows": lambda f: _add(f, "orphans", what="notices without cases", rows=2),
    "workflow_missing": lambda f: f["workflows"].clear(),
    "workflow_ended": lambda f: f["workflows"][0].update(open=False, status="TERMINATED"),
    "workflow_left_open": lambda f: (_case(f).update(stage="withdrawn"), f["register"]["permits"].clear()),
    "workflow_stuck": lambda f: f["problems"].append("authority-poll"),
    "channel_without_workflow": lambda f: f["channels"].pop(),
    "workflow_without_case": lambda f: f["workflows"].append({"id": "registration/HT-2", "open": True}),
    "ledger_broken": lambda f: f["register"]["ledger"][1].update(detail={"stage": "approved", "more": 1}),
    "ledger_missing": lambda f: f["register"]["ledger"].clear(),
    "ledger_differs": lambda f: f["register"]["ledger"].pop(),
}


@pytest.mark.parametrize("kind", sorted(DOCTORED))
def test_what_is_wrong_is_named(kind: str) -> None:
    found = books()
    DOCTORED[kind](found)
    assert kind in kinds(found)


@pytest.mark.parametrize("status", ["suppressed", "queued", "failed"])
def test_a_notice_that_did_not_go_out_is_named(status: str) -> None:
    found = books()
    found["register"]["notices"][0].update(status=status)
    assert kinds(found) == {"notice_not_out"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda rows: rows.pop(0), "row 1 is missing"),
        (lambda rows: rows[1].update(previous=bytes(32)), "row 2 does not follow row 1"),
        (lambda rows: rows[0].update(act="withdrawn"), "row 1 was altered"),
    ],
)
def test_a_broken_chain_says_where(change: Callable[[list[dict[str, Any]]], Any], why: str) -> None:
    found = books()
    change(found["register"]["ledger"])
    assert [f.about for f in check(Evidence(**found)) if f.kind == "ledger_broken"] == [f"{REFERENCE}: {why}"]
