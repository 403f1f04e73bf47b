"""What a restore took away is named, and nothing else is passed over."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bench.faults import drill_report
from bench.faults.aftermath import Snapshot, of_loss, parted
from bench.faults.evidence import Evidence
from bench.faults.report import STEPS
from programmes import CASE_TYPES

KEPT, LOST = "HT-KEPT-0000-A", "HT-LOST-0000-B"


def entry(reference: str, key: str, person: str | None = None, at: str = "2026-11-27T20:00:00") -> dict[str, Any]:
    return {"case": f"{reference}/HK", "key": key, "state": "issued", "received_at": at,
            "body": {"person": {"identity_number": person or key}, "destination": "HK"}}  # fmt: skip


def row(seq: int, hash_: bytes = b"1") -> dict[str, Any]:
    return {"chain": KEPT, "seq": seq, "hash": hash_}


def snapshot(*references: str, calls: Sequence[str] = (), deliveries: Sequence[str] = (), rows: int = 1) -> Snapshot:
    return Snapshot(
        {
            "registrations": [{"reference": each} for each in references],
            "calls": [{"key": each} for each in calls],
            "deliveries": [{"channel": "mail", "message_id": each, "provider_id": None} for each in deliveries],
            "ledger": [row(seq) for seq in range(1, rows + 1)],
        }
    )


def evidence(**register: Any) -> Evidence:
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("answers", "tasks", "incidents", "deliveries", "ledger", "registrations", "calls")
    }
    rows |= {"registrations": [{"reference": KEPT}], "ledger": [row(1)], **register}
    return Evidence(asked=[], register=rows, workflows=[], authority={"entries": [], "answers": [], "reports": []})


BEFORE = snapshot(KEPT, LOST, calls=["a", "b"], deliveries=["m1", "m2"], rows=2)
RESTORED = snapshot(KEPT)


def test_what_the_world_has_of_a_case_that_was_taken_away_is_named() -> None:
    found = replace(
        evidence(deliveries=[{"channel": "mail", "message_id": "m2", "provider_id": None}]),
        authority={"entries": [entry(LOST, "b")], "answers": [{"case": f"{LOST}/HK", "body": {}}], "reports": []},
        workflows=[{"id": CASE_TYPES.id_of(LOST), "open": False}],
        mails=["m1", "m2", "m3"],
    )
    kept, named = parted(found, BEFORE, RESTORED)
    assert (kept.authority["entries"], kept.authority["answers"], kept.workflows) == ([], [], [])
    # What was sent under an id that nobody ever gave stays a finding.
    assert kept.mails == ["m2", "m3"]
    assert (named["cases"], named["entries at the authority"], named["messages in the books of the sinks"]) == (1, 1, 1)


def test_a_workflow_of_a_case_that_was_taken_away_has_to_end() -> None:
    found = replace(evidence(), workflows=[{"id": CASE_TYPES.id_of(LOST), "open": True}])
    kept, _ = parted(found, BEFORE, RESTORED)
    assert kept.workflows == found.workflows


def test_an_entry_that_stands_for_the_call_of_another_case_is_that_one_s() -> None:
    books = {"entries": [entry(LOST, "b")], "answers": [{"case": f"{LOST}/HK", "body": {}}], "reports": []}
    found = replace(evidence(permits=[{"entry_case": f"{LOST}/HK"}]), authority=books)
    kept, named = parted(found, BEFORE, RESTORED)
    assert kept.authority == books
    assert named["entries at the authority"] == 0


def _twice(*entries: dict[str, Any], over: str | None = None) -> set[str]:
    answers = [] if over is None else [{"case": f"{LOST}/HK", "body": {"outcome": "withdrawn"}, "given_at": over}]
    found = replace(evidence(), authority={"entries": list(entries), "answers": answers, "reports": []})
    return {each.kind for each in of_loss(found, BEFORE, RESTORED)["nothing was done twice outside"]}


def test_a_call_that_was_made_again_is_found_by_case_and_by_person() -> None:
    assert _twice(entry(KEPT, "a"), entry(KEPT, "a@1")) == {"entry_twice"}
    first, second = entry(LOST, "b", "p"), entry(KEPT, "a@1", "p", "2026-11-27T20:05:00")
    assert _twice(first, second) == {"person_twice"}
    # Where the authority had ended the first one by then, the second is no repeat of it.
    assert _twice(first, second, over="2026-11-27T20:04:00") == set()
    assert _twice(first, second, over="2026-11-27T20:06:00") == {"person_twice"}


def test_a_call_that_was_not_made_again_keeps_its_entry() -> None:
    found = replace(evidence(), authority={"entries": [entry(KEPT, "a")], "answers": [], "reports": []})
    kept, _ = parted(found, BEFORE, RESTORED)
    assert [each["key"] for each in kept.authority["entries"]] == ["a"]


def test_a_call_that_the_register_knows_and_stands_twice_is_found() -> None:
    twice = [entry(KEPT, "a"), entry(KEPT, "a/2")]
    found = replace(
        evidence(calls=[{"key": "a"}, {"key": "a/2"}]), authority={"entries": twice, "answers": [], "reports": []}
    )
    checks = of_loss(found, BEFORE, RESTORED)
    assert [each.kind for each in checks["nothing was done twice outside"]] == ["entry_twice"]


def test_a_case_and_a_row_that_the_backup_had_have_to_be_there() -> None:
    checks = of_loss(evidence(registrations=[], ledger=[]), BEFORE, RESTORED)
    kinds = {each.kind for each in checks["nothing was lost that was in the backup"]}
    assert kinds == {"case_lost", "ledger_lost"}
    altered = Snapshot({**RESTORED.rows, "ledger": [row(1, b"2")]})
    checks = of_loss(evidence(registrations=[], ledger=[]), BEFORE, altered)
    assert "ledger_altered" in {each.kind for each in checks["nothing was lost that was in the backup"]}


def test_the_page_has_the_figures_between_its_marks() -> None:
    losses = [
        {
            "loss": "postgres", "back_s": 80.4, "standing": {"registration": {"received": 3}}, "answers_after_s": 21.0,
            "due": 40, "done_after_s": 12.5, "through_after_s": 90.0, "seconds": 300.0, "cases": 200,
            "named": {"cases": 7}, "checks": {"no orphan rows": []},
        }
    ]  # fmt: skip
    machine = {"cores": 2, "processor": "x", "memory_gb": 8, "load_before": [0.5]}
    found = {
        "measured_at": "2026-11-27T20:00:00+00:00", "revision": "0123abcd", "cases": 200, "seed": 7, "seconds": 700.0,
        "machine": machine, "losses": losses,
    }  # fmt: skip
    page = drill_report.fill("before\n<!-- drill -->\nold\n<!-- end -->\nafter\n", found)
    assert page.startswith("before\n<!-- drill -->\nRun on 2026-11-27 at 0123abcd: 200 people a loss, seed 7, 700 s")
    assert page.endswith("\n<!-- end -->\nafter\n")
    assert "| PostgreSQL, to 80 s before | 21 | 40 | 12.5 | 90 |" in page
    assert f"| registration | {STEPS['registration'][0].value} | 3 |" in page
    assert "| cases | 7 |" in page
    assert "| no orphan rows | none |" in page
    assert "no findings" in drill_report.line(losses[0])
