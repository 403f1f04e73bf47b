"""A person owns a case: its rows bear `person/` and the person's id, where others bear the id of an employer.

That is what the person's transactions stand for, so that the policies `tenant` let the owner read, add and ask as an
employer does, and nobody's rows are without an owner. Whether there is such an owner a trigger asks in the place of the
foreign key: of a programme for which `declared_parts` has a person as owner it is the person whom the case is about
when it is taken on, and of every other one an employer.
"""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"


def upgrade() -> None:
    """Let persons own cases, and keep both of their parts with the row."""
    op.drop_constraint(op.f("fk_cases_employer_id"), "cases", type_="foreignkey")
    # Held as a foreign key holds it, under the code that its violation has.
    op.execute("""
        CREATE FUNCTION need_owner() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            is_persons boolean := EXISTS (SELECT FROM declared_parts d
                WHERE d.programme = NEW.programme AND d.part = 'owner' AND d.kind = 'person');
        BEGIN
            IF is_persons AND NEW.employer_id = 'person/' || NEW.person_id::text THEN
                RETURN NEW;
            END IF;
            IF NOT is_persons THEN
                PERFORM FROM employers e WHERE e.employer_id = NEW.employer_id FOR KEY SHARE;
                IF FOUND THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'a case has an owner of the kind that its programme declares'
                USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'fk_cases_employer_id', TABLE = 'cases';
        END $$
    """)
    op.execute("CREATE TRIGGER owner_needed BEFORE INSERT ON cases FOR EACH ROW EXECUTE FUNCTION need_owner()")
    # Of a case that a person owns owner and subject are one, also where the person turns out to be another one's. Once
    # the person was erased there is nothing left to confirm.
    op.execute("""
        CREATE OR REPLACE FUNCTION keep_parties() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            is_persons boolean := NEW.employer_id LIKE 'person/%';
            each text;
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO case_parties (reference, part, kind, party_id, since, programme, employer_id)
                VALUES (NEW.reference, 'owner', CASE WHEN is_persons THEN 'person' ELSE 'employer' END,
                        CASE WHEN is_persons THEN NEW.person_id::text ELSE NEW.employer_id END, NEW.accepted_at,
                        NEW.programme, NEW.employer_id),
                       (NEW.reference, 'subject', 'person', NEW.person_id, NEW.accepted_at, NEW.programme,
                        NEW.employer_id);
                RETURN NULL;
            END IF;
            IF OLD.person_id <> NEW.person_id THEN
                FOREACH each IN ARRAY CASE WHEN is_persons THEN ARRAY['owner', 'subject'] ELSE ARRAY['subject'] END LOOP
                    CONTINUE WHEN EXISTS (SELECT FROM case_parties p WHERE p.reference = NEW.reference
                        AND p.part = each AND p.until IS NULL AND p.party_id = NEW.person_id::text);
                    UPDATE case_parties p SET until = now()
                    WHERE p.reference = NEW.reference AND p.part = each AND p.until IS NULL;
                    INSERT INTO case_parties (reference, part, kind, party_id, since, programme, employer_id)
                    VALUES (NEW.reference, each, 'person', NEW.person_id, now(), NEW.programme, NEW.employer_id);
                END LOOP;
            END IF;
            IF OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL THEN
                UPDATE case_parties p SET until = NEW.erased_at WHERE p.reference = NEW.reference
                AND p.until IS NULL AND (p.kind = 'person' OR p.part = 'confirmer');
            END IF;
            RETURN NULL;
        END $$
    """)
    added = f"""
        CASE WHEN {_TENANT} = '*' THEN true WHEN {_TENANT} = '' THEN false
        ELSE {_TENANT} = employer_id AND ((part, kind) = ('subject', 'person')
            OR (part, kind, party_id) = ('owner', 'employer', employer_id)
            OR (part, kind, 'person/' || party_id) = ('owner', 'person', employer_id))
            AND EXISTS (SELECT FROM cases c WHERE c.reference = case_parties.reference
                AND c.employer_id = case_parties.employer_id AND c.programme = case_parties.programme) END
    """
    op.execute(f"ALTER POLICY adds ON case_parties WITH CHECK ({added})")
    op.execute(f"ALTER POLICY changes ON case_parties WITH CHECK ({added})")
