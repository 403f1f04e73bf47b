"""What is shown of rule packs."""

from datetime import date

from pydantic import Field

from domain.rule_packs import PackState
from domain.views import ToldAsKept, View


class SignatureView(View):
    """A signature on a pack: the role of who gave it, and when."""

    role: str
    at: ToldAsKept
    reasons: list[str]


class PackVersionView(View):
    """A version of a rule pack; one that ships with the engine has no signatures here."""

    name: str
    version: str
    state: PackState
    effective_from: date
    content_hash: str
    report_hash: str | None = Field(description="Hash of the report of its trial on past cases.")
    proposed: SignatureView | None
    confirmed: SignatureView | None
