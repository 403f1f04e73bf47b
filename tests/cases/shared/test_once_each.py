"""What many verbs need is written in one place: an entry of access, and an incident."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROOMS = ("activities", "api", "cases", "cli", "privacy", "programmes", "record", "register", "store")


@pytest.mark.parametrize(
    ("written", "where"),
    [
        ('f"access/', ["cases/shared/accesses.py"]),
        ("insert(incidents)", ["store/incident_rows.py"]),
        # Counts with the open one of the same, whatever else is wrong with its case.
        ("INSERT INTO incidents", ["cases/incidents/rows.py"]),
    ],
)
def test_it_is_written_in_one_place(written: str, where: list[str]) -> None:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
    found = sorted(str(path.relative_to(ROOT)) for path in files if written in path.read_text(encoding="utf-8"))
    assert found == where
