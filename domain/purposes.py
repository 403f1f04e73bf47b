"""Why personal data is opened."""

from enum import StrEnum


class Purpose(StrEnum):
    """The value of the header `Purpose` (api.md, General)."""

    CASE_REVIEW = "case_review"
    SECOND_SIGNATURE = "second_signature"
    AUDIT = "audit"
    DATA_SUBJECT_REQUEST = "data_subject_request"
    COMPLAINT = "complaint"
    COURT_ORDER = "court_order"
    REPAIR = "repair"
