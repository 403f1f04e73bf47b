"""What is shown of employers, their standing and premises."""

from datetime import date
from typing import Any

from pydantic import Field

from domain.employers import EmployerKind
from domain.stages import Standing
from domain.views import View


class StandingView(View):
    """A change of an employer's standing."""

    change_id: str
    employer_id: str
    standing: Standing
    valid_from: date
    state: str
    reasons: list[str] = Field(description="Codes that were given for it.")
    proposed_by: str
    confirmed_by: str | None


class EmployerVersion(View):
    """An employer as it stands over some days."""

    name_zh: str
    name_en: str | None
    kind: EmployerKind
    premises: list[str]
    valid_from: date
    valid_to: date | None


class EmployerSummary(View):
    """An employer in a list."""

    employer_id: str
    uscc: str
    name_zh: str
    name_en: str | None
    kind: EmployerKind
    premises: list[str]
    valid_from: date
    valid_to: date | None
    standing: Standing


class EmployerView(View):
    """An employer with its versions and standings."""

    employer_id: str
    uscc: str
    name_zh: str
    name_en: str | None
    kind: EmployerKind
    premises: list[str]
    valid_from: date
    valid_to: date | None
    contact: dict[str, Any]
    standing: Standing
    standings: list[StandingView]
    versions: list[EmployerVersion]


class PremisesView(View):
    """Premises over some days."""

    code: str
    address: str
    valid_from: date
    valid_to: date | None
