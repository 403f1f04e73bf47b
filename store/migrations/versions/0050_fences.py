"""What belongs to a case keeps to it: who looks through a fence, who writes, whose a row is, and what never changes.

A link's session was fenced in some of the tables that have rows of a case, and in the rest saw the person's other
cases. An employer's row could name another employer's case, and a delivery another's notice; an employer's transaction
could change the stage of its case or add an answer of the authority. A row's place in the register could be changed by
whoever may change the row. One `client_reference` held for the live cases of all programmes together.

Nothing here looks at rows of before: what is added is checked as it comes, since a case is never taken away and keeps
its owner. A foreign key would hold every row of a case, which the lock of the case's row keeps waiting.
"""

import sqlalchemy as sa
from alembic import op

from store.case_fences import fence_rows, keep_as_written, keep_with_case, let_park_change

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

APPLICATION = "hetao_app"
_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"
_CASES = "current_setting('hetao.cases', true)"
_FENCED = f"string_to_array({_CASES}, ',')"

# Fenced before: cases, applications, permits, notices, commands, case_facts, talent_permits, objections.
_FENCE = (
    "answers", "archived_histories", "assessments", "calls", "case_parties", "conflicts", "deadlines", "differences",
    "erasures", "incidents", "legal_holds", "lost_answers", "revivals", "roster_rows", "sign_in_links", "tasks",
)  # fmt: skip
_OF_NOTICES = ("deliveries", "notice_reads")
# With the columns `reference` and `employer_id`.
_OF_CASES = (
    "answers", "applications", "assessments", "calls", "case_facts", "case_parties", "commands", "conflicts",
    "deadlines", "incidents", "legal_holds", "permits", "revivals", "roster_rows", "talent_permits", "tasks",
)  # fmt: skip
# Commands are told apart below; a roster's rows are its employer's to change. Whoever tries an act before it is
# asked changes rows too, and takes that back.
_CHANGED_BY_PARK = (
    "answers", "applications", "assessments", "calls", "case_facts", "case_parties", "cases", "conflicts",
    "deadlines", "deliveries", "incidents", "legal_holds", "notices", "permits", "revivals", "talent_permits", "tasks",
)  # fmt: skip
# Intake adds a deadline; what an approval or an answer of the authority leads to comes of the park's steps.
_ADDED_BY_PARK = (
    "answers", "assessments", "calls", "case_facts", "conflicts", "legal_holds", "permits", "revivals", "tasks",
)  # fmt: skip
_ONCE = """
answers: answer_id outcome_id reference destination employer_id source
applications: reference version employer_id given_at
assessments: reference scope seq employer_id round policy_version policy_hash at
calls: key attempt reference employer_id destination what
case_facts: reference number employer_id facts_version round at
case_parties: reference part kind party_id since programme employer_id
cases: reference employer_id correlation_id programme accepted_at recorded_at
commands: command_id seq reference employer_id kind
data_keys: key_id
deadlines: reference kind destination step employer_id
deliveries: delivery_id notice_id employer_id channel webhook_id
differences: difference_id reference code
employer_standings: change_id employer_id standing valid_from proposed_by at
employer_versions: employer_id valid_from recorded_at
employers: employer_id
erasures: erasure_id person_id reference reason proposed_by proposed_at
idempotency: employer_id subject route key reference command_id at
incidents: incident_id reference employer_id kind step
legal_holds: hold_id reference employer_id reason paper placed_by placed_at
lost_answers: answer_id message_id outcome_id reference destination outcome source occurred_at received_at
notices: notice_id reference employer_id destination kind recipient subject occasion language key_id text_hash at
objections: objection_id kind reference key_id at
permits: reference destination employer_id
person_documents: document_id lookup_hash since
person_joinings: joining_id kind undoes kept_id joined_id kept_reference joined_reference reason proposed_by proposed_at
person_sessions: session_hash person_id address_hash at expires_at
persons: person_id
receipts: message_id about recorded_at
revivals: reference employer_id
roster_rows: roster_id row employer_id
rosters: roster_id employer_id act dry_run on_defect actor key_id at
service_keys: kind key_id fingerprint
sign_in_links: link_id link_hash person_id reference address_hash at expires_at
talent_permits: reference employer_id
tasks: task_id kind reference employer_id destination opened_at
webhooks: webhook_id employer_id at
"""
_NO_UPDATE = ("conflicts", "notice_reads", "roster_intake")
_NO_DELETE = (
    "answers", "applications", "assessments", "calls", "cases", "commands", "conflicts", "cursors", "data_keys",
    "deadlines", "deliveries", "employer_standings", "employer_versions", "employers", "incidents", "lost_cases",
    "notice_reads", "notices", "objections", "permits", "persons", "premises", "quotas", "receipts", "roster_rows",
    "rosters", "service_keys", "sign_ins", "tasks", "webhooks",
)  # fmt: skip


def upgrade() -> None:
    """Put up each fence."""
    _create_functions()
    _fence()
    _keep_together()
    _keep_to_the_park()
    for line in _ONCE.strip().splitlines():
        table, _, columns = line.partition(":")
        keep_as_written(table, columns.split())
    for tables, right in ((_NO_UPDATE, "UPDATE"), (_NO_DELETE, "DELETE")):
        op.execute(f"REVOKE {right} ON {', '.join(tables)} FROM {APPLICATION}")
    _tell_programmes_apart()


