"""What a party that does not own a case writes names that case, its employer and itself, and lets it see nothing more.

The policies of 0040 asked of a row that it was of the case, or by the person, and took its other columns at their word:
a command or a notice under another employer's id was that employer's to read, a row of the ledger stood in any chain,
and a mark that named one's own case beside any row of the ledger let that row be read. `person/nobody` saw what all
persons did.
"""

from alembic import op

revision = "0046"
down_revision = "0044"
branch_labels = None
depends_on = None

_TENANT = "coalesce(current_setting('hetao.tenant', true), '')"
_IS_ACTOR = f"""
    actor_role = 'person' AND CASE WHEN {_TENANT} = 'person/nobody' THEN actor_issuer <> 'hetao/me'
        ELSE actor_issuer = 'hetao/me' AND {_TENANT} = 'person/' || actor_subject END
"""


def upgrade() -> None:
    """Ask more of what is written; what is read of the ledger by its marks has to list the case itself."""
    op.execute(f"""
        ALTER POLICY asks ON commands
        WITH CHECK (reference = ANY (cases_asked(kind)) AND {_of_its_employer("commands")})
    """)
    op.execute(f"""
        ALTER POLICY person_adds ON notices WITH CHECK ({_TENANT} LIKE 'person/%' AND recipient = 'person'
            AND reference = ANY ({_seen("notices")}) AND {_of_its_employer("notices")})
    """)
    # The chain of a case is called by its reference, every other by what it is of and an id. A refusal names the case
    # that was asked for, whosever it is.
    op.execute(f"""
        ALTER POLICY person_adds ON ledger WITH CHECK ({_IS_ACTOR} AND employer_id IS NULL AND chain LIKE '%/%'
            AND (reference IS NULL OR act = 'request_refused' OR reference = ANY ({_seen("ledger")})))
    """)
    op.execute(f"""
        ALTER POLICY parts ON ledger USING (
            CASE WHEN reference = ANY ({_seen("ledger")}) THEN true
            WHEN actor_role = 'person' AND actor_issuer = 'hetao/me'
                AND {_TENANT} = 'person/' || actor_subject THEN true
            ELSE is_told({_seen("ledger")}, at, chain, seq) AND detail -> 'cases' ?| {_seen("ledger")} END)
    """)
    # The trigger of the ledger alone marks what a person does.
    op.execute(f"""
        ALTER POLICY person_adds ON ledger_marks
        WITH CHECK (pg_trigger_depth() > 0 AND {_TENANT} LIKE 'person/%' AND employer_id IS NULL
            AND (kind = 'reason' OR value = ANY ({_seen("ledger_marks")})))
    """)
    added = f"""
        CASE WHEN {_TENANT} = '*' THEN true WHEN {_TENANT} = '' THEN false
        ELSE {_TENANT} = employer_id AND ((part, kind) = ('subject', 'person')
            OR (part, kind, party_id) = ('owner', 'employer', employer_id))
            AND EXISTS (SELECT FROM cases c WHERE c.reference = case_parties.reference
                AND c.employer_id = case_parties.employer_id AND c.programme = case_parties.programme) END
    """
    op.execute(f"ALTER POLICY adds ON case_parties WITH CHECK ({added})")
    op.execute(f"ALTER POLICY changes ON case_parties WITH CHECK ({added})")


def _seen(place: str) -> str:
    return f"(SELECT cases_seen('{place}'))::text[]"


def _of_its_employer(table: str) -> str:
    return f"""
        EXISTS (SELECT FROM case_parties p WHERE p.reference = {table}.reference AND p.tenant = {_TENANT}
            AND p.until IS NULL AND p.employer_id IS NOT DISTINCT FROM {table}.employer_id)
    """
