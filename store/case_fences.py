"""How a migration closes a table whose rows are of cases, and opens it to the parts that a programme declares.

What a migration of before calls never changes; another way to close tables is another function beside it.
"""

from collections.abc import Collection, Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

_APPLICATION: Final = "hetao_app"
_TENANT: Final = "current_setting('hetao.tenant', true)"
_SEEN: Final = f"CASE WHEN {_TENANT} = '*' THEN true ELSE {_TENANT} = employer_id END"
_CASES: Final = "current_setting('hetao.cases', true)"


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


def close_case_table(table: str, *, key: str | Sequence[str] | None = None) -> None:
    """Let the application read, add and change rows of cases that the transaction's employer owns, within its fence.

    Whoever has another part in a case sees its rows where `declared_parts` names the table for that part. The park
    alone changes a row, which stays of its case, and of the employer that owns the case.

    Args:
        table: its name; it has the columns `reference` and `employer_id`.
        key: the column, or the columns, by which rows of one case differ; None where a case has one row.
    """
    keys = [] if key is None else [key] if isinstance(key, str) else list(key)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {_APPLICATION}")
    op.execute(f"REVOKE DELETE, TRUNCATE ON {table} FROM {_APPLICATION}")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({_SEEN}) WITH CHECK ({_SEEN})")
    fence_rows(table, f"reference = ANY (string_to_array({_CASES}, ','))")
    op.execute(
        f"CREATE POLICY parts ON {table} FOR SELECT USING (reference = ANY ((SELECT cases_seen('{table}'))::text[]))"
    )
    let_park_change(table)
    keep_with_case(table)
    keep_as_written(table, ["reference", *keys, "employer_id"])


def fence_rows(table: str, condition: str) -> None:
    """Let a transaction that is fenced to some cases see only rows of which a condition holds.

    Args:
        table: its name.
        condition: as SQL, not looked at where there is no fence.
    """
    passes = f"CASE WHEN coalesce({_CASES}, '') = '' THEN true ELSE {condition} END"
    op.execute(f"CREATE POLICY own_cases ON {table} AS RESTRICTIVE FOR SELECT USING ({passes})")


def let_park_change(table: str, *, but: str | None = None) -> None:
    """Let nobody but the park leave a row changed, which is looked at when the transaction ends: what is tried is not.

    Args:
        table: its name.
        but: a column that whoever else may change the row may change.
    """
    changed = "true" if but is None else f"to_jsonb(OLD) - '{but}' <> to_jsonb(NEW) - '{but}'"
    op.execute(f"""
        CREATE CONSTRAINT TRIGGER park_changes AFTER UPDATE ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (CASE WHEN {_TENANT} = '*' THEN false ELSE {changed} END) EXECUTE FUNCTION refuse_change_by_others()
    """)


def keep_with_case(table: str, *, is_named_later: bool = False) -> None:
    """Refuse a row whose case is another employer's. A reference that is empty or has a slash names no case.

    Args:
        table: its name; it has the columns `reference` and `employer_id`.
        is_named_later: a row may get its reference when it is there already.
    """
    written = "INSERT OR UPDATE OF reference" if is_named_later else "INSERT"
    op.execute(f"""
        CREATE TRIGGER its_case AFTER {written} ON {table} FOR EACH ROW
        WHEN (NEW.employer_id IS NOT NULL AND NEW.reference NOT LIKE '%/%' AND NEW.reference <> '')
        EXECUTE FUNCTION need_its_case()
    """)


def keep_as_written(table: str, columns: Sequence[str]) -> None:
    """Refuse another value of columns (`domain.written_once`); the same one may be written again."""
    other = " OR ".join(f'OLD."{each}" IS DISTINCT FROM NEW."{each}"' for each in columns)
    op.execute(f"""
        CREATE TRIGGER as_written BEFORE UPDATE ON {table} FOR EACH ROW
        WHEN ({other}) EXECUTE FUNCTION refuse_other_value()
    """)
