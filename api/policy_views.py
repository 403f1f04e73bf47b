"""What answers about rule packs look like, for the OpenAPI document."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from api.published import RecordedFactView
from api.published_words import AssessmentScope
from cases.case.views import FindingView
from register.pack_views import PackVersionView


class ParameterView(BaseModel):
    """A parameter of a rule pack."""

    value: Any
    unit: str | None
    reference: str
    status: str


class PackRowView(BaseModel):
    """A row of a pack's table: for a name, or from a figure on up to the next row's."""

    of: str | None
    least: str | None
    value: Any
    reference: str
    status: str


class PackTableView(BaseModel):
    """A table of a rule pack."""

    unit: str | None
    rows: list[PackRowView]


class PolicyView(BaseModel):
    """A rule pack in force."""

    name: str
    version: str
    effective_from: date
    content_hash: str
    note: str
    parameters: dict[str, ParameterView]
    tables: dict[str, PackTableView] = Field(description="Rows by name, or by steps of a figure; none in most packs.")


class PackVersions(BaseModel):
    """Versions of a rule pack."""

    items: list[PackVersionView]


class AssessmentDifferenceView(BaseModel):
    """A rule that finds something else; null where it had, or has, nothing to say."""

    code: str
    before: str | None
    now: str | None


class FlipView(BaseModel):
    """A past case in which a rule of the draft finds something else, in one scope of rules."""

    reference: str
    scope: AssessmentScope
    stage: str
    accepted_on: date
    rule_version: str
    before: str = Field(description="What the assessment amounted to.")
    now: str = Field(description="What it would amount to under the draft.")
    rules: list[AssessmentDifferenceView]


class ScopeTotals(BaseModel):
    """What a trial found in one scope of rules."""

    assessments: int = Field(description="Cases that went through these rules and whose facts can be read.")
    flipped: int
    outcome_changes: int


class TrialView(BaseModel):
    """The report of a draft's trial; `report_hash` is the SHA-256 of all the rest in canonical JSON (RFC 8785)."""

    report_hash: str
    pack: str
    version: str
    content_hash: str
    effective_from: date
    since: date
    at: datetime
    cases: int
    facts_erased: int
    flipped: int = Field(description="Cases with a flip in any scope.")
    outcome_changes: int = Field(description="Cases in which what an assessment amounts to would change.")
    by_scope: dict[AssessmentScope, ScopeTotals]
    by_outcome: dict[str, int]
    by_rule: dict[str, int]
    flips: list[FlipView]


class AssessmentRun(BaseModel):
    """One kept assessment, run again."""

    scope: AssessmentScope
    seq: int
    round: int
    at: datetime
    evaluated_on: date
    rule_version: str
    rule_hash: str
    rule_hash_now: str | None = Field(description="Null where no pack of this version is known any more.")
    recorded_facts: list[RecordedFactView] = Field(description="What officers had seen that it rests on.")
    turned: list[str] = Field(description="Findings that failed or lacked a fact without these, and do not with them.")
    kept: list[FindingView]
    now: list[FindingView] | None
    differences: list[AssessmentDifferenceView]
    same: bool


class ReEvaluationView(BaseModel):
    """All assessments of a case, run again on the kept facts under the kept rule versions."""

    reference: str
    same: bool
    assessments: list[AssessmentRun]
