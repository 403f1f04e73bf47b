"""What a run shows: each strike as a line, each step with its strikes, the page with its figures."""

from dataclasses import asdict

from bench.faults.people import people
from bench.faults.plan import Fault
from bench.faults.report import fill, line, ranges, seen_in_steps
from bench.faults.strikes import Struck, without_effect

STRUCK = [
    Struck(1, Fault.KILL_WORKER, 3.5, {"registration": {"under_review": 4}, "permit": {"eligible": 2}}, 0.2, 1.5),
    Struck(2, Fault.DISK_FULL, 9.0, {"registration": {"approved": 1}}, note="skipped: mount: no", skipped=True),
]


def test_a_line_says_what_struck_and_what_stood_where() -> None:
    assert "kill_worker" in line(STRUCK[0])
    assert "rev 4 | eligible 2" in line(STRUCK[0])
    assert "(skipped: mount: no)" in line(STRUCK[1])


def test_a_step_that_was_never_struck_is_seen() -> None:
    seen = seen_in_steps(STRUCK)
    assert seen["registration"]["under_review"] == {"strikes": 1, "most": 4}
    assert seen["registration"]["awaiting_confirmation"] == {"strikes": 0, "most": 0}


def test_what_was_skipped_struck_nothing() -> None:
    assert seen_in_steps(STRUCK)["registration"]["approved"] == {"strikes": 0, "most": 0}
    assert seen_in_steps([])["permit"]["issued"] == {"strikes": 0, "most": 0}


def test_a_fault_that_never_took_effect_is_seen() -> None:
    twice = [Struck(n, Fault.MAIL_FAILING, 1.0, {}) for n in (3, 4)]
    twice[1].saw("met 2 times", took_effect=True)
    assert without_effect([*STRUCK, *twice]) == [Fault.KILL_WORKER]


def test_notes_are_shown_with_least_and_most() -> None:
    assert ranges(["met 3 times", "met 12 times", "met 7 times"]) == ["met 3 to 12 times"]
    assert ranges(["+120 s", "-120 s", "+120 s"]) == ["+120 s", "-120 s"]
    assert ranges(["shown after 4 s; gone 10 s", "shown after 4 s; gone 2.5 s"]) == [
        "shown after 4 s; gone 2.5 to 10 s"
    ]


def test_the_page_has_the_figures_between_its_marks() -> None:
    found = {
        "measured_at": "2026-11-27T20:00:00+00:00",
        "revision": "0123abcd",
        "cases": 1000,
        "asked": 1003,
        "became_cases": 996,
        "unknown_to_senders": 7,
        "seed": 7,
        "seconds": 700.0,
        "machine": {"cores": 2, "processor": "x", "memory_gb": 8, "load_before": [0.5]},
        "strikes": [asdict(each) for each in STRUCK],
        "steps": seen_in_steps(STRUCK),
        "requests": {"202": 10, "503 engine_unavailable": 2},
        "checks": {"no orphan rows": []},
    }
    page = fill("before\n<!-- faults -->\nold\n<!-- end -->\nafter\n", found)
    assert page.startswith("before\n<!-- faults -->\nRun on 2026-11-27 at 0123abcd: 1,000 people, seed 7")
    assert page.endswith("\n<!-- end -->\nafter\n")
    assert "| kill worker | 1 | 0.2 | 1.5 |" in page
    assert "1,003 registrations were asked for" in page
    assert "996 became cases. 7 senders never heard" in page
    assert "| no orphan rows | none |" in page


def test_a_short_run_has_every_kind_of_case() -> None:
    assert {person.kind for person in people(1, 12)} == {person.kind for person in people(2, 500)}
