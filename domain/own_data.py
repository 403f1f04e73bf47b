"""What a person is told of their own data beside the data itself: what each field is for, and what is kept apart.

Every table with personal data is either shown to the person or named here, as a test holds the data map to it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from domain.data_map import DataRow, Retention, by_name
from domain.forms import Form

# Tables whose content the person's own calls show.
SHOWN: Final = frozenset(
    {
        "applications",
        "case_facts",
        "cases",
        "commands",
        "evidence",
        "legal_holds",
        "notices",
        "objections",
        "permits",
        "renewals",
    }
)

# What is kept and not shown, by a name that the catalogue explains, with its tables and how long it stays.
KEPT_APART: Final[Mapping[str, tuple[frozenset[str], Retention]]] = {
    "rule_runs": (frozenset({"assessments"}), Retention.CASE),
    "staff_notes": (frozenset({"tasks", "conflicts", "notice_reads"}), Retention.CASE),
    "search_hashes": (frozenset({"persons"}), Retention.CASE),
    "documents": (frozenset({"person_documents", "person_joinings"}), Retention.CASE),
    "authority_answers": (frozenset({"answers", "lost_answers"}), Retention.CASE),
    "repeats": (frozenset({"idempotency", "messages_seen"}), Retention.KEY),
    "rosters": (frozenset({"rosters", "roster_rows", "roster_intake"}), Retention.CASE),
    "record": (frozenset({"ledger", "ledger_marks", "archived_histories"}), Retention.LOG),
    "sign_ins": (frozenset({"sign_in_links", "person_sessions", "sign_ins", "browser_sessions"}), Retention.LINK),
    "check_codes": (frozenset({"check_codes"}), Retention.CASE),
    "drafts": (frozenset({"drafts"}), Retention.KEY),
}
# Tables with personal data of others: of an employer's or the park's own people.
OF_OTHERS: Final = frozenset({"employers", "employer_standings", "rule_packs", "incidents", "erasures", "saved_views"})


def row_of(bodies: Iterable[DataRow], form: type[Form], part: str, field: str) -> DataRow:
    """Return the data map's row of a field that was given in a part of a form, among those of its programme."""
    return by_name(bodies)[f"{form.name_of(part)}.{field}"]
