"""The data map of what is sent about talent permits alone: one row for each field of each request body."""

# ruff: noqa: E501 - a table is read a row a line
from typing import Final

from domain.data_map import ALL, OUT, OWN, SIDES, STAFF, DataClass, Kept, Retention, rows

_PERSONAL: Final = DataClass.PERSONAL
_SENSITIVE: Final = DataClass.SENSITIVE
_SEALED: Final = Kept.SEALED
_PART: Final = Kept.IN_BODY
_CASE: Final = Retention.CASE

BODIES: Final = (
    *rows("RegistrationRequest", "client_reference", "the employer's own name for the case", SIDES, until=_CASE),
    *rows("RegistrationRequest", "person employment", "who is registered, and the work", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("RegistrationRequest", "destinations undertaking_version", "what is asked for, and under which undertaking", ALL),
    *rows("CorrectionRequest", "round", "which round is given again under review", ALL),
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
    *rows("DepartureRequest", "last_day reason", "the end of an employment", OUT, of=_PERSONAL, until=_CASE),
    *rows("DepartureRow", "client_reference identity_number", "which person a roster's row means", OWN, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("DepartureRow", "last_day reason", "the end of an employment", OUT, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("RenewalRequest", "changes", "what changes with a renewal", ALL, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("RenewalRequest", "undertaking_version", "under which undertaking it is confirmed", ALL),
    *rows("ChangeRequest", "email phone language contract_start contract_end name_zh name_en position work_site proof", "keeping what was given true", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("ChangeRequest", "permit_card_number permit_card_valid_until", "keeping what was given true", ALL, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("ChangeRequest", "destinations", "what is asked for", ALL),
    *rows("OwnChangeRequest", "reference", "whose data is to be changed", OUT, until=_CASE),
    *rows("OwnChangeRequest", "email phone language name_zh name_en proof", "keeping what was given true", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("OwnChangeRequest", "permit_card_number permit_card_valid_until", "keeping what was given true", ALL, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("Proof", "kind issuer number date", "what proves a change", ALL, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("FactRequest", "field round", "which field an officer records a fact of", STAFF),
    *rows("FactRequest", "value", "the fact that an officer saw", OUT, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("FactRequest", "seen_in", "where an officer saw the fact", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("RevocationRequest", "reasons", "coded grounds of a revocation", ALL),
    *rows("RevocationRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("EligibilityRequest", "action reasons", "sending or withholding a list entry", STAFF),
    *rows("EligibilityRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("TaskAnswerRequest", "reason reasons fields", "what an officer did about a task", STAFF),
    *rows("TaskAnswerRequest", "contract_end last_day", "what an officer learned of the employment", SIDES, of=_PERSONAL, until=_CASE),
    *rows("CardLostRequest", "lost_on", "a lost card", OUT, of=_PERSONAL, until=_CASE),
    *rows("AuthorityAnswer", "outcome_id case outcome occurred_at", "what the authority answered, and of which permit", ALL),
    *rows("AuthorityAnswer", "authority_number valid_from valid_until stay_days entries", "the permit as the authority gave it", ALL, of=_PERSONAL, until=_CASE),
    *rows("AuthorityAnswer", "reason_code reason_text", "the authority's reason, for the person and staff", ALL - OWN, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("OutcomeRequest", "outcome_id outcome occurred_at", "what a numbered paper of the authority says", ALL),
    *rows("OutcomeRequest", "authority_number valid_from valid_until stay_days entries", "the permit as the paper gives it", ALL, of=_PERSONAL, until=_CASE),
    *rows("OutcomeRequest", "reason_code reason_text", "the authority's reason, for the person and staff", ALL - OWN, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("AttachmentRequest", "reference", "to which case an answer of the authority belongs", STAFF),
    *rows("AttachmentConfirmation", "action", "the second signature", STAFF),
    *rows("DisputeRequest", "reference", "which departure is disputed", ALL - OWN, until=_CASE),
    *rows("DisputeRequest", "text", "what speaks against the departure", ALL - OWN, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("OwnCardLostRequest", "reference destination", "whose card was lost, and which", OUT, until=_CASE),
    *rows("OwnCardLostRequest", "lost_on", "a lost card", OUT, of=_PERSONAL, until=_CASE),
)  # fmt: skip
