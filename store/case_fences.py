"""How a migration closes a table whose rows are of cases: who may do what with it, and which rows a transaction meets.

What a migration of before calls never changes; another way to close tables is another function beside it.
"""

from typing import Final

from alembic import op

_APPLICATION: Final = "hetao_app"
_TENANT: Final = "current_setting('hetao.tenant', true)"
_SEEN: Final = f"CASE WHEN {_TENANT} = '*' THEN true ELSE {_TENANT} = employer_id END"
_CASES: Final = "current_setting('hetao.cases', true)"
_OWN: Final = (
    f"CASE WHEN coalesce({_CASES}, '') = '' THEN true ELSE reference = ANY (string_to_array({_CASES}, ',')) END"
)


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
