"""Stored spellings: the names that may never change, whatever tables, columns, classes and files are called.

What is encrypted, hashed, signed, or kept by Temporal goes by these names for as long as it is kept, and two versions
at work together in a roll-out must mean the same by them. A name is added here and never changed; what takes the place
of one is a new name beside it, by which the old things are still read. `tests/store/test_spellings.py` holds each to
what was written under it. Values of enumerations that are stored (acts, kinds of notices, stages, codes) stand where
the enumeration does, and that test holds them too.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

# --- What the hash of a case's state covers (`cases/case/state.py`) ---------------------------------------------------

# The form that is written, and under which name the row of the ledger says it in its `detail`; absent, it is 1.
STATE_FORM: Final = 3
STATE_FORM_NAME: Final = "state_form"


class FirstForm(NamedTuple):
    """The first form, of the talent permit alone: under which name each part stands, and the names in it."""

    case: str
    case_names: tuple[str, ...]
    tracks: str
    track_names: tuple[str, ...]
    # By which tracks are in order, and the table of the programme whose one row the names of the case go on in.
    track_key: str
    own: str


class StateForm(NamedTuple):
    """A form for cases of all programmes: the case, and by their names the tables that its programme declares.

    Which columns of such a table are in it the declaration says (`hashed` of `store/case_tables.py`). A name that is
    empty in a row is left out, and so is a table without rows, so that what is added later changes no hash of before.
    """

    case: str
    case_names: tuple[str, ...]
    tables: str


_CASE_NAMES: Final = (
    "accepted_at", "amendments", "answered_findings", "approved_at", "assessment", "client_reference", "clock",
    "clock_since", "contested", "correlation_id", "days_used", "due_at", "due_kind", "due_provisional",
    "earlier_addresses", "effect_by", "employer_id", "end_reason", "ended_on", "erased_at", "facts_version",
    "hold", "holder", "holder_since", "named_defects", "objections", "open_points", "overdue", "pending",
    "pending_act", "person_id", "policy_version", "programme", "reference", "registration_number", "rejected",
    "returns", "round", "settled", "settles_at", "stage", "standing_hold", "started_at",
)  # fmt: skip
STATE_FORMS: Final[Mapping[int, FirstForm | StateForm]] = {
    1: FirstForm(
        case="registration",
        case_names=(
            "accepted_at", "answered_findings", "approved_at", "assessment", "client_reference", "clock",
            "clock_since", "contested", "contract_end", "correlation_id", "days_used", "departure",
            "destinations", "due_at", "due_kind", "due_provisional", "earlier_addresses", "effect_by",
            "employer_id", "end_reason", "ended_on", "erased_at", "facts_version", "hold", "holder",
            "named_defects", "open_points", "overdue", "pending", "pending_act", "person_id",
            "policy_version", "reference", "registration_number", "rejected", "returns", "round", "settled",
            "settles_at", "stage", "standing_hold", "started_at", "undertaking_version",
        ),
        tracks="permits",
        track_names=(
            "accepted_on", "answered_for", "authority_number", "card_lost_on", "decided_on", "destination",
            "due_at", "due_provisional", "earlier", "employer_id", "end_reason", "entries", "entry_case", "pending",
            "pending_act", "reason", "reference", "rejected", "reported_at", "sent_at", "stage",
            "stay_days", "valid_from", "valid_until",
        ),
        track_key="destination",
        own="talent_permits",
    ),
    2: StateForm(case="case", case_names=_CASE_NAMES, tables="tables"),
    # With the terms of permits, which a migration filled for the cases of before.
    3: StateForm(case="case", case_names=_CASE_NAMES, tables="tables"),
}  # fmt: skip

# --- What the hash of a row of the ledger covers (`proof/ledger_rows.py`), in exports too -----------------------------

LEDGER_ROW: Final = (
    "chain", "seq", "previous", "act", "at", "actor_issuer", "actor_subject", "actor_role", "actor_tenant",
    "reference", "employer_id", "destination", "outcome", "reason_codes", "purpose", "rule_version", "rule_hash",
    "before_hash", "after_hash", "statement_hash", "workflow_id", "run_id", "event_id", "correlation_id", "detail",
)  # fmt: skip

# --- Sealed values (`store/encryption.py`) ----------------------------------------------------------------------------

# The first byte of a sealed value: AES-GCM with a nonce of twelve bytes, bound to place, row and key.
SEALED: Final = b"\x01"


class Place(NamedTuple):
    """What a sealed value is bound to, beside the row: once the names of its table and column, now its own."""

    table: str
    column: str


PLACES: Final = frozenset(
    {
        Place("answers", "body"),
        Place("applications", "body"),
        Place("archived_histories", "content"),
        Place("assessments", "facts"),
        Place("browser_sessions", "content"),
        Place("case_facts", "body"),
        Place("commands", "body"),
        Place("drafts", "body"),
        Place("employer_standings", "notes"),
        Place("employers", "contact"),
        Place("evidence", "fallen"),
        Place("evidence", "given"),
        Place("evidence", "seen"),
        Place("idempotency", "answer"),
        Place("legal_holds", "paper"),
        Place("lost_answers", "body"),
        Place("notices", "body"),
        Place("objections", "answer"),
        Place("objections", "body"),
        Place("permit_terms", "reason"),
        Place("permits", "note"),
        Place("permits", "reason"),
        Place("person_documents", "number"),
        Place("person_joinings", "proof"),
        Place("registrations", "earlier_addresses"),
        Place("renewals", "changes"),
        Place("renewals", "note"),
        Place("registrations", "note"),
        Place("roster_rows", "body"),
        Place("rosters", "head"),
        Place("tasks", "detail"),
        Place("webhooks", "secrets"),
        Place("webhooks", "url"),
    }
)
# Under a person's data key: the key of the hashes that the ledger shows of contents and states.
LEDGER_HASHES: Final = b"ledger"
# Under the look-up key: what a keyed hash is for; after a slash, whose.
LOOKUPS: Final = frozenset(
    {
        "address", "answer", "body", "browser_session", "browser_subject", "check_code", "document", "draft",
        "identity", "last_four", "machine_secret", "message", "name", "session", "sign_in_link",
    }
)  # fmt: skip
# By what a key of the service is told from others in the register of keys.
KEY_FINGERPRINT: Final = b"hetao-permits key"
# Metadata of a payload that Temporal keeps.
PAYLOAD_ENCODING: Final = b"binary/hetao-aes-gcm"
PAYLOAD_KEY_ID: Final = "hetao-key-id"

# --- Signed documents (`proof/`): the format that each names, and what its signature begins with ----------------------

RECEIPT: Final = "hetao-decision-receipt/1"
EXPORT: Final = "hetao-ledger-export/1"
EXPORT_FAMILY: Final = "hetao-ledger-export"
DECLARATION: Final = "hetao-restore-declaration/1"


def signed_prefix(document: str) -> bytes:
    """Return what the signature of a kind of document begins with; the zero byte keeps it apart from notes."""
    return document.encode() + b"\x00"


# --- Temporal: workflows, their ids and queues, messages, activities --------------------------------------------------

REGISTRATION_WORKFLOW: Final = "Registration"
APPRAISAL_WORKFLOW: Final = "Appraisal"
WORK_PERMIT_WORKFLOW: Final = "WorkPermit"
NOTIFICATION_WORKFLOW: Final = "Notification"
AUTHORITY_POLL_WORKFLOW: Final = "AuthorityPoll"
STANDING_WORKFLOW: Final = "Standing"
ARCHIVE_WORKFLOW: Final = "Archive"
RECONCILIATION_WORKFLOW: Final = "Reconciliation"
RETENTION_WORKFLOW: Final = "Retention"
SEAL_CHECK_WORKFLOW: Final = "SealCheck"

# Before the reference of a case, the channel of notices, the id of a change of standing.
REGISTRATION_ID: Final = "registration/"
APPRAISAL_ID: Final = "appraisal/"
WORK_PERMIT_ID: Final = "work-permit/"
NOTIFICATION_ID: Final = "notification/"
STANDING_ID: Final = "standing/"
# Of a Schedule, and of the workflows that it starts, before the time at which it does.
AUTHORITY_POLL_SCHEDULE: Final = "authority-poll"
ARCHIVE_SCHEDULE: Final = "archive"
RECONCILIATION_SCHEDULE: Final = "reconciliation"
RETENTION_SCHEDULE: Final = "retention"
SEAL_CHECK_SCHEDULE: Final = "seal-check"

REGISTRATION_QUEUE: Final = "registration"
NOTICE_QUEUE: Final = "notices"

DECIDE_UPDATE: Final = "decide"
COMMAND_SIGNAL: Final = "command"
DECISION_SIGNAL: Final = "decision"
STATUS_QUERY: Final = "status"
# What `open_incident` returns in place of an incident's id where the register has no case of the reference.
CASE_GONE: Final = "case_gone"

ACTIVITIES: Final = frozenset(
    {
        "advance", "archive_histories", "ask_authority", "assess", "check_seal", "count_waiting_cases", "deliver",
        "erase_due", "find_outcome", "finish_standing", "forget_old", "open_incident", "plan_standing",
        "reconcile_cases", "report_departed", "spread_standing", "sweep_histories", "take_signalled", "tell_authority",
    }
)  # fmt: skip

# --- Keys of calls to the exit-entry administration, which knows them too ---------------------------------------------

LIST_ENTRY_KEY: Final = "permit"
# Before the number of a later term, behind the permit.
TERM_KEY: Final = "term"
REPORT_KEY: Final = "report"

# --- Ids that are counted from what they are of, so that the same thing never stands there twice ----------------------

SIGNALLED_COMMANDS: Final = UUID("8b1f0f56-14a8-5d0b-9a52-4a4b8f9c2c11")
RECOUNT_COMMANDS: Final = UUID("5d2f6a0e-6a53-5a0b-9f6c-3b1a5c1d7e21")
STUCK_INCIDENTS: Final = UUID("8c0c2f60-6d0b-4d8e-9b52-6a2a4c0f3d11")
# Before the rest of a name in the name space of URLs.
DIFFERENCE_ID: Final = "difference/"
NOT_LOADED_ID: Final = "not_loaded/"
NOTICE_ID: Final = "notice/"

# --- Chains of the ledger beside those of cases -----------------------------------------------------------------------

REQUEST_CHAIN: Final = "request/"
POLICY_CHAIN: Final = "policy/"
RECONCILIATION_CHAIN: Final = "reconciliation/"
CALENDAR_CHAIN: Final = "calendar"
EMPLOYER_CHAIN: Final = "employer/"

# --- Programmes: the code that each case carries ----------------------------------------------------------------------

TALENT_PERMIT: Final = "talent_permit"
APPRAISAL: Final = "appraisal"
WORK_PERMIT: Final = "work_permit"

# --- Idempotency: a route is the method and the path as called; these are asked by no route ---------------------------

ROSTER_ROUTE: Final = "roster"

# --- Rows of `cursors` ------------------------------------------------------------------------------------------------


class Cursor(StrEnum):
    """Which value of the whole register is kept; rounds of Schedules have one each, behind `round/`."""

    ARCHIVE = "archive"
    AUTHORITY = "authority"
    CALENDAR = "calendar"
    CALENDAR_RECOUNTED = "calendar_recounted"
    PREMISES = "premises"
    WORKFLOWS_GONE = "workflows_gone"
    WRITTEN = "written"


ROUND_CURSOR: Final = "round/"

# --- Advisory locks of PostgreSQL, which versions at work together hold against each other ----------------------------

# By number.
SEAL_LOCK: Final = 0x6865_7461_6F5F_6C31
RESTORE_LOCK: Final = 746869616
MIGRATION_LOCK: Final = 7_310_052
# By the hash of a name; more of it follows where one lock is not enough.
SERVICE_KEYS_LOCK: Final = "hetao/service_keys"
CALENDAR_LOCK: Final = "hetao.calendar"
REGISTER_LOCK: Final = "hetao.register"
POLICY_LOCK: Final = "hetao."
DIGEST_LOCK: Final = "digest/"
MESSAGE_LOCK: Final = "message/"
