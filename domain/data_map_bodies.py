"""The data map of what callers send: one row for each field of each request body that is no programme's own."""

# ruff: noqa: E501 - a table is read a row a line
from typing import Final

from domain.actors import Role
from domain.data_map import ALL, NOBODY, OPERATORS, OUT, OWN, SIDES, STAFF, DataClass, Kept, Retention, rows

_PERSONAL: Final = DataClass.PERSONAL
_SENSITIVE: Final = DataClass.SENSITIVE
_SEALED: Final = Kept.SEALED
_PART: Final = Kept.IN_BODY
_CASE: Final = Retention.CASE
_EMPLOYER: Final = Retention.EMPLOYER

BODIES: Final = (
    *rows("PersonDocument", "kind place", "what kind of document a person is known by", OUT, of=_PERSONAL, kept=_PART, until=_CASE),
    *rows("PersonDocument", "number", "finding the person again; naming them to authorities", OUT, of=_SENSITIVE, kept=_PART, until=_CASE),
    *rows("ContestRequest", "note", "why a finding is thought wrong", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("WithdrawalRequest", "reason", "why an application is withdrawn", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("FactContest", "note", "why a recorded fact is thought wrong", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("OwnFactContest", "reference fact", "which recorded fact is contested", ALL, until=_CASE),
    *rows("OwnFactContest", "text", "why a recorded fact is thought wrong", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("DecisionRequest", "action round reasons", "the decision and its coded grounds", ALL),
    *rows("DecisionRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("ConfirmationRequest", "action round reasons", "the second signature", STAFF),
    *rows("ConfirmationRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("PermitConfirmationRequest", "action reasons", "the second signature", STAFF),
    *rows("PermitConfirmationRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("GivenReason", "code field", "a coded ground and the field it is about", ALL),
    *rows("GivenReason", "note", "a sentence of the letter", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("RecallRequest", "reason", "why a decision is taken back", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("RenewalDecisionRequest", "action renewal reasons", "the decision on a renewal and its coded grounds", ALL),
    *rows("RenewalDecisionRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("HoldRequest", "action reason review_on", "why a case waits, and until when", STAFF),
    *rows("HoldRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("BulkDecision", "reference round", "which case is approved", STAFF),
    *rows("TaskAnswerRequest", "action facts", "what an officer did about a task", STAFF),
    *rows("TaskAnswerRequest", "note", "a note for staff and auditors", STAFF, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("ErasureRequest", "reason", "why a person is erased", STAFF),
    *rows("ErasureConfirmation", "action", "the second signature", STAFF),
    *rows("NamedPerson", "reference", "which person is meant, by a case about them", STAFF),
    *rows("NamedPerson", "document", "which person is meant, by a document of theirs", STAFF, of=_SENSITIVE, kept=Kept.HASHED, until=Retention.MOMENT),
    *rows("JoiningRequest", "kept joined reason", "which two persons are taken for one, and why", STAFF),
    *rows("JoiningRequest", "proof", "what proves that two persons are one", STAFF, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("PartingRequest", "reason", "why two who were taken for one are two", STAFF),
    *rows("PartingRequest", "proof", "what proves that two persons are two", STAFF, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("JoiningConfirmation", "action", "the second signature", STAFF),
    *rows("LegalHoldRequest", "reason", "why a case is kept from erasure", ALL),
    *rows("LegalHoldRequest", "paper", "which paper orders it", STAFF, kept=_SEALED, until=_CASE),
    *rows("LegalHoldRelease", "reason", "why it need not be kept any more", STAFF),
    *rows("EmployerRequest", "uscc name_zh name_en kind premises valid_from valid_to", "which employer is in the Park, and where", SIDES, until=_EMPLOYER),
    *rows("EmployerRequest", "contact", "telling the employer", SIDES, of=_PERSONAL, kept=_SEALED, until=_EMPLOYER),
    *rows("EmployerContact", "email phone language digest", "telling the employer", SIDES, of=_PERSONAL, kept=_PART, until=_EMPLOYER),
    *rows("RegisterEmployer", "employer_id uscc name_zh name_en kind premises valid_from valid_to standing", "an employer of the file that is loaded", SIDES, until=_EMPLOYER),
    *rows("RegisterEmployer", "contact", "telling the employer", SIDES, of=_PERSONAL, kept=_SEALED, until=_EMPLOYER),
    *rows("RegisterFile", "premises employers", "the file that is loaded", SIDES, until=_EMPLOYER),
    *rows("PackProposal", "content report_hash", "a rule pack to publish", STAFF),
    *rows("PackConfirmation", "action reasons", "the second signature", STAFF),
    *rows("StandingRequest", "standing valid_from", "the employer's standing", SIDES),
    *rows("StandingRequest", "reasons", "coded grounds of a standing", SIDES),
    *rows("StandingRequest", "note", "a note for staff and auditors", STAFF, kept=_SEALED, until=_EMPLOYER),
    *rows("PremisesRequest", "premises", "premises in the Park", SIDES, until=Retention.REFERENCE),
    *rows("PremisesEntry", "code address valid_from valid_to", "premises in the Park", SIDES, until=Retention.REFERENCE),
    *rows("CalendarFile", "year source days_off workdays", "the working days of a year", NOBODY, until=Retention.REFERENCE),
    *rows("WebhookRequest", "url", "where an employer's system is told", OWN, kept=_SEALED, until=_EMPLOYER),
    *rows("WebhookRequest", "kinds scheme", "what an employer's system is told, and how it is signed", OWN, until=_EMPLOYER),
    *rows("SecretRequest", "scheme", "how an employer's system checks what it is told", OWN, until=_EMPLOYER),
    *rows("SigningKeys", "keys", "keys that sign webhooks, during a rotation", NOBODY, kept=_SEALED, until=_EMPLOYER),
    *rows("SigningKey", "key until", "one key that signs webhooks", NOBODY, kept=_PART, until=_EMPLOYER),
    *rows("ComplaintRequest", "reference about", "which case a complaint is about, and what of it", ALL - OWN, until=_CASE),
    *rows("ComplaintRequest", "text", "the complaint", ALL - OWN, of=_SENSITIVE, kept=_SEALED, until=_CASE),
    *rows("ComplaintAnswer", "outcome", "what the park made of a complaint", ALL - OWN, until=_CASE),
    *rows("ComplaintAnswer", "text", "the answer to a complaint", ALL - OWN, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("TransferRequest", "reference employer", "to which employer a person goes, and from which case", STAFF | {Role.PERSON}, until=_CASE),
    *rows("DepartureAnswerRequest", "action last_day", "whether a person leaves who agreed to go to another employer, and when", ALL, of=_PERSONAL, kept=_SEALED, until=_CASE),
    *rows("SignInLinkRequest", "reference", "which case the link is for", NOBODY, until=Retention.LINK),
    *rows("SignInLinkRequest", "email phone", "compared with the case, and kept as a keyed hash", NOBODY, of=_PERSONAL, until=Retention.LINK),
    *rows("SessionRequest", "link", "the link that is used, compared by its hash", NOBODY, until=Retention.LINK),
    *rows("ReceiptRequest", "id status at", "whether a message arrived", OPERATORS),
)  # fmt: skip
