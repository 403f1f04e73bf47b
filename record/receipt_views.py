"""What receipts say; they are signed over canonical JSON, in which the order of members is that of their names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from cases.shared.views import Coded


@dataclass(frozen=True, kw_only=True)
class ReasonSaid:
    """A reason with its sentence by language."""

    code: str
    says: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class DecisionTold:
    """A decision, without who made it."""

    act: str
    outcome: str | None
    at: str
    round: int
    destination: str | None
    role: str
    proposed_by_role: str | None
    recalled: bool
    reason_codes: list[str]
    reasons: list[ReasonSaid]
    rule_version: str | None
    rule_hash: str | None


@dataclass(frozen=True, kw_only=True)
class CaseTold:
    """The case that a decision is on."""

    reference: str | None
    employer_id: str | None
    registration_number: str | None


@dataclass(frozen=True, kw_only=True)
class FactTold:
    """A fact that the rules looked at: in clear, masked, withheld or erased, and where it came from."""

    name: str
    value: Any
    shown: str
    source: str


@dataclass(frozen=True, kw_only=True)
class FindingTold:
    """What one rule found, with its sentence by language."""

    code: str
    outcome: str
    says: Mapping[str, str]
    source: str
    fields: list[str]
    values: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """What one who disagrees can do; no rule says yet that it holds for this."""

    reconsideration_calendar_days: int
    reconsideration_not_before: str
    lawsuit_months: int
    counted_from: str
    limits_version: str
    as_stated: bool
    status: str


@dataclass(frozen=True, kw_only=True)
class RowTold:
    """The row of the ledger, whole for staff alone: it names the officer."""

    chain: str
    seq: int
    hash: str
    content: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class SealTold:
    """The place of the row in the log."""

    index: int
    proof: list[str]
    checkpoint: str


@dataclass(frozen=True, kw_only=True)
class ReceiptContent:
    """What the log signs of a decision."""

    issued_at: str | None
    issued_to: str
    case: CaseTold
    decision: DecisionTold
    facts: list[FactTold]
    findings: list[FindingTold]
    assessed_at: str | None
    remedy: Remedy | None
    ledger: RowTold
    seal: SealTold


@dataclass(frozen=True, kw_only=True)
class ReceiptView:
    """A receipt: what it says, and the signature of the log over it."""

    format: str
    content: Annotated[
        Mapping[str, Any],
        Coded(dict[str, Any]),
        Field(description="Case, decision, facts, findings, remedy, row of the ledger, and its place in the log."),
    ]
    signature: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class ReceiptsView:
    """The receipts of a case; the answer as it is, byte for byte, is what `hetao audit verify` checks."""

    items: list[ReceiptView]
    pending: Annotated[
        list[DecisionTold],
        Coded(list[dict[str, Any]]),
        Field(description="Decisions that are not sealed yet; ask again after the seconds of `Retry-After`."),
    ]
