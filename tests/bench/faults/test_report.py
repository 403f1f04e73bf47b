"""What a run shows: each strike as a line, each step with its strikes, the page with its figures."""

from dataclasses import asdict

from bench.faults.people import people
from bench.faults.plan import Fault
from bench.faults.report import fill, line, seen_in_steps
from bench.faults.strikes import Struck

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


def test_the_page_has_the_figures_between_its_marks() -> None:
    found = {
        "cases": 1000,
        "seed": 7,
        "seconds": 700.0,
        "machine": {"cores": 2, "processor": "x", "memory_gb": 8, "load_before": [0.5]},
        "strikes": [asdict(each) for each in STRUCK],
        "steps": seen_in_steps(STRUCK),
        "requests": {"202": 10, "503 engine_unavailable": 2},
        "checks": {"no orphan rows": []},
    }
    page = fill("before\n<!-- faults -->\nold\n<!-- end -->\nafter\n", found)
    assert page.startswith("before\n<!-- faults -->\n1,000 cases, seed 7, 2 faults")
    assert page.endswith("\n<!-- end -->\nafter\n")
    assert "| kill worker | 1 | 0.2 | 1.5 |" in page
    assert "| no orphan rows | none |" in page


def test_a_short_run_has_every_kind_of_case() -> None:
    assert {person.kind for person in people(1, 7)} == {person.kind for person in people(2, 500)}
