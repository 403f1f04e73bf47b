"""What of a row is never changed once it is written: what it is called, whose it is, and what was asked or said by it.

A trigger refuses any other value (`store/migrations/versions/0050_fences.py`), whoever writes it; the same value may be
written again. Tables whose rows nobody changes, or takes away, are closed to that by their grants.
"""

from collections.abc import Iterable, Iterator
from typing import Final

_ONCE: Final = """
answers: answer_id outcome_id reference destination employer_id source
applications: reference version employer_id given_at
assessments: reference scope seq employer_id round policy_version policy_hash at
calls: key attempt reference employer_id destination what
browser_sessions: session_hash subject_hash content opened_at ends_at
case_facts: reference number employer_id facts_version round at
case_parties: reference part kind party_id since programme employer_id
cases: reference employer_id correlation_id programme accepted_at recorded_at
check_codes: code_id code_hash reference party issued_by issued_at
commands: command_id seq reference employer_id kind
data_keys: key_id
deadlines: reference kind destination step employer_id
deliveries: delivery_id notice_id employer_id channel webhook_id
differences: difference_id reference code
drafts: draft_id owner programme kind reference key_id begun_at
employer_standings: change_id employer_id standing valid_from proposed_by at
employer_versions: employer_id valid_from recorded_at
employers: employer_id
erasures: erasure_id person_id reference reason proposed_by proposed_at
evidence: reference evidence_id employer_id item kind round given_at source_reference source_evidence
idempotency: employer_id subject route key reference command_id at
incidents: incident_id reference employer_id kind step
legal_holds: hold_id reference employer_id reason paper placed_by placed_at
lost_answers: answer_id message_id outcome_id reference destination outcome source occurred_at received_at
notices: notice_id reference employer_id destination kind recipient subject occasion language key_id text_hash at
objections: objection_id kind reference key_id at
person_documents: document_id lookup_hash since
person_joinings: joining_id kind undoes kept_id joined_id kept_reference joined_reference reason proposed_by proposed_at
person_sessions: session_hash person_id address_hash at expires_at
persons: person_id
receipts: message_id about recorded_at
revivals: reference employer_id
roster_rows: roster_id row employer_id
rosters: roster_id employer_id act dry_run on_defect actor key_id at
saved_views: view_id owner list
service_keys: kind key_id fingerprint
sign_in_links: link_id link_hash person_id reference address_hash at expires_at
takeovers: takeover_id from_reference from_item from_evidence to_reference to_item consent consented_at
tasks: task_id kind reference employer_id destination opened_at
transfers: transfer_id programme from_reference to_employer agreed_at holds_until
webhooks: webhook_id employer_id at
"""
# Columns that bear each their own value for ever, by table; of a programme's own table its key and whose case it is of.
ONCE: Final[dict[str, tuple[str, ...]]] = {
    table: tuple(columns.split()) for table, _, columns in (line.partition(":") for line in _ONCE.strip().splitlines())
}
# Rows that stand or are gone as a whole.
NEVER_CHANGED: Final = frozenset(
    "archived_histories checkpoints conflicts cosignatures declared_parts ledger ledger_marks lost_cases notice_reads"
    " roster_intake rule_trials seal_leaves seal_nodes sign_ins stamps".split()
)
# By a grant on the columns that may: what is proposed, and what a restore is.
BY_COLUMN: Final = {"epochs": ("told_at",), "rule_packs": ("confirmed_by", "state")}
# Counted, read or published anew under the same key; nobody's case.
FREE: Final = frozenset({"calendar_days", "cursors", "key_holders", "messages_seen", "premises", "quotas"})
# Of all other tables the application takes no row away.
TAKEN_AWAY: Final = {
    "browser_sessions": "over, or ended by whoever is signed in",
    "calendar_days": "published anew",
    "check_codes": "the person was erased",
    "drafts": "kept for a time, or a person in it was erased",
    "idempotency": "kept for a time",
    "key_holders": "a process that is gone",
    "lost_answers": "kept for a time",
    "messages_seen": "kept for a time",
    "person_documents": "the person was erased",
    "person_sessions": "kept for a time, or the person was erased",
    "revivals": "the case has nothing due any more",
    "roster_intake": "on their way into the rows of a roster",
    "saved_views": "its owner needs it no more",
    "sign_in_links": "kept for a time, or the person was erased",
}


def as_section(own: Iterable[str]) -> Iterator[str]:
    """Yield the section of the page `docs/data-map.md`, with the tables that programmes keep of their cases."""
    yield from (
        "## What never changes once it is written",
        "",
        "A trigger refuses another value of these columns, whoever writes it. Rows of a case, or of what hangs on one,",
        "are changed by the park's transactions alone, and bear the employer that owns the case.",
        "",
        "| table | columns |",
        "|---|---|",
    )
    for table, columns in ONCE.items():
        yield f"| `{table}` | {' '.join(columns)} |"
    for table in own:
        yield f"| `{table}` | its key, `reference` and `employer_id` |"
    whole = " ".join(f"`{each}`" for each in sorted(NEVER_CHANGED))
    yield f"| {whole} | all |"
    for table, columns in BY_COLUMN.items():
        yield f"| `{table}` | all but {' and '.join(columns)} |"
    yield from ("", "Rows are taken away of these alone:", "", "| table | when |", "|---|---|")
    for table, why in TAKEN_AWAY.items():
        yield f"| `{table}` | {why} |"
    yield ""
