"""The data map of what callers send: one row for each field of each request body."""

# ruff: noqa: E501 - a table is read a row a line
from typing import Final

from domain.data_map import ALL, NOBODY, OPERATORS, OUT, OWN, SIDES, STAFF, DataClass, Kept, Retention, rows

_PERSONAL: Final = DataClass.PERSONAL
_SENSITIVE: Final = DataClass.SENSITIVE
_SEALED: Final = Kept.SEALED
_PART: Final = Kept.IN_BODY
_CASE: Final = Retention.CASE
_EMPLOYER: Final = Retention.EMPLOYER

BODIES: Final = (
    *rows("RegistrationRequest", "client_reference", "the employer's own name for the case", SIDES, until=_CASE),
    *rows("RegistrationRequest", "person employment", "who is registered, and the work", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("RegistrationRequest", "destinations undertaking_version", "what is asked for, and under which undertaking", ALL),
    *rows("CorrectionRequest", "client_reference", "the employer's own name for the case", SIDES, until=_CASE),
    *rows("CorrectionRequest", "person employment", "parts that are mended", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("CorrectionRequest", "destinations undertaking_version", "what is asked for, and under which undertaking", ALL),
    *rows("Person", "name_zh name_en", "naming the person to the park and the authority", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("Person", "identity_number", "one live registration a person; naming the person to the authority", OUT, of=_SENSITIVE, kept=_PART, until=_CASE),
    *rows("Person", "permit_card_number permit_card_valid_until", "the card that carries the permit", OUT, of=_SENSITIVE, kept=_PART, until=_CASE),
    *rows("Person", "email phone language", "telling the person", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("PersonParts", "name_zh name_en email phone language", "mending what was given", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("PersonParts", "identity_number permit_card_number permit_card_valid_until", "mending what was given", OUT, of=_SENSITIVE, kept=_PART, until=_CASE),
    *rows("Employment", "position work_site employment_kind contract_start contract_end", "work in the Park on the day", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("Employment", "state_worker consent_letter", "the unit's consent, where one is needed", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("EmploymentParts", "position work_site employment_kind contract_start contract_end state_worker consent_letter", "mending what was given", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("ConsentLetter", "issuer number date", "the unit's consent, where one is needed", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("ContestRequest", "note", "why a finding is thought wrong", SIDES, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("WithdrawalRequest", "reason", "why an application is withdrawn", SIDES, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("DepartureRequest", "last_day reason", "the end of an employment", OUT, of=_PERSONAL, until=_CASE),
    *rows("DepartureRow", "client_reference identity_number", "which person a roster's row means", OWN, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("DepartureRow", "last_day reason", "the end of an employment", OUT, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("ChangeRequest", "email phone language contract_end name_zh name_en", "keeping what was given true", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("DecisionRequest", "action round reasons", "the decision and its coded grounds", ALL),
    *rows("DecisionRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("ConfirmationRequest", "action round reasons", "the second signature", STAFF),
    *rows("ConfirmationRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("PermitConfirmationRequest", "action reasons", "the second signature", STAFF),
    *rows("PermitConfirmationRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("GivenReason", "code field", "a coded ground and the field it is about", ALL),
    *rows("GivenReason", "note", "a sentence of the letter", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("RecallRequest", "reason", "why an approval is taken back", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("HoldRequest", "action reason review_on", "why a case waits, and until when", STAFF),
    *rows("HoldRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("RevocationRequest", "reasons", "coded grounds of a revocation", ALL),
    *rows("RevocationRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("EligibilityRequest", "action reasons", "sending or withholding a list entry", STAFF),
    *rows("EligibilityRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("CardLostRequest", "lost_on", "a lost card", OUT, of=_PERSONAL, until=_CASE),
    *rows("BulkDecision", "reference round", "which case is approved", STAFF),
    *rows("TaskAnswerRequest", "action reason", "what an officer did about a task", STAFF),
    *rows("TaskAnswerRequest", "contract_end last_day", "what an officer learned of the employment", SIDES, of=_PERSONAL, until=_CASE),
    *rows("TaskAnswerRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("AuthorityAnswer", "outcome_id case outcome occurred_at", "what the authority answered, and of which permit", ALL),
    *rows("AuthorityAnswer", "authority_number valid_from valid_until stay_days entries", "the permit as the authority gave it", ALL, of=_PERSONAL, until=_CASE),
    *rows("AuthorityAnswer", "reason_code reason_text", "the authority's reason, for the person and staff", ALL - OWN, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("OutcomeRequest", "outcome_id outcome occurred_at", "what a numbered paper of the authority says", ALL),
    *rows("OutcomeRequest", "authority_number valid_from valid_until stay_days entries", "the permit as the paper gives it", ALL, of=_PERSONAL, until=_CASE),
    *rows("OutcomeRequest", "reason_code reason_text", "the authority's reason, for the person and staff", ALL - OWN, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("EmployerRequest", "uscc name_zh name_en kind premises valid_from valid_to", "which employer is in the Park, and where", SIDES, until=_EMPLOYER),
    *rows("EmployerRequest", "contact", "telling the employer", SIDES, of=_PERSONAL, kept=_SEALED, until=_EMPLOYER),
    *rows("EmployerContact", "email phone language digest", "telling the employer", SIDES, of=_PERSONAL, kept=_PART, until=_EMPLOYER),
    *rows("RegisterEmployer", "employer_id uscc name_zh name_en kind premises valid_from valid_to standing", "an employer of the file that is loaded", SIDES, until=_EMPLOYER),
    *rows("RegisterEmployer", "contact", "telling the employer", SIDES, of=_PERSONAL, kept=_SEALED, until=_EMPLOYER),
    *rows("RegisterFile", "premises employers", "the file that is loaded", SIDES, until=_EMPLOYER),
    *rows("PackProposal", "content report_hash", "a rule pack to publish", STAFF),
    *rows("PackConfirmation", "action reasons", "the second signature", STAFF),
    *rows("StandingRequest", "standing valid_from", "the employer's standing", SIDES),
    *rows("PremisesRequest", "premises", "premises in the Park", SIDES, until=Retention.REFERENCE),
    *rows("PremisesEntry", "code address valid_from valid_to", "premises in the Park", SIDES, until=Retention.REFERENCE),
    *rows("CalendarFile", "year source days_off workdays", "the working days of a year", NOBODY, until=Retention.REFERENCE),
    *rows("WebhookRequest", "url", "where an employer's system is told", OWN, kept=_SEALED, until=_EMPLOYER),
    *rows("WebhookRequest", "kinds scheme", "what an employer's system is told, and how it is signed", OWN, until=_EMPLOYER),
    *rows("SecretRequest", "scheme", "how an employer's system checks what it is told", OWN, until=_EMPLOYER),
    *rows("SigningKeys", "keys", "keys that sign webhooks, during a rotation", NOBODY, kept=_SEALED, until=_EMPLOYER),
    *rows("SigningKey", "key until", "one key that signs webhooks", NOBODY, kept=_PART, until=_EMPLOYER),
    *rows("ReceiptRequest", "id status at", "whether a message arrived", OPERATORS),
)  # fmt: skip
