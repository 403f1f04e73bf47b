"""What many verbs need is written in one place: a second signature, an entry of access, an incident, a kept answer."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROOMS = ("activities", "api", "cases", "cli", "privacy", "programmes", "record", "register", "store")
_SIGNING = "cases/decisions/second_signature.py"
_KEPT = "cases/shared/idempotency.py"


def _written(text: str, *but: str) -> list[str]:
    """Return the files in which a text stands, but for those of some rooms."""
    rooms = [room for room in ROOMS if room not in but]
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
    return sorted(path.relative_to(ROOT).as_posix() for path in files if text in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("written", "where"),
    [
        ('f"access/', ["cases/shared/accesses.py"]),
        ("insert(incidents)", ["store/incident_rows.py"]),
        # Counts with the open one of the same, whatever else is wrong with its case.
        ("INSERT INTO incidents", ["cases/incidents/rows.py"]),
        ('Refused("same_signer"', ["cases/case/signers.py"]),
        ("Nothing waits for a second signature", ["cases/case/signers.py"]),
        ("it has to be decided first", ["cases/case/signers.py"]),
        # Beside what a signature comes to: what a row of the ledger must tell of the one that was signed.
        ("ConfirmationAction.REJECT", ["cases/commands/said.py", _SIGNING]),
        ("ConfirmationAction.CONFIRM", []),
        ("insert(idempotency)", [_KEPT]),
        ("update(idempotency)", [_KEPT]),
        ("JOIN idempotency", [_KEPT]),
        ("select(idempotency", []),
    ],
)
def test_it_is_written_in_one_place(written: str, where: list[str]) -> None:
    assert _written(written) == where


def test_what_is_known_of_a_key_is_read_where_it_is_kept_or_with_the_case_that_it_is_about() -> None:
    # A case that is taken on is about nothing yet that it could be read with but its owner.
    assert _written("read_known(", "programmes") == ["cases/commands/intake.py", "cases/commands/submit.py", _KEPT]
