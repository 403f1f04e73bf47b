"""Writing a case: whatever one transaction changes goes to PostgreSQL as one JSON document in one statement.

One statement needs one round trip however many tables it touches, and leaves the order of foreign keys to PostgreSQL,
which checks them at its end. It names only the tables that are written: PostgreSQL opens each table that a statement
names, with its indexes, policies and triggers, whether a row comes or not. Cases go few ways, so there are few texts.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from sqlalchemy import Table, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from store import tables
from store.case_rows import Row
from store.case_tables import CaseTable
from store.database import dump_json
from store.rows.notices import DeliveryRow, NoticeRow

Document = Mapping[str, list[Row] | Row | str | int]

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
# Columns that PostgreSQL fills by itself.
_FILLED: Final = frozenset(
    {"live", "recorded_at", "xid", "cause_step", "cause_reason", "cause_place", "cause_id", "tenant"}
)
_REPLACED: Final = (tables.tasks, tables.deadlines, tables.calls, tables.case_facts)
_ADDED: Final = (
    tables.data_keys,
    tables.persons,
    tables.person_documents,
    tables.cases,
    tables.case_parties,
    tables.applications,
    tables.assessments,
    tables.idempotency,
    tables.answers,
    tables.messages_seen,
    tables.incidents,
)
# Columns whose default stands where a row does not name them.
_BEGUN: Final[dict[str, tuple[str, ...]]] = {
    "commands": (
        "command_id", "reference", "employer_id", "kind", "actor", "statement", "resealed", "body", "state", "at",
        "unanswered", "traceparent",
    ),
    "deliveries": (
        "delivery_id", "notice_id", "employer_id", "channel", "webhook_id", "carried_by", "message_hash", "digest",
        "status", "next_attempt", "give_up_at", "sent_at", "settled_at", "traceparent",
    ),
}  # fmt: skip


def _columns(table: Table) -> list[str]:
    filled = _FILLED | {"updated_at"} if table is tables.cases else _FILLED
    return list(_BEGUN.get(table.name, [name for name in table.c.keys() if name not in filled]))  # noqa: SIM118


def _source(table: Table, part: str, columns: Sequence[str]) -> str:
    types = ", ".join(f'"{name}" {table.c[name].type.compile(_DIALECT)}' for name in columns)
    return f"doc, jsonb_to_recordset(doc.d -> '{part}') AS x({types})"


def _names(columns: Sequence[str], prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{name}"' for name in columns)


def _insert(table: Table, part: str, tail: str = "") -> str:
    columns = _columns(table)
    chosen = f"SELECT {_names(columns, 'x.')} FROM {_source(table, part, columns)}"
    return f"INSERT INTO {table.name} ({_names(columns)}) {chosen} {tail}".rstrip()


def _replace(table: Table) -> str:
    keys = [column.name for column in table.primary_key]
    values = ", ".join(f'"{name}" = excluded."{name}"' for name in _columns(table) if name not in keys)
    return _insert(table, table.name, f"ON CONFLICT ({_names(keys)}) DO UPDATE SET {values}")


def _update_registration() -> str:
    columns = [name for name in _columns(tables.cases) if name != "reference"]
    return (
        "UPDATE cases r SET updated_at = clock_timestamp(),"
        f" ({_names(columns)}) = (SELECT {_names(columns, 'n.')}"
        " FROM jsonb_populate_record(r, doc.d -> 'registration') n) FROM doc"
        # Parameters and not parts of the document: under row-level security only an operator that cannot leak, like the
        # equality of two texts, may use an index, and reading JSON is none.
        " WHERE r.reference = CAST(:reference AS text) AND r.stage = CAST(:stage AS text)"
        " AND r.round = CAST(:round AS integer) RETURNING 1"
    )


_CARRIED: Final = (
    "(SELECT y.delivery_id FROM jsonb_to_recordset(doc.d -> 'deliveries') AS y(delivery_id uuid, notice_id uuid)"
    ' WHERE y.delivery_id = x."carried_by" AND y.notice_id IN (SELECT notice_id FROM add_notices))'
)


def _mark(table: Table, part: str, columns: Sequence[str]) -> str:
    key = next(iter(table.primary_key)).name
    values = ", ".join(f'"{name}" = x."{name}"' for name in columns)
    return f"UPDATE {table.name} t SET {values} FROM {_source(table, part, [key, *columns])} WHERE t.{key} = x.{key}"


# By part of a document, under which name it is written and how.
_WRITTEN: Final[dict[str, tuple[str, str]]] = {
    "registration": ("moved", _update_registration()),
    **{table.name: (f"add_{table.name}", _insert(table, table.name)) for table in _ADDED},
    **{table.name: (f"put_{table.name}", _replace(table)) for table in _REPLACED},
    "commands": ("add_commands", _insert(tables.commands, "commands")),
    "marked_commands": (
        "mark_commands",
        _mark(tables.commands, "marked_commands", ("state", "applied_at", "outcome")),
    ),
    "marked_answers": ("mark_answers", _mark(tables.answers, "marked_answers", ("state",))),
    "ledger": ("add_ledger", _insert(tables.ledger, "ledger")),
    "notices": (
        "add_notices",
        _insert(
            tables.notices, "notices", "ON CONFLICT ON CONSTRAINT uq_notices_occasion DO NOTHING RETURNING notice_id"
        ),
    ),
    # A notice that was written before for the same occasion is left as it is, with its deliveries.
    # One that was to carry others is not there to do so; they go by themselves.
    "deliveries": (
        "add_deliveries",
        _insert(tables.deliveries, "deliveries", "WHERE x.notice_id IN (SELECT notice_id FROM add_notices)").replace(
            'x."carried_by"', _CARRIED
        ),
    ),
}
_EXPECTED: Final = ("reference", "stage", "round")


@cache
def _statement(parts: frozenset[str], own: tuple[CaseTable, ...]) -> TextClause:
    written = _WRITTEN | {each.name: (f"put_{each.name}", _replace(each.table)) for each in own}
    if unknown := parts - written.keys():
        raise ValueError(f"no write of a case has the parts {', '.join(sorted(unknown))}")
    named = ", ".join(f"{name} AS ({sql})" for part, (name, sql) in written.items() if part in parts)
    moved = "(SELECT count(*) FROM moved)" if "registration" in parts else "0"
    return text(f"WITH doc AS (SELECT CAST(:document AS jsonb) AS d), {named} SELECT {moved}")


async def write(connection: AsyncConnection, document: Document, own: Sequence[CaseTable] = ()) -> int:
    """Write a document and return how many cases it moved: one, or none by compare-and-set.

    Args:
        connection: a transaction.
        document: rows by table name (`cases`, `applications`, `notices`, ... as new rows; `tasks`,
            `deadlines`, `calls`, `case_facts` as rows to insert or replace), `marked_commands`, `marked_answers`, and
            `registration` with the columns that change, with `reference`, `stage` and `round` as the register must
            have them.
        own: tables of the case's programme, whose rows are inserted or replaced.
    """
    parts = {
        name: _last_of_each(name, part) if isinstance(part, list) else part
        for name, part in document.items()
        if part and name not in _EXPECTED
    }
    if not parts:
        return 0
    values: dict[str, object] = {"document": dump_json(parts)}
    if "registration" in parts:
        values |= {name: document[name] for name in _EXPECTED}
    # Deliveries go with the notices that are written with them.
    named = parts.keys() | {"notices"} if "deliveries" in parts else parts.keys()
    touched = tuple(each for each in own if each.name in parts)
    return int((await connection.execute(_statement(frozenset(named), touched), values)).scalar_one())


async def write_notices(
    connection: AsyncConnection, notices: Sequence[NoticeRow], deliveries: Sequence[DeliveryRow]
) -> None:
    """Write notices with their deliveries, and nothing of a case."""
    await write(
        connection,
        {"notices": [row.document() for row in notices], "deliveries": [row.document() for row in deliveries]},
    )


def _last_of_each(name: str, rows: list[Row]) -> list[Row]:
    """Return the rows to replace with the last one of each key; a statement may write a row only once."""
    table = tables.metadata.tables.get(name)
    if table not in _REPLACED or table is None:
        return rows  # those of a programme's own tables are one each
    keys = [column.name for column in table.primary_key]
    return list({tuple(row[key] for key in keys): row for row in rows}.values())
