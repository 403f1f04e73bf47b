"""The data map of what is stored: one row for each column of each table."""

# ruff: noqa: E501 - a table is read a row a line
from typing import Final

from domain.data_map import ALL, NOBODY, OPERATORS, SIDES, STAFF, Basis, DataClass, Kept, Retention, rows

_PERSONAL: Final = DataClass.PERSONAL
_SENSITIVE: Final = DataClass.SENSITIVE
_SEALED: Final = Kept.SEALED
_HASHED: Final = Kept.HASHED
_CASE: Final = Retention.CASE
_EMPLOYER: Final = Retention.EMPLOYER
_WORK: Final = Retention.WORK
_LOG: Final = Retention.LOG
_KEY: Final = Retention.KEY
_STAYS: Final = Retention.REFERENCE

COLUMNS: Final = (
    *rows("data_keys", "key_id kek_id destroyed_at", "which key sealed what, and when it was destroyed", NOBODY),
    *rows("data_keys", "wrapped", "sealing; destroyed to erase", NOBODY, kept=Kept.WRAPPED, until=_CASE),
    *rows("persons", "person_id key_id", "one row a person, without facts", NOBODY),
    *rows("persons", "identity_hash", "one live registration a person", NOBODY, of=_SENSITIVE, kept=_HASHED, until=_CASE),
    *rows("employers", "employer_id key_id uscc", "which employer", SIDES, until=_EMPLOYER),
    *rows("employers", "contact", "telling the employer", SIDES, of=_PERSONAL, kept=_SEALED, until=_EMPLOYER),
    *rows("employers", "language digest", "how the employer is told", SIDES, until=_EMPLOYER),
    *rows("employers", "turn", "fairness of deliveries", NOBODY, until=_EMPLOYER),
    *rows("employer_versions", "employer_id valid_from valid_to name_zh name_en kind premises recorded_at", "the employer on a day", SIDES, until=_EMPLOYER),
    *rows("employer_standings", "change_id employer_id standing valid_from state spread at", "the employer's standing on a day", SIDES),
    *rows("employer_standings", "proposed_by confirmed_by", "who signed, with codes; notes sealed", STAFF, of=_PERSONAL, basis=Basis.ACCOUNT),
    *rows("premises", "code valid_from valid_to address folded", "premises in the Park on a day", SIDES, until=_STAYS),
    *rows("registrations", "reference employer_id correlation_id stage live version round destinations undertaking_version facts_version", "the case and where it stands", ALL),
    *rows("registrations", "person_id", "whose case it is", NOBODY, of=_PERSONAL, until=_CASE),
    *rows("registrations", "client_reference", "the employer's own name for the case", SIDES, until=_CASE),
    *rows("registrations", "name_hash last_four_hash", "finding a case by name or last four, within one employer", SIDES, of=_PERSONAL, kept=_HASHED, until=_CASE),
    *rows("registrations", "accepted_at policy_version assessment contested returns named_defects", "which rules hold, and what they found", STAFF),
    *rows("registrations", "days_used clock_since clock holder due_at due_kind due_provisional overdue", "time limits", ALL),
    *rows("registrations", "pending_act pending hold effect_by", "proposals, holds and signers, with codes; notes sealed", STAFF, of=_PERSONAL, basis=Basis.ACCOUNT),
    *rows("registrations", "standing_hold approved_at settles_at settled", "what the decision waits for", STAFF),
    *rows("registrations", "registration_number", "the number of the registration", ALL),
    *rows("registrations", "contract_end departure ended_on end_reason", "the end of the employment", ALL, of=_PERSONAL, until=_CASE),
    *rows("registrations", "started_at updated_at recorded_at", "order and sweeping", SIDES),
    *rows("applications", "reference version employer_id given_at", "which version of the facts", SIDES),
    *rows("applications", "body", "the facts as the employer gave them", ALL, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("assessments", "reference scope seq employer_id round policy_version policy_hash findings at", "what the rules found, as codes", ALL),
    *rows("assessments", "facts", "running the rules again", STAFF, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("permits", "reference destination employer_id stage sent_at accepted_on due_at due_provisional decided_on reported_at answered_for end_reason updated_at", "following the permit", ALL),
    *rows("permits", "authority_number valid_from valid_until stay_days entries earlier card_lost_on", "the permit as the authority gave it", ALL, of=_PERSONAL, until=_CASE),
    *rows("permits", "reason", "the authority's reason", ALL, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("permits", "pending_act pending", "proposals and signers, with codes; notes sealed", STAFF, of=_PERSONAL, basis=Basis.ACCOUNT),
    *rows("tasks", "task_id kind reference employer_id destination round state queue opened_at due_at overdue closed_at", "what staff is to do", STAFF),
    *rows("tasks", "holder held_since reserved_for", "who does it", STAFF, of=_PERSONAL, basis=Basis.ACCOUNT),
    *rows("tasks", "detail", "codes of the task; free text sealed", STAFF, of=_PERSONAL, until=_CASE),
    *rows("conflicts", "reference subject employer_id declared_at", "who may not act on a case", STAFF, of=_PERSONAL, basis=Basis.ACCOUNT),
    *rows("deadlines", "reference kind destination step employer_id state at counted_from counted_days provisional calendar_version", "time limits", STAFF),
    *rows("commands", "command_id seq reference employer_id kind state outcome at sent_at sends applied_at", "what was asked, and what became of it", STAFF),
    *rows("commands", "actor statement", "who asked, and the proof of it", STAFF, of=_PERSONAL, basis=Basis.ACCOUNT),
    *rows("commands", "body", "what was asked in full", STAFF, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("idempotency", "employer_id route key status reference command_id key_id at", "the first answer again", NOBODY, until=_KEY),
    *rows("idempotency", "subject", "whose key it is", NOBODY, of=_PERSONAL, basis=Basis.ACCOUNT, until=_KEY),
    *rows("idempotency", "body_hash", "telling another body", NOBODY, of=_PERSONAL, kept=_HASHED, until=_KEY),
    *rows("idempotency", "answer", "the first answer", NOBODY, of=_PERSONAL, kept=_SEALED, until=_KEY),
    *rows("notices", "notice_id reference employer_id destination kind recipient occasion language status key_id text_hash at", "who was told what, and when", ALL),
    *rows("notices", "subject", "which member of staff was told", STAFF, of=_PERSONAL, basis=Basis.ACCOUNT),
    *rows("notices", "body", "the exact text", ALL, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("deliveries", "delivery_id notice_id employer_id channel webhook_id after digest status next_attempt give_up_at attempts lease_until provider_id reason sent_at settled_at", "how far a notice got", ALL | OPERATORS, until=_WORK),
    *rows("receipts", "message_id delivery_id about status at recorded_at", "whether a message arrived", OPERATORS, until=_WORK),
    *rows("webhooks", "webhook_id employer_id kinds state at", "what an employer's system is told", SIDES, until=_EMPLOYER),
    *rows("webhooks", "url", "where an employer's system is told", SIDES, kept=_SEALED, until=_EMPLOYER),
    *rows("webhooks", "secrets", "signing what is told", NOBODY, kept=_SEALED, until=_EMPLOYER),
    *rows("calls", "key attempt reference employer_id destination what detail state at lease_until tries done_at reason", "what the authority is told, as codes and references", OPERATORS | STAFF, until=_WORK),
    *rows("answers", "answer_id outcome_id reference destination employer_id outcome source state occurred_at received_at", "what the authority answered", STAFF),
    *rows("answers", "content_hash", "telling a repeat", NOBODY, of=_PERSONAL, kept=_HASHED, until=_CASE),
    *rows("answers", "body", "the answer in full", ALL, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("messages_seen", "message_id status answer at", "the first answer again", NOBODY, until=_KEY),
    *rows("messages_seen", "body_hash", "telling another body", NOBODY, of=_PERSONAL, kept=_HASHED, until=_KEY),
    *rows("cursors", "name value at", "how far something was read", NOBODY, until=_STAYS),
    *rows("incidents", "incident_id reference employer_id kind step reason state at resumed_at", "what an operator has to look at, as codes", OPERATORS, until=_WORK),
    *rows("incidents", "resumed_by", "who let it go on", OPERATORS, of=_PERSONAL, basis=Basis.ACCOUNT),
    *rows("quotas", "employer_id what day count", "limits a day", NOBODY, until=_KEY),
    *rows("calendar_days", "day working kind version", "working days", SIDES, until=_STAYS),
    *rows("rosters", "roster_id employer_id act dry_run on_defect status totals reason key_id lease_until at", "a roster and where it stands", SIDES, until=_CASE),
    *rows("rosters", "actor", "who handed it in", SIDES, of=_PERSONAL, basis=Basis.ACCOUNT, until=_CASE),
    *rows("roster_rows", "roster_id row employer_id result reference errors", "what became of a row, as codes", SIDES, until=_CASE),
    *rows("roster_rows", "body", "the row as it was sent", NOBODY, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("roster_intake", "roster_id row", "rows on their way in", NOBODY, until=Retention.MOMENT),
    *rows("roster_intake", "body", "rows on their way in", NOBODY, of=_SENSITIVE, kept=_SEALED, until=Retention.MOMENT),
    *rows("rule_packs", "name version content content_hash effective_from state report_hash at recorded_at", "which rules hold from when", STAFF, until=_STAYS),
    *rows("rule_packs", "proposed_by confirmed_by", "who signed, with codes", STAFF, of=_PERSONAL, basis=Basis.ACCOUNT, until=_STAYS),
    *rows("rule_trials", "report_hash name version content_hash since cases flipped report at recorded_at", "which past cases a draft would flip, as references and codes", STAFF, until=_LOG),
    *rows("ledger", "chain seq employer_id reference act detail at correlation_id previous hash xid recorded_at", "who did what, as codes and hashes", STAFF, until=_LOG),
    *rows("ledger", "purpose outcome reason_codes destination rule_version workflow_id run_id event_id", "for what, with which outcome, under which rule and from which step", STAFF, until=_LOG),
    *rows("ledger", "rule_hash statement_hash", "hashes of the rule and of the signed statement", STAFF, until=_LOG),
    *rows("ledger", "before_hash after_hash", "hashes of the case's state under the person's key", STAFF, kept=_HASHED, until=_LOG),
    *rows("ledger", "actor_issuer actor_subject actor_role actor_tenant", "who did it", STAFF, of=_PERSONAL, basis=Basis.ACCOUNT, until=_LOG),
    *rows("seal_leaves", "index chain seq xid hash", "which row of the ledger is which leaf of the seal", STAFF, until=_LOG),
    *rows("seal_nodes", "level index hash", "hashes above the leaves", ALL, until=_STAYS),
    *rows("checkpoints", "tree_size root note at", "the seal: size and root of the tree, signed", ALL, until=_STAYS),
    *rows("cosignatures", "tree_size witness line stated_at at", "who else vouches for the seal", ALL, until=_STAYS),
    *rows("stamps", "tree_size token stated_at at", "since when the seal is, by a time-stamping authority", ALL, until=_STAYS),
)  # fmt: skip
