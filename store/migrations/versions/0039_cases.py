"""The register of cases of any programme, and beside it what the talent permit alone keeps of one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
_TENANT = "current_setting('hetao.tenant', true)"
_SEEN = f"CASE WHEN {_TENANT} = '*' THEN true ELSE {_TENANT} = employer_id END"
_CASES = "current_setting('hetao.cases', true)"
_OWN = f"CASE WHEN coalesce({_CASES}, '') = '' THEN true ELSE reference = ANY (string_to_array({_CASES}, ',')) END"


def upgrade() -> None:
    """Give the table its name, and move what is not of every case to a table of the programme."""
    of_before = _columns()
    op.rename_table("registrations", "cases")
    _rename_what_is_named_by_it()
    op.create_table(
        "talent_permits",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Text(), nullable=False),
        sa.Column("destinations", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("undertaking_version", sa.Text(), nullable=False),
        sa.Column("contract_end", sa.Date()),
        sa.Column("departure", postgresql.JSONB()),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name=op.f("fk_talent_permits_reference")),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_talent_permits")),
    )
    _close()
    # The owner too is under row-level security.
    op.execute("SELECT set_config('hetao.tenant', '*', true)")
    op.execute("""
        INSERT INTO talent_permits
        SELECT reference, employer_id, destinations, undertaking_version, contract_end, departure FROM cases
    """)
    op.execute("SELECT set_config('hetao.tenant', '', true)")
    for name in ("destinations", "undertaking_version", "contract_end", "departure"):
        op.drop_column("cases", name)
    # Whoever adds a case says of which programme it is.
    op.alter_column("cases", "programme", server_default=None)
    _tell_code_of_before(of_before)


def _columns() -> str:
    rows = op.get_bind().execute(
        sa.text("""
            SELECT format('%I %s', attname, format_type(atttypid, atttypmod)) FROM pg_attribute
            WHERE attrelid = 'registrations'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
        """)
    )
    return ", ".join(rows.scalars())


def _tell_code_of_before(columns: str) -> None:
    """Let code of before wait as for a database that is away, so that it loses nothing and opens no incidents."""
    message = "RAISE EXCEPTION 'this database is of a later version: stop what is of before' USING ERRCODE = '57P03'"
    op.execute(f"""
        CREATE FUNCTION registrations_of_before() RETURNS TABLE ({columns}) LANGUAGE plpgsql AS $$
        BEGIN {message}; END $$
    """)
    op.execute("CREATE VIEW registrations AS SELECT * FROM registrations_of_before()")
    op.execute(f"""
        CREATE FUNCTION refuse_code_of_before() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {message}; END $$
    """)
    op.execute("""
        CREATE TRIGGER refuse INSTEAD OF INSERT OR UPDATE OR DELETE ON registrations
        FOR EACH ROW EXECUTE FUNCTION refuse_code_of_before()
    """)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON registrations TO {APPLICATION}")


def _close() -> None:
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON talent_permits TO {APPLICATION}")
    op.execute(f"REVOKE DELETE, TRUNCATE ON talent_permits FROM {APPLICATION}")
    op.execute("ALTER TABLE talent_permits ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE talent_permits FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON talent_permits USING ({_SEEN}) WITH CHECK ({_SEEN})")
    op.execute(f"CREATE POLICY own_cases ON talent_permits AS RESTRICTIVE FOR SELECT USING ({_OWN})")


def _rename_what_is_named_by_it() -> None:
    op.execute("""
        DO $$
        DECLARE each record;
        BEGIN
            FOR each IN SELECT conrelid::regclass AS of_table, conname AS name FROM pg_constraint
                WHERE connamespace = 'public'::regnamespace AND conname LIKE '%registrations%'
            LOOP
                EXECUTE format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I',
                    each.of_table, each.name, replace(each.name, 'registrations', 'cases'));
            END LOOP;
            FOR each IN SELECT indexname AS name FROM pg_indexes
                WHERE schemaname = 'public' AND indexname LIKE '%registrations%'
            LOOP
                EXECUTE format('ALTER INDEX %I RENAME TO %I', each.name, replace(each.name, 'registrations', 'cases'));
            END LOOP;
        END $$
    """)
