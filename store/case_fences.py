"""How a migration closes a table whose rows are of cases, and opens it to the parts that a programme declares.

What a migration of before calls never changes; another way to close tables is another function beside it.
"""

from collections.abc import Collection
from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

_APPLICATION: Final = "hetao_app"
_TENANT: Final = "current_setting('hetao.tenant', true)"
_SEEN: Final = f"CASE WHEN {_TENANT} = '*' THEN true ELSE {_TENANT} = employer_id END"
_CASES: Final = "current_setting('hetao.cases', true)"
_OWN: Final = (
    f"CASE WHEN coalesce({_CASES}, '') = '' THEN true ELSE reference = ANY (string_to_array({_CASES}, ',')) END"
)


_DECLARED: Final = sa.table(
    "declared_parts",
    *(sa.column(name, sa.Text()) for name in ("programme", "part", "kind")),
    *(sa.column(name, ARRAY(sa.Text())) for name in ("tables", "commands")),
)


def declare_part(programme: str, part: str, kind: str, *, sees: Collection[str], asks: Collection[str] = ()) -> None:
    """Let the policies know what a part in a programme's cases sees and asks (`Programme.parts`).

    Args:
        programme: its code.
        part: `owner` (a person), `subject` or `confirmer`.
        kind: `employer` or `person`.
        sees: tables.
        asks: kinds of commands.
    """
    row = {"programme": programme, "part": part, "kind": kind, "tables": sorted(sees), "commands": sorted(asks)}
    op.bulk_insert(_DECLARED, [row])


def close_case_table(table: str) -> None:
    """Let the application read, add and change rows of cases that the transaction's employer owns, within its fence.

    Whoever has another part in a case sees its rows where `declared_parts` names the table for that part.

    Args:
        table: its name; it has the columns `reference` and `employer_id`.
    """
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {_APPLICATION}")
    op.execute(f"REVOKE DELETE, TRUNCATE ON {table} FROM {_APPLICATION}")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({_SEEN}) WITH CHECK ({_SEEN})")
    op.execute(f"CREATE POLICY own_cases ON {table} AS RESTRICTIVE FOR SELECT USING ({_OWN})")
    op.execute(
        f"CREATE POLICY parts ON {table} FOR SELECT USING (reference = ANY ((SELECT cases_seen('{table}'))::text[]))"
    )
