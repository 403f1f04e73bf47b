"""Which rows of which table a transaction of an employer meets, or why a table has no row-level security."""

# ruff: noqa: E501 - a table is read a row a line
from collections.abc import Iterable, Iterator
from typing import Final

from domain.data_map import DataRow

# Closed to transactions of employers; nobody but the park and the person has anything to do with them.
PARK: Final = frozenset(
    {
        "objections",
        "person_sessions",
        "sign_in_links",
        "erasures",
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
# Read and added to by every tenant, and changed by the park alone.
SHARED: Final = {
    "persons": "intake finds a person whoever registered them first: a random id, a keyed hash and the id of a key, no fact",
    "person_documents": "intake finds a person by a document whoever registered them first: a keyed hash, and the number sealed under a key that no employer's case leads to but the person's own",
    "data_keys": "each key is reached through a row that is under row-level security, and opens with the key file alone",
}
# Without row-level security.
OPEN: Final = {
    "calendar_days": "published days",
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
A transaction stands for one employer or for the park, and PostgreSQL shows it the rows of that one; without either it
sees none. Transactions of a signed-in person are the park's, and see of cases and of what they objected to those that
the session opens. A test walks all tables: each is here."""


def by_employer(columns: Iterable[DataRow]) -> list[str]:
    """Return the tables whose rows say which employer they belong to, in the order of the map."""
    return list(dict.fromkeys(row.place for row in columns if row.field == "employer_id"))


def as_section(columns: Iterable[DataRow]) -> Iterator[str]:
    """Yield the section of the page `docs/data-map.md`."""
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
    yield ""


def _names(tables: Iterable[str]) -> str:
    return " ".join(f"`{table}`" for table in tables)