def _create_functions() -> None:
    op.execute("""
        CREATE FUNCTION refuse_other_value() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a row of % stays what it was written as', TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    op.execute("""
        CREATE FUNCTION refuse_change_by_others() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a row of % is the park''s to change', TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    # By whom they are called sees no more cases than before, so that another's and none at all are refused alike.
    # Whoever confirms may be shown no row of the case itself, and knows its owner by the part.
    op.execute(f"""
        CREATE FUNCTION need_its_case() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            owned_by text := (SELECT c.employer_id FROM cases c WHERE c.reference = NEW.reference);
        BEGIN
            IF owned_by IS DISTINCT FROM NEW.employer_id
            AND NOT (TG_TABLE_NAME = 'commands' AND EXISTS (
                SELECT FROM case_parties p WHERE p.reference = NEW.reference AND p.employer_id = NEW.employer_id
                AND p.tenant = {_TENANT} AND p.until IS NULL))
            THEN
                RAISE EXCEPTION 'a row of % names a case that is not its employer''s', TG_TABLE_NAME
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        END $$
    """)
    # A notice to an employer that confirms something of a case is that employer's; the park alone tells it.
    op.execute(f"""
        CREATE FUNCTION need_its_reader() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM cases c WHERE c.reference = NEW.reference AND c.employer_id = NEW.employer_id)
            AND NOT ({_TENANT} = '*' AND NEW.recipient = 'employer' AND EXISTS (
                SELECT FROM case_parties p WHERE p.reference = NEW.reference AND p.part = 'confirmer'
                AND p.kind = 'employer' AND p.party_id = NEW.employer_id))
            THEN
                RAISE EXCEPTION 'a notice names a case that is not its employer''s'
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE FUNCTION need_its_notice() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM notices n WHERE n.notice_id = NEW.notice_id AND n.employer_id = NEW.employer_id)
            THEN
                RAISE EXCEPTION 'a row of % names a notice that is not its employer''s', TG_TABLE_NAME
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE FUNCTION need_its_webhook() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM webhooks w
                WHERE w.webhook_id = NEW.webhook_id AND w.employer_id = NEW.employer_id)
            THEN
                RAISE EXCEPTION 'a delivery names a webhook that is not its employer''s'
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE FUNCTION need_its_roster() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM rosters r WHERE r.roster_id = NEW.roster_id AND r.employer_id = NEW.employer_id)
            THEN
                RAISE EXCEPTION 'a row names a roster that is not its employer''s'
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        END $$
    """)
    # The chain of a case is called by its reference; a refusal names the case that was asked for, whosever it is.
    op.execute("""
        CREATE FUNCTION need_its_chain() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.chain NOT LIKE '%/%' AND NEW.chain IS DISTINCT FROM NEW.reference OR NOT EXISTS (
                SELECT FROM cases c WHERE c.reference = NEW.reference
                AND (NEW.chain LIKE '%/%' OR c.employer_id IS NOT DISTINCT FROM NEW.employer_id)
            ) THEN
                RAISE EXCEPTION 'a row of the ledger stands in a chain that is not its employer''s'
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        END $$
    """)


def _fence() -> None:
    for table in _FENCE:
        fence_rows(table, f"reference = ANY ({_FENCED})")
    # A key that has not got its case yet is of nobody else's.
    fence_rows("idempotency", f"(reference IS NULL OR reference = ANY ({_FENCED}))")
    fence_rows("ledger_marks", f"value = ANY ({_FENCED})")
    fence_rows("ledger", f"(reference = ANY ({_FENCED}) OR detail -> 'cases' ?| {_FENCED})")
    for table in _OF_NOTICES:
        fence_rows(table, f"EXISTS (SELECT FROM notices n WHERE n.notice_id = {table}.notice_id)")


def _keep_together() -> None:
    for table in _OF_CASES:
        keep_with_case(table, is_named_later=table == "roster_rows")
    _check("notices", "its_case", "need_its_reader", "NEW.reference NOT LIKE '%/%' AND NEW.reference <> ''")
    for table in _OF_NOTICES:
        _check(table, "its_notice", "need_its_notice", "NEW.employer_id IS NOT NULL")
    _check("deliveries", "its_webhook", "need_its_webhook", "NEW.webhook_id IS NOT NULL")
    _check("roster_rows", "its_roster", "need_its_roster")
    of_case = "NEW.chain NOT LIKE '%/%' OR NEW.reference IS NOT NULL AND NEW.act <> 'request_refused'"
    _check("ledger", "its_chain", "need_its_chain", f"{_TENANT} <> '*' AND ({of_case})")


def _check(table: str, name: str, function: str, where: str = "true") -> None:
    op.execute(f"""
        CREATE TRIGGER {name} AFTER INSERT ON {table} FOR EACH ROW WHEN ({where}) EXECUTE FUNCTION {function}()
    """)


def _keep_to_the_park() -> None:
    for table in _CHANGED_BY_PARK:
        let_park_change(table)
    # That its answer was read is all that whoever asked says of a command.
    let_park_change("commands", but="unanswered")
    for table in _ADDED_BY_PARK:
        op.execute(f"""
            CREATE POLICY park_adds ON {table} AS RESTRICTIVE FOR INSERT WITH CHECK ({_TENANT} = '*')
        """)
    op.execute(f"""
        CREATE POLICY trigger_adds ON ledger_marks AS RESTRICTIVE FOR INSERT
        WITH CHECK (CASE WHEN {_TENANT} = '*' THEN true ELSE pg_trigger_depth() > 0 END)
    """)


def _tell_programmes_apart() -> None:
    name = "uq_cases_live_client_reference"
    op.drop_index(name, "cases")
    op.create_index(
        name,
        "cases",
        ["employer_id", "programme", "client_reference"],
        unique=True,
        postgresql_where=sa.text("live AND client_reference IS NOT NULL"),
    )
