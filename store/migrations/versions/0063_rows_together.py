"""Whose case a row is of is asked by one look-up, and once a statement where rows come many at once.

Asked row by row, it was an eighth of what PostgreSQL does for a case: half the rows are deadlines, and a step writes up
to eight notices with their deliveries. A statement names such a table only where it writes rows of it
(`store/case_writes.py`). The other parts of a condition are asked where the first does not hold already: an expression
with a query in it is carried out as one, however little of it counts.

The look-ups are written so that each goes by a primary key, whatever the plan that is kept reckons with.
"""

from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"
_NAMES_A_CASE = "w.reference NOT LIKE '%/%' AND w.reference <> ''"
_IS_ITS_OWN = "(SELECT c.employer_id = w.employer_id FROM cases c WHERE c.reference = w.reference)"


def upgrade() -> None:
    """Ask less often."""
    op.execute(f"""
        CREATE OR REPLACE FUNCTION need_its_case() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            owned_by text := (SELECT c.employer_id FROM cases c WHERE c.reference = NEW.reference);
        BEGIN
            IF owned_by = NEW.employer_id THEN
                RETURN NULL;
            END IF;
            IF TG_TABLE_NAME = 'commands' THEN
                PERFORM FROM case_parties p WHERE p.reference = NEW.reference AND p.employer_id = NEW.employer_id
                    AND p.tenant = {_TENANT} AND p.until IS NULL;
                IF FOUND THEN
                    RETURN NULL;
                END IF;
            END IF;
            RAISE EXCEPTION 'a row of % names a case that is not its employer''s', TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    op.execute(f"""
        CREATE FUNCTION need_their_cases() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM written w WHERE w.employer_id IS NOT NULL AND {_NAMES_A_CASE} AND {_IS_ITS_OWN} IS NOT TRUE;
            IF FOUND THEN
                RAISE EXCEPTION 'a row of % names a case that is not its employer''s', TG_TABLE_NAME
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute(f"""
        CREATE FUNCTION need_their_readers() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM written w WHERE {_NAMES_A_CASE} AND {_IS_ITS_OWN} IS NOT TRUE;
            IF NOT FOUND THEN
                RETURN NULL;
            END IF;
            PERFORM FROM written w WHERE {_NAMES_A_CASE} AND {_IS_ITS_OWN} IS NOT TRUE
                AND NOT ({_TENANT} = '*' AND w.recipient = 'employer' AND EXISTS (
                    SELECT FROM case_parties p WHERE p.reference = w.reference AND p.part = 'confirmer'
                    AND p.kind = 'employer' AND p.party_id = w.employer_id));
            IF FOUND THEN
                RAISE EXCEPTION 'a notice names a case that is not its employer''s'
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE FUNCTION need_their_notices() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM written w WHERE w.employer_id IS NOT NULL AND (
                SELECT n.employer_id = w.employer_id FROM notices n WHERE n.notice_id = w.notice_id) IS NOT TRUE;
            IF FOUND THEN
                RAISE EXCEPTION 'a row of % names a notice that is not its employer''s', TG_TABLE_NAME
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        END $$
    """)
    _ask_once("deadlines", "its_case", "need_their_cases")
    _ask_once("notices", "its_case", "need_their_readers")
    _ask_once("deliveries", "its_notice", "need_their_notices")
    op.execute("DROP FUNCTION need_its_reader()")


def _ask_once(table: str, name: str, function: str) -> None:
    op.execute(f"DROP TRIGGER {name} ON {table}")
    op.execute(f"""
        CREATE TRIGGER {name} AFTER INSERT ON {table} REFERENCING NEW TABLE AS written
        FOR EACH STATEMENT EXECUTE FUNCTION {function}()
    """)
