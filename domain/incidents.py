"""Incidents: of which kinds there are, and why the engine closes one by itself."""

from enum import StrEnum


class IncidentKind(StrEnum):
    """What is put before the operator; each has its help in `texts/catalogues/incidents.yaml`."""

    STUCK = "stuck"
    DEFECT = "defect"
    AUTHORITY_UNREACHED = "authority_unreached"
    AUTHORITY_ANSWER = "authority_answer"
    DELIVERY_RECEIPT = "delivery_receipt"
    DECISION_SIGNAL = "decision_signal"
    NOTICE = "notice"
    REPORT_REJECTED = "report_rejected"
    RECORD_DIFFERS = "record_differs"
    HISTORY_MISSING = "history_missing"
    LEDGER_ALTERED = "ledger_altered"
    SEAL_OVERDUE = "seal_overdue"
    ERASURES = "erasures"
    WORKFLOW_ENDED = "workflow_ended"
    NOT_LOADED = "not_loaded"
    RESTORE = "restore"
    KEY_UNKNOWN = "key_unknown"
    SETTING_MALFORMED = "setting_malformed"


class Healed(StrEnum):
    """Why an incident was closed by the engine and not by an operator."""

    DIFFERENCE_GONE = "difference_gone"
    COMPARED = "compared"
    ARCHIVED = "archived"
    REACHED = "reached"
    REPLAYED = "replayed"
    WORKFLOW_BACK = "workflow_back"
    LOADED = "loaded"
