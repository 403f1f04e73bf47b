"""What a migration needs of PostgreSQL beside the tables: the roles are there, and idle transactions end."""

from typing import Final

from sqlalchemy import Connection, text

# Made by whoever runs the server, since the owner of the tables makes no roles; 0001 makes the application's where it
# may.
SEALER: Final = "hetao_sealer"
# Far above what any transaction of ours waits for between two statements.
IDLE_SECONDS: Final = 60

_FOUND: Final = text("""
    SELECT current_database() AS database,
      EXISTS (SELECT FROM pg_roles WHERE rolname = :sealer) AS has_sealer,
      pg_has_role(d.datdba, 'USAGE') AS is_owned,
      EXISTS (
        SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS line
        WHERE s.setdatabase = d.oid AND s.setrole = 0 AND line LIKE 'idle_in_transaction_session_timeout=%'
      ) AS ends_idle
    FROM pg_database d WHERE d.datname = current_database()
""")


# Another one after a restore to a point in time, after a standby took over, and in a cluster that was loaded anew.
IDENTITY: Final = text(
    "SELECT (pg_control_system()).system_identifier::text || '/'"
    " || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)"
)


class ClusterNotReadyError(Exception):
    """The server lacks what only its superuser can make; `statements` make it."""

    def __init__(self, statements: list[str]) -> None:
        super().__init__("\n".join(statements))
        self.statements = statements


def prepare(connection: Connection) -> None:
    """Let the server end idle transactions of this database, and look whether everything else is there.

    A dump carries neither roles nor settings of the database, so that each migration looks again.

    Raises:
        ClusterNotReadyError: with the statements for the superuser; nothing was changed.
    """
    found = connection.execute(_FOUND, {"sealer": SEALER}).one()
    name = connection.dialect.identifier_preparer.quote(found.database)
    ending = f"ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
    missing = []
    if not found.has_sealer:
        missing += [
            f"CREATE ROLE {SEALER} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD '…';",
            f"GRANT CONNECT ON DATABASE {name} TO {SEALER};",
        ]
    if not found.ends_idle and not found.is_owned:
        missing.append(f"{ending};")
    if missing:
        raise ClusterNotReadyError(missing)
    if not found.ends_idle:
        connection.execute(text(ending))
