"""Rows that point at nothing, and rows at which nothing points: what no foreign key of the schema forbids."""

from collections.abc import Iterator
from typing import Final

from store.tables import metadata

# A column by whose name any table names a row of another one.
_PARENTS: Final = {"reference": "cases", "delivery_id": "deliveries", "webhook_id": "webhooks"}
# These tell of cases that a restore took away, and so of none that is there.
_OF_LOST: Final = frozenset({"lost_cases", "lost_answers"})
# What stands for nobody where no other table names it, by the column that is its key.
_NAMED: Final = {"persons": "person_id", "data_keys": "key_id"}
# Belongs to a person, and is no case that needs one.
_BELONGING: Final = frozenset({"person_documents"})


def orphans_query() -> str:
    """Return the statement that gives, for each kind of orphan, what it is and how many there are."""
    return " UNION ALL ".join([*_without_parent(), *_named_by_none(), _leaves_of_no_row()])


def _without_parent() -> Iterator[str]:
    for column, parent in _PARENTS.items():
        for table in metadata.tables.values():
            if table.name not in (parent, *_OF_LOST) and column in table.c and not table.c[column].foreign_keys:
                yield _counted(
                    f"{table.name} without {parent}",
                    # A notice of no case, such as the test of a webhook, names an empty one.
                    f"FROM {table.name} t WHERE t.{column} IS NOT NULL AND t.{column}::text <> ''"
                    f" AND NOT EXISTS (SELECT FROM {parent} p WHERE p.{column}::text = t.{column}::text)",
                )


def _named_by_none() -> Iterator[str]:
    for name, key in _NAMED.items():
        others = [
            table.name for table in metadata.tables.values() if key in table.c and table.name not in (name, *_BELONGING)
        ]
        named = (f"NOT EXISTS (SELECT FROM {each} o WHERE o.{key}::text = t.{key}::text)" for each in others)
        # A key that was destroyed holds nothing, whoever named it.
        kept = "t.destroyed_at IS NULL AND " if name == "data_keys" else ""
        yield _counted(f"{name} named by none", f"FROM {name} t WHERE {kept}{' AND '.join(named)}")


def _leaves_of_no_row() -> str:
    row = "SELECT FROM ledger l WHERE l.chain = t.chain AND l.seq = t.seq"
    return _counted("seal_leaves without ledger", f"FROM seal_leaves t WHERE NOT EXISTS ({row})")


def _counted(what: str, rows: str) -> str:
    return f"SELECT '{what}' AS what, count(*)::int AS rows {rows} HAVING count(*) > 0"
