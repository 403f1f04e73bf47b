"""Which rows of which table a transaction of an employer or a person meets, or why a table has no such security."""

# ruff: noqa: E501 - a table is read a row a line
from collections.abc import Iterable, Iterator
from typing import Final

from domain.data_map import DataRow

# Closed to transactions of employers by which they own nothing; the park's affair, and some of them the person's.
PARK: Final = frozenset(
    {
        "objections",
        "person_sessions",
        "sign_in_links",
        "erasures",
        "person_joinings",
        "takeovers",
        "transfers",
        "check_codes",
        "drafts",
        "saved_views",
        "browser_sessions",
        "archived_histories",
        "differences",
        "messages_seen",
        "lost_answers",
        "receipts",
        "rule_trials",
        "service_keys",
        "key_holders",
    }
)
# Rows of a case that whoever has a part in it sees as far as the part goes, the owning employer all of them.
PARTS: Final = frozenset(
    {
        "cases",
        "applications",
        "assessments",
        "tasks",
        "conflicts",
        "deadlines",
        "commands",
        "calls",
        "answers",
        "case_facts",
        "evidence",
        "incidents",
        "notices",
        "deliveries",
        "ledger",
        "ledger_marks",
        "objections",
        "legal_holds",
    }
)
# Of the employers that own such cases.
PARTS_OF_EMPLOYERS: Final = frozenset({"employers", "employer_versions", "employer_standings", "webhooks"})
# What a person's transaction writes of the person's own, and sees again.
OWN: Final[dict[str, str]] = {
    "case_parties": "sees the parts of its person; an employer also those in the cases that it owns",
    "persons": "sees the row of its person",
    "person_documents": "sees the documents of its person",
    "person_sessions": "has the sessions of its person, whole",
    "sign_in_links": "has the links of its person, whole",
    "idempotency": "has the keys of its person, whole",
    "commands": "adds commands of the kinds that its part may ask",
    "cases": "holds the row of its case, and cannot change it",
    "objections": "adds what its person objects to, of its cases",
    "takeovers": "adds what its person releases from one of its cases into another, sees it again, and takes it back until it was made use of",
    "transfers": "adds what its person agrees to, of its cases, sees it again, and takes it back until it was made use of",
    "notices": "adds notices to the person, of its cases",
    "deliveries": "adds the ways in which those go out",
    "ledger": "adds rows of what its person does, and sees those and the rows that list its cases as read",
    "ledger_marks": "adds the marks of those rows",
}
# Read and added to by every tenant, and changed by the park alone.
SHARED: Final = {
    "persons": "intake finds a person whoever registered them first: a random id, a keyed hash and the id of a key, no fact",
    "person_documents": "intake finds a person by a document whoever registered them first: a keyed hash, and the number sealed under a key that no employer's case leads to but the person's own",
    "data_keys": "each key is reached through a row that is under row-level security, and opens with the key file alone",
}
# Without row-level security.
OPEN: Final = {
    "calendar_days": "published days",
    "declared_parts": "what programmes declare, which the policies read; written by migrations alone",
    "premises": "published premises",
    "rule_packs": "published rules",
    "cursors": "versions and places of the engine's own rounds; nothing of a case",
    "epochs": "when the register was restored; every case bears the epoch, and the sealer reads it",
    "lost_cases": "references that a restore took away, so that intake gives none of them again",
    "roster_intake": "filled by COPY, which PostgreSQL does not do under row-level security, and emptied by the same transaction",
    "sign_ins": "hashes of tokens, without whose they are",
    "seal_leaves": "hashes, and references of cases with numbers; an employer's receipt is proved by them. Added to by the sealer alone",
    "seal_nodes": "hashes of hashes. Added to by the sealer alone",
    "checkpoints": "shown to anyone. Added to by the sealer alone",
    "cosignatures": "shown to anyone",
    "stamps": "shown to anyone",
}
_HEAD: Final = """\
A transaction stands for one employer, for one person or for the park, and PostgreSQL shows it the rows of that one;
without any it sees none. An employer sees what it owns by its id on each row, and so does a person who owns a case:
`employer_id` is `person/` and an id then. Whoever else has a part in a case
(`case_parties`: its subject, one who confirms, a person who owns it) sees of it the tables that `declared_parts` names
for that part, and asks the commands that stand there. A person is never the park: the session of a link narrows its
transactions further to the cases on which the address stands. Who signs in is found out by a transaction of its own,
which sees persons, links, sessions and parts, and no case. A test walks all tables: each is here."""


def by_employer(columns: Iterable[DataRow]) -> list[str]:
    """Return the tables whose rows say which employer they belong to, in the order of the map."""
    return list(dict.fromkeys(row.place for row in columns if row.field == "employer_id"))


def as_section(columns: Iterable[DataRow], own: Iterable[str]) -> Iterator[str]:
    """Yield the section of the page `docs/data-map.md`, with the tables that programmes keep of their cases."""
    yield from (
        "## Who meets which rows",
        "",
        _HEAD,
        "",
        "| tables | an employer's transaction | why |",
        "|---|---|---|",
    )
    yield f"| {_names(by_employer(columns))} | rows of that employer | they bear its `employer_id` |"
    yield f"| {_names(sorted(PARK))} | none | no employer's affair |"
    for table, why in SHARED.items():
        yield f"| `{table}` | reads and adds, changes none | {why} |"
    for table, why in OPEN.items():
        yield f"| `{table}` | all; no row-level security | {why} |"
    yield from (
        "",
        "| tables | a transaction of a person, or of an employer with a part in another's case |",
        "|---|---|",
        f"| {_names(sorted({*PARTS, *own}))} | sees rows of those cases, where the part sees the table |",
        f"| {_names(sorted(PARTS_OF_EMPLOYERS))} | sees rows of the employers that own them, where the part sees the table |",
    )
    for table, what in OWN.items():
        yield f"| `{table}` | {what} |"
    yield ""


def _names(tables: Iterable[str]) -> str:
    return " ".join(f"`{table}`" for table in tables)
