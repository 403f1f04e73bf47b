"""Rows of rule packs and their trials."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import Table

from domain.signatures import PackSignature
from store import tables
from store.rows.base import TableRow


@dataclass(slots=True, kw_only=True)
class PackRow(TableRow):
    """A version of a rule pack that was proposed, with its signatures."""

    TABLE: ClassVar[Table] = tables.rule_packs
    name: str
    version: str
    content: str
    content_hash: str
    effective_from: date
    state: str
    report_hash: str
    proposed_by: PackSignature
    confirmed_by: PackSignature | None = None
    at: datetime


@dataclass(slots=True, kw_only=True)
class TrialRow(TableRow):
    """A trial of a draft on past cases; the report is stored as it was hashed."""

    TABLE: ClassVar[Table] = tables.rule_trials
    report_hash: str
    name: str
    version: str
    content_hash: str
    since: date
    cases: int
    flipped: int
    report: dict[str, Any]
    at: datetime
