"""Documents of persons: many to a person, each found by a keyed hash; those of before have the one that was given.

Which kind of document the number of before is of, and the number itself under the person's key, is not in the register
but in sealed applications: both stay empty until the document is next shown. The column `persons.identity_hash` is
written on, since code of before looks by it; the triggers let what such code adds and erases hold here as well.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"


def upgrade() -> None:
    """Create the table with what is known, closed as persons are, and let the code of before fill it."""
    op.create_table(
        "person_documents",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text()),
        sa.Column("place", sa.Text()),
        sa.Column("lookup_hash", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.LargeBinary()),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.person_id"], name=op.f("fk_person_documents_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_person_documents")),
        sa.UniqueConstraint("lookup_hash", name=op.f("uq_person_documents_lookup_hash")),
    )
    op.create_index("ix_person_documents_person", "person_documents", ["person_id"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON person_documents TO {APPLICATION}")
    _copy()
    _close()
    _follow()


def _copy() -> None:
    # The owner too is under row-level security.
    op.execute("SELECT set_config('hetao.tenant', '*', true)")
    op.execute("""
        INSERT INTO person_documents (document_id, person_id, lookup_hash, since)
        SELECT gen_random_uuid(), p.person_id, p.identity_hash, coalesce(r.since, now())
        FROM persons p LEFT JOIN (
            SELECT person_id, min(accepted_at) AS since FROM registrations GROUP BY person_id
        ) r USING (person_id)
        WHERE p.identity_hash IS NOT NULL
    """)
    op.execute("SELECT set_config('hetao.tenant', '', true)")


def _close() -> None:
    op.execute("ALTER TABLE person_documents ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE person_documents FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY reads ON person_documents FOR SELECT USING ({_TENANT} <> '')")
    op.execute(f"CREATE POLICY adds ON person_documents FOR INSERT WITH CHECK ({_TENANT} <> '')")
    # Held with the person while a case is taken on, which asks for the right to see it changed.
    op.execute(
        f"CREATE POLICY changes ON person_documents FOR UPDATE USING ({_TENANT} <> '') WITH CHECK ({_TENANT} = '*')"
    )
    op.execute(f"CREATE POLICY removes ON person_documents FOR DELETE USING ({_TENANT} = '*')")


def _follow() -> None:
    op.execute("""
        CREATE FUNCTION add_identity_document() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO person_documents (document_id, person_id, lookup_hash, since)
            VALUES (gen_random_uuid(), NEW.person_id, NEW.identity_hash, now())
            ON CONFLICT ON CONSTRAINT uq_person_documents_lookup_hash DO NOTHING;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER identity_document_added AFTER INSERT ON persons FOR EACH ROW
        WHEN (NEW.identity_hash IS NOT NULL) EXECUTE FUNCTION add_identity_document()
    """)
    op.execute("""
        CREATE FUNCTION remove_person_documents() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            DELETE FROM person_documents WHERE person_id = NEW.person_id;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER person_documents_removed AFTER UPDATE OF identity_hash ON persons FOR EACH ROW
        WHEN (OLD.identity_hash IS NOT NULL AND NEW.identity_hash IS NULL) EXECUTE FUNCTION remove_person_documents()
    """)
