"""Who has a part in a case, and row-level security by it: a person's transaction sees the cases of that person alone.

An employer goes on to see what it owns by its id on each row, as before; the policies `parts` let see what a party has
another part in, as far as `declared_parts` says for the programme. They come after `tenant` and are not looked at where
that one has let a row pass. The trigger keeps owner and subject with the row of the case, whatever code writes it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.case_fences import declare_part

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"
_MOMENT = postgresql.TIMESTAMP(timezone=True)
_ELSEWHERE = "until IS NULL AND NOT (part = 'owner' AND kind = 'employer')"

# Tables of a case by what they are called in `declared_parts`, each with the column that names the case.
_CASES = {
    "cases": "reference",
    "talent_permits": "reference",
    "applications": "reference",
    "assessments": "reference",
    "permits": "reference",
    "tasks": "reference",
    "conflicts": "reference",
    "deadlines": "reference",
    "commands": "reference",
    "calls": "reference",
    "answers": "reference",
    "case_facts": "reference",
    "incidents": "reference",
    "notices": "reference",
    "ledger_marks": "value",
    "objections": "reference",
    "legal_holds": "reference",
}
_EMPLOYERS = ("employers", "employer_versions", "employer_standings", "webhooks")
_SUBJECT_SEES = (
    "answers", "applications", "assessments", "calls", "case_facts", "cases", "commands", "deadlines", "deliveries",
    "employer_versions", "employers", "ledger", "ledger_marks", "legal_holds", "notices", "objections", "permits",
    "talent_permits", "tasks",
)  # fmt: skip
_SUBJECT_ASKS = ("card_lost", "contest_fact", "dispute")


def upgrade() -> None:
    """Create both tables with what is known, and the policies that read them."""
    _create_parties()
    _declare()
    _fill()
    _create_functions()
    _follow()
    _close()
    _open_cases()
    _open_own()
    _open_door()


def _create_parties() -> None:
    op.create_table(
        "case_parties",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Text()),
        sa.Column(
            "tenant",
            sa.Text(),
            sa.Computed("CASE WHEN kind = 'person' THEN 'person/' || party_id ELSE party_id END", persisted=True),
        ),
        sa.CheckConstraint("part IN ('owner', 'subject', 'confirmer')", name=op.f("ck_case_parties_part")),
        sa.CheckConstraint("kind IN ('employer', 'person')", name=op.f("ck_case_parties_kind")),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name=op.f("fk_case_parties_reference")),
        sa.PrimaryKeyConstraint("reference", "part", "kind", "party_id", "since", name=op.f("pk_case_parties")),
    )
    op.create_table(
        "declared_parts",
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tables", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("commands", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("programme", "part", "kind", name=op.f("pk_declared_parts")),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON case_parties TO {APPLICATION}")
    op.execute(f"GRANT SELECT ON declared_parts TO {APPLICATION}")


def _declare() -> None:
    declare_part("talent_permit", "subject", "person", sees=_SUBJECT_SEES, asks=_SUBJECT_ASKS)


def _fill() -> None:
    # The owner too is under row-level security.
    op.execute("SELECT set_config('hetao.tenant', '*', true)")
    op.execute("""
        INSERT INTO case_parties (reference, part, kind, party_id, since, programme, employer_id)
        SELECT reference, 'owner', 'employer', employer_id, accepted_at, programme, employer_id FROM cases
    """)
    # Since when it is this person is known of those alone whose identity number was never corrected.
    op.execute("""
        INSERT INTO case_parties (reference, part, kind, party_id, since, until, programme, employer_id)
        SELECT reference, 'subject', 'person', person_id, accepted_at, erased_at, programme, employer_id
        FROM cases
    """)
    op.execute("SELECT set_config('hetao.tenant', '', true)")
    op.create_index(
        "uq_case_parties_one",
        "case_parties",
        ["reference", "part"],
        unique=True,
        postgresql_where=sa.text("until IS NULL AND part IN ('owner', 'subject')"),
    )
    op.create_index(
        "ix_case_parties_seen", "case_parties", ["tenant", "reference"], postgresql_where=sa.text(_ELSEWHERE)
    )


def _create_functions() -> None:
    for name, argument, wanted in (("cases_seen", "place", "tables"), ("cases_asked", "command", "commands")):
        op.execute(f"""
            CREATE FUNCTION {name}({argument} text) RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
            DECLARE
                stands_for text := {_TENANT};
            BEGIN
                IF stands_for IN ('', '*') THEN
                    RETURN '{{}}';
                END IF;
                RETURN ARRAY(
                    SELECT p.reference FROM case_parties p JOIN declared_parts d USING (programme, part, kind)
                    WHERE p.tenant = stands_for AND p.until IS NULL AND NOT (p.part = 'owner' AND p.kind = 'employer')
                    AND {argument} = ANY (d.{wanted})
                );
            END $$
        """)
    op.execute(f"""
        CREATE FUNCTION employers_seen(place text) RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        DECLARE
            seen text[] := cases_seen(place);
        BEGIN
            RETURN ARRAY(
                SELECT DISTINCT p.employer_id FROM case_parties p
                WHERE p.tenant = {_TENANT} AND p.reference = ANY (seen)
            );
        END $$
    """)
    # Whether a row of the ledger lists one of these cases among those that it tells of.
    op.execute("""
        CREATE FUNCTION is_told(cases text[], told_at timestamptz, told_in text, told_as integer) RETURNS boolean
        LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        BEGIN
            RETURN cardinality(cases) > 0 AND EXISTS (
                SELECT FROM ledger_marks m WHERE m.kind = 'case' AND m.value = ANY (cases)
                AND m.at = told_at AND m.chain = told_in AND m.seq = told_as
            );
        END $$
    """)


def _follow() -> None:
    """Keep owner and subject with the row of the case.

    Of a person who came with a correction the time is the transaction's where the code of before writes it.
    """
    op.execute("""
        CREATE FUNCTION keep_parties() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO case_parties (reference, part, kind, party_id, since, programme, employer_id)
                VALUES (NEW.reference, 'owner', CASE WHEN NEW.employer_id IS NULL THEN 'person' ELSE 'employer' END,
                        coalesce(NEW.employer_id, NEW.person_id::text), NEW.accepted_at, NEW.programme,
                        NEW.employer_id),
                       (NEW.reference, 'subject', 'person', NEW.person_id, NEW.accepted_at, NEW.programme,
                        NEW.employer_id);
                RETURN NULL;
            END IF;
            IF OLD.person_id <> NEW.person_id AND NOT EXISTS (
                SELECT FROM case_parties p WHERE p.reference = NEW.reference AND p.part = 'subject'
                AND p.until IS NULL AND p.party_id = NEW.person_id::text
            ) THEN
                UPDATE case_parties p SET until = now()
                WHERE p.reference = NEW.reference AND p.part = 'subject' AND p.until IS NULL;
                INSERT INTO case_parties (reference, part, kind, party_id, since, programme, employer_id)
                VALUES (NEW.reference, 'subject', 'person', NEW.person_id, now(), NEW.programme, NEW.employer_id);
            END IF;
            IF OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL THEN
                UPDATE case_parties p SET until = NEW.erased_at
                WHERE p.reference = NEW.reference AND p.kind = 'person' AND p.until IS NULL;
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER parties_added AFTER INSERT ON cases FOR EACH ROW EXECUTE FUNCTION keep_parties()
    """)
    op.execute("""
        CREATE TRIGGER parties_kept AFTER UPDATE ON cases FOR EACH ROW
        WHEN (OLD.person_id IS DISTINCT FROM NEW.person_id OR OLD.erased_at IS DISTINCT FROM NEW.erased_at)
        EXECUTE FUNCTION keep_parties()
    """)
    # Whoever may hold the row of a case that another owns must not be able to make it their own.
    op.execute("""
        CREATE FUNCTION refuse_owner() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a case keeps its owner' USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER owner_stays BEFORE UPDATE ON cases FOR EACH ROW
        WHEN (OLD.employer_id IS DISTINCT FROM NEW.employer_id) EXECUTE FUNCTION refuse_owner()
    """)


def _close() -> None:
    op.execute("ALTER TABLE case_parties ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE case_parties FORCE ROW LEVEL SECURITY")
    owned = f"CASE WHEN {_TENANT} = '*' THEN true ELSE {_TENANT} = employer_id END"
    # An employer adds itself and the person of its case; who else has a part, the park alone writes.
    added = f"""
        CASE WHEN {_TENANT} = '*' THEN true WHEN {_TENANT} = '' THEN false
        ELSE {_TENANT} = employer_id AND ((part, kind) = ('subject', 'person')
            OR (part, kind, party_id) = ('owner', 'employer', employer_id)) END
    """
    op.execute(f"""
        CREATE POLICY reads ON case_parties FOR SELECT
        USING (CASE WHEN {_TENANT} IN ('*', 'sign-in') THEN true ELSE {_TENANT} = employer_id
            OR {_TENANT} = tenant END)
    """)
    op.execute(f"CREATE POLICY adds ON case_parties FOR INSERT WITH CHECK ({added})")
    op.execute(f"CREATE POLICY changes ON case_parties FOR UPDATE USING ({owned}) WITH CHECK ({added})")


def _open_cases() -> None:
    for table, column in _CASES.items():
        seen = _seen(table)
        op.execute(f"CREATE POLICY parts ON {table} FOR SELECT USING ({column} = ANY ({seen}))")
    for table in _EMPLOYERS:
        seen = f"(SELECT employers_seen('{table}'))::text[]"
        op.execute(f"CREATE POLICY parts ON {table} FOR SELECT USING (employer_id = ANY ({seen}))")
    seen = _seen("ledger")
    op.execute(f"""
        CREATE POLICY parts ON ledger FOR SELECT USING (
            CASE WHEN reference = ANY ({seen}) THEN true WHEN {_IS_ACTOR} THEN true
            ELSE is_told({seen}, at, chain, seq) END)
    """)
    # Whose notice it is, row-level security of notices says.
    op.execute(f"""
        CREATE POLICY parts ON deliveries FOR SELECT USING (
            CASE WHEN {_TENANT} IN ('', '*', employer_id) THEN false
            ELSE notice_id IN (SELECT notice_id FROM notices WHERE reference = ANY ({_seen("deliveries")})) END)
    """)
    # Held while a command of theirs is tried and stored, which asks for the right to see it changed; never changed.
    op.execute(f"""
        CREATE POLICY holds ON cases FOR UPDATE
        USING (reference = ANY ({_seen("cases")})) WITH CHECK (false)
    """)
    op.execute("CREATE POLICY asks ON commands FOR INSERT WITH CHECK (reference = ANY (cases_asked(kind)))")


_IS_ACTOR = (
    f"actor_role = 'person' AND ({_TENANT} = 'person/nobody'"
    f" OR actor_issuer = 'hetao/me' AND {_TENANT} = 'person/' || actor_subject)"
)
_OWN = f"{_TENANT} = 'person/' || person_id::text"


def _open_own() -> None:
    """Let a person's transaction write what the person does."""
    # A token without a person may leave its sign-in and its refusals, and sees none of them again.
    op.execute(f"CREATE POLICY person_adds ON ledger FOR INSERT WITH CHECK ({_IS_ACTOR})")
    op.execute(f"""
        CREATE POLICY person_adds ON ledger_marks FOR INSERT
        WITH CHECK ({_TENANT} LIKE 'person/%' AND employer_id IS NULL
            AND (kind = 'reason' OR value = ANY ({_seen("ledger_marks")})))
    """)
    op.execute(f"""
        CREATE POLICY person_adds ON objections FOR INSERT
        WITH CHECK ({_OWN} AND reference = ANY ({_seen("objections")}))
    """)
    op.execute(f"""
        CREATE POLICY person_adds ON notices FOR INSERT
        WITH CHECK ({_TENANT} LIKE 'person/%' AND recipient = 'person' AND reference = ANY ({_seen("notices")}))
    """)
    op.execute(f"""
        CREATE POLICY person_adds ON deliveries FOR INSERT
        WITH CHECK ({_TENANT} LIKE 'person/%' AND employer_id = ANY ((SELECT employers_seen('deliveries'))::text[]))
    """)
    mine = f"employer_id = '*' AND {_TENANT} LIKE 'person/%' AND subject = 'hetao/me ' || substr({_TENANT}, 8)"
    op.execute(f"CREATE POLICY person_own ON idempotency USING ({mine}) WITH CHECK ({mine})")
    for table in ("sign_in_links", "person_sessions"):
        op.execute(f"CREATE POLICY person_own ON {table} USING ({_OWN}) WITH CHECK ({_OWN})")
    for table in ("persons", "person_documents"):
        met = f"CASE WHEN {_TENANT} LIKE 'person/%' THEN {_OWN} ELSE {_TENANT} <> '' END"
        op.execute(f"ALTER POLICY reads ON {table} USING ({met})")
        op.execute(f"ALTER POLICY adds ON {table} WITH CHECK ({met})")
        op.execute(f"ALTER POLICY changes ON {table} USING ({met})")


def _open_door() -> None:
    """Let who it is that signs in be found out by a transaction that sees no case."""
    for table in ("sign_in_links", "person_sessions"):
        op.execute(f"CREATE POLICY door ON {table} FOR SELECT USING ({_TENANT} = 'sign-in')")
    # What an old document is, is written down when it is next shown.
    op.execute(f"ALTER POLICY changes ON person_documents WITH CHECK ({_TENANT} IN ('*', 'sign-in'))")


def _seen(place: str) -> str:
    return f"(SELECT cases_seen('{place}'))::text[]"
