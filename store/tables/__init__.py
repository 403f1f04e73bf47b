"""The tables of the register, of the ledger and of what waits to be done, as SQLAlchemy Core describes them.

Every table with an `employer_id` stands under forced row-level security by the tenant of the transaction. Columns of
type BYTEA that hold personal data or free text are sealed (`store.encryption`); `domain.data_map` says what is where.
"""

from store.tables.archive import archived_histories, differences
from store.tables.authority import answers, calls, lost_answers, messages_seen
from store.tables.base import metadata
from store.tables.browser_sessions import browser_sessions
from store.tables.check_codes import check_codes
from store.tables.drafts import drafts
from store.tables.epochs import epochs, lost_cases
from store.tables.erasure import erasures, legal_holds
from store.tables.evidence import evidence
from store.tables.joinings import person_joinings
from store.tables.keys import key_holders, service_keys
from store.tables.notices import deliveries, notice_reads, notices, receipts, webhooks
from store.tables.parties import case_parties, declared_parts
from store.tables.people import (
    data_keys,
    employer_standings,
    employer_versions,
    employers,
    person_documents,
    persons,
    premises,
)
from store.tables.record import ledger, ledger_marks, sign_ins
from store.tables.register import (
    applications,
    assessments,
    case_facts,
    cases,
    registration_number_sequence,
)
from store.tables.renewals import renewals
from store.tables.rosters import roster_intake, roster_rows, rosters
from store.tables.rules import rule_packs, rule_trials
from store.tables.saved_views import saved_views
from store.tables.seal import checkpoints, cosignatures, seal_leaves, seal_nodes, stamps
from store.tables.sessions import objections, person_sessions, sign_in_links
from store.tables.takeovers import takeovers
from store.tables.transfers import transfers
from store.tables.work import (
    calendar_days,
    commands,
    conflicts,
    cursors,
    deadlines,
    idempotency,
    incidents,
    quotas,
    revivals,
    tasks,
)


def tenant_tables() -> tuple[str, ...]:
    """Return the tables that stand under row-level security by `employer_id`, with those of the programmes at hand."""
    return tuple(table.name for table in metadata.sorted_tables if "employer_id" in table.c)


__all__ = [
    "answers",
    "applications",
    "archived_histories",
    "assessments",
    "browser_sessions",
    "calendar_days",
    "calls",
    "case_facts",
    "case_parties",
    "cases",
    "check_codes",
    "checkpoints",
    "commands",
    "conflicts",
    "cosignatures",
    "cursors",
    "data_keys",
    "deadlines",
    "declared_parts",
    "deliveries",
    "differences",
    "drafts",
    "employer_standings",
    "employer_versions",
    "employers",
    "epochs",
    "erasures",
    "evidence",
    "idempotency",
    "incidents",
    "key_holders",
    "ledger",
    "ledger_marks",
    "legal_holds",
    "lost_answers",
    "lost_cases",
    "messages_seen",
    "metadata",
    "notice_reads",
    "notices",
    "objections",
    "person_documents",
    "person_joinings",
    "person_sessions",
    "persons",
    "premises",
    "quotas",
    "receipts",
    "registration_number_sequence",
    "renewals",
    "revivals",
    "roster_intake",
    "roster_rows",
    "rosters",
    "rule_packs",
    "rule_trials",
    "saved_views",
    "seal_leaves",
    "seal_nodes",
    "service_keys",
    "sign_in_links",
    "sign_ins",
    "stamps",
    "takeovers",
    "tasks",
    "tenant_tables",
    "transfers",
    "webhooks",
]
